"""Mail that people send: kept as it came, then made into a comment, a change, or an end to mail.

The address that it went to says whose it is and what it is about; the sender has to be that person
(`notifications.md` 9.4, `experience.md` 1.7).
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.domain import inbound, reply_address, reply_text, sender_proof
from app.domain.errors import NotFound, Refused
from app.domain.inbound import Letter
from app.domain.mail_tokens import BadToken, MailToken
from app.domain.reply_address import ReplyTo
from app.models import Delivery, EmailAddress, InboundMessage, Issue, User
from app.services import access
from app.services.issues import assigning, commenting, ignoring, resolving
from app.services.mails import writing
from app.services.preferences import muting, subscribing, unsubscribing

LARGEST = 1 << 20
WAITING, ACCEPTED, REFUSED, IGNORED = "waiting", "accepted", "refused", "ignored"
VIA = "email"
LONGEST_NAME = 150
# Nobody is told more often than this that an answer of theirs came to nothing.
COMPLAIN_EVERY = timedelta(hours=1)
MUTED_FOR = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Intake:
    """What this instance takes mail with.

    `authserv_id` names the receiving server whose DMARC result is believed; without one nobody's reply is
    taken, unless `without_proof` takes every sender at their word.
    """

    domain: str
    keys: Sequence[str]
    authserv_id: str = ""
    without_proof: bool = False


class _Unanswerable(Exception):
    """Nothing to be done, and nobody to be told."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What the headers of a message come to: where it leads and for whom, or why nowhere."""

    raw: bytes
    to: ReplyTo | MailToken | None = None
    problem: _Unanswerable | Refused | None = None


def keep(session: Session, raw: bytes, *, now: datetime) -> int | None:
    """Keep a message until it is worked on; its id, or None when the same one is here already.

    Anybody may hand in anything: only its headers are looked at here. Raises `Refused` for what is too large.
    """
    if len(raw) > LARGEST:
        raise Refused(f"The message has {len(raw)} bytes; {LARGEST} is the most.")
    kept = InboundMessage(message_id=_key(raw), received_at=now, raw=raw)
    try:
        with session.begin_nested():
            session.add(kept)
    except IntegrityError:
        return None
    return kept.id


def waiting(session: Session, *, limit: int) -> Sequence[int]:
    found = select(InboundMessage.id).where(InboundMessage.outcome == WAITING).order_by(InboundMessage.id)
    return session.scalars(found.limit(limit)).all()


def look(session: Session, message_id: int, intake: Intake) -> Opened | None:
    """What a message that waits asks for, and whether its sender may; None for what waits no longer.

    Changes nothing, so that the body can be read after it while no transaction is open.
    """
    waits = (InboundMessage.id == message_id) & (InboundMessage.outcome == WAITING)
    raw = session.scalar(select(InboundMessage.raw).where(waits))
    if raw is None:
        return None
    to = None
    try:
        letter = _read(raw)
        to = _addressed(letter, intake)
        user = _owner(session, to)
        if isinstance(to, ReplyTo):
            _check_sender(session, letter, user, intake)
    except (_Unanswerable, Refused) as error:
        return Opened(raw, to, error)
    return Opened(raw, to)


def text(opened: Opened) -> str | None:
    """What its writer wrote, where it matters; None for a body that nothing can be made of."""
    if opened.problem or not isinstance(opened.to, ReplyTo):
        return ""
    try:
        return inbound.text(opened.raw)
    except Exception:  # made by anybody, to break whatever reads it; the standard library promises nothing
        return None


def work(session: Session, message_id: int, opened: Opened, text: str | None, *, now: datetime) -> None:
    """Do what the message asks, once; its row says what became of it."""
    kept = session.scalar(
        select(InboundMessage).where(InboundMessage.id == message_id).with_for_update().limit(1)
    )
    if kept is None or kept.outcome != WAITING:
        return
    try:
        kept.outcome, kept.detail = ACCEPTED, _act(session, kept, opened, text, now)[:255]
    except _Unanswerable as error:
        kept.outcome, kept.detail = IGNORED, str(error)[:255]
    except Refused as error:
        kept.outcome, kept.detail = REFUSED, error.message[:255]
        _complain(session, kept, error.message, now)


def give_up(session: Session, message_id: int, error: Exception) -> None:
    """A message that nothing can be made of must not come up for ever."""
    kept = session.get(InboundMessage, message_id)
    if kept and kept.outcome == WAITING:
        kept.outcome, kept.detail = IGNORED, f"could not be worked on: {type(error).__name__}"


def _key(raw: bytes) -> str:
    """By what a message is known: its Message-ID, or else its hash, and to which address of ours it went.

    The name alone would let whoever knows it in advance hand in another message under it.
    """
    try:
        to = next(iter(inbound.recipients(raw)), "").partition("@")[0]
    except Exception:  # as in `text`
        to = ""
    name = inbound.name(raw) or f"sha256:{hashlib.sha256(raw).hexdigest()}"
    if len(name) > LONGEST_NAME:
        name = f"sha256:{hashlib.sha256(name.encode()).hexdigest()}"
    return f"{name} {to}".strip()


def _act(session: Session, kept: InboundMessage, opened: Opened, text: str | None, now: datetime) -> str:
    to = opened.to
    if to is None:
        raise opened.problem or _Unanswerable("sent to no address of ours")
    user = _owner(session, to)
    kept.user_id = user.id
    if opened.problem:
        raise opened.problem
    if isinstance(to, MailToken):
        unsubscribing.stop(session, to, scope=to.scope, via=VIA, now=now)
        return f"unsubscribed: {to.scope}"
    if text is None:
        raise _Unanswerable("not a mail that can be read")
    try:
        issue = access.visible_issue(session, user, to.issue_id)
    except NotFound:
        raise Refused("the issue is gone, or you no longer have access to it.") from None
    kept.issue_id = issue.id
    return _said(session, kept, issue, user, text, now)


def _read(raw: bytes) -> Letter:
    try:
        letter = inbound.read(raw)
    except Exception as error:  # as in `text`
        raise _Unanswerable(f"not a mail: {type(error).__name__}") from error
    if letter.is_automatic:
        raise _Unanswerable("an automatic message")
    return letter


def _addressed(letter: Letter, intake: Intake) -> ReplyTo | MailToken:
    for address in letter.recipients:
        try:
            to = reply_address.read(address, intake.keys, intake.domain)
        except BadToken:
            raise _Unanswerable("the address is not one that Tocsin made") from None
        if to is not None:
            return to
    raise _Unanswerable("sent to no address of ours")


def _owner(session: Session, to: ReplyTo | MailToken) -> User:
    user = session.get(User, to.user_id)
    if user is None or not user.is_active or user.mail_version != to.mail_version:
        raise _Unanswerable("the address is no longer valid")
    return user


def _check_sender(session: Session, letter: Letter, user: User, intake: Intake) -> None:
    own = select(EmailAddress.address).where(
        EmailAddress.user_id == user.id, EmailAddress.verified_at.is_not(None)
    )
    if letter.sender not in session.scalars(own).all():
        raise Refused(
            "it came from an address that is not one of your verified ones. Add it under Settings, Email."
        )
    if intake.without_proof:
        return
    if not intake.authserv_id:
        raise Refused(
            "Tocsin is not set up to tell who wrote a mail (INBOUND_AUTHSERV_ID), and takes no replies."
        )
    if not sender_proof.dmarc_passes(letter.results, authserv_id=intake.authserv_id, sender=letter.sender):
        raise Refused("your mail server did not prove that the message is from you (DMARC).")


def _said(session: Session, kept: InboundMessage, issue: Issue, user: User, text: str, now: datetime) -> str:
    command = COMMANDS.get(reply_text.first_line(text).lower()) if "\n" not in text.strip() else None
    if command:
        command(session, issue, user, now)
        return f"did: {text.strip().lower()}"
    if not text:
        raise _Unanswerable("nothing was written above the quotation")
    activity = commenting.comment(session, issue, text=text, by=user, now=now)
    kept.activity_id = activity.id
    return "comment"


def _mute(session: Session, issue: Issue, user: User, now: datetime) -> None:
    muting.mute(session, issue, user=user, until=now + MUTED_FOR, event_limit=None, now=now, via=VIA)


Command = Callable[[Session, Issue, User, datetime], object]
# A message of one line that is one of these does it, with the rights of whoever wrote it.
COMMANDS: Mapping[str, Command] = {
    "resolve": lambda session, issue, user, now: resolving.resolve(session, issue, by=user, now=now),
    "ignore": lambda session, issue, user, now: ignoring.ignore(session, issue, by=user, now=now),
    "mute": _mute,
    "unsubscribe": lambda session, issue, user, now: subscribing.unsubscribe(
        session, issue, user=user, now=now, via=VIA
    ),
    "assign me": lambda session, issue, user, now: assigning.assign(
        session, issue, to=user, by=user, now=now
    ),
}


def _complain(session: Session, kept: InboundMessage, because: str, now: datetime) -> None:
    """One mail back, to the person's own address, whoever wrote; at most one an hour."""
    user = session.get(User, kept.user_id) if kept.user_id else None
    address = user.primary_address if user else None
    if user is None or address is None or address.verified_at is None:
        return
    lately = session.scalar(
        select(func.count()).where(
            Delivery.user_id == user.id,
            Delivery.kind == "reply_refused",
            Delivery.created_at > now - COMPLAIN_EVERY,
        )
    )
    if lately:
        return
    issue = session.get(Issue, kept.issue_id) if kept.issue_id else None
    data = {"because": because, "issue": issue.short_id if issue else ""}
    writing.write_to(session, address.address, "reply_refused", data, user=user, now=now)
