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

from app.domain import inbound, reply_address, reply_text
from app.domain.errors import NotFound, Refused
from app.domain.inbound import Letter
from app.domain.reply_address import ReplyTo
from app.domain.tokens import BadToken, MailToken
from app.models import Delivery, EmailAddress, InboundMessage, Issue, User
from app.services import (
    access,
    assigning,
    commenting,
    ignoring,
    muting,
    onboarding,
    resolving,
    subscribing,
    unsubscribing,
)

LARGEST = 1 << 20
WAITING, ACCEPTED, REFUSED, IGNORED = "waiting", "accepted", "refused", "ignored"
VIA = "email"
# Nobody is told more often than this that an answer of theirs came to nothing.
COMPLAIN_EVERY = timedelta(hours=1)
MUTED_FOR = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Intake:
    """What this instance takes mail with; an empty `authserv_id` asks for no DMARC result."""

    domain: str
    keys: Sequence[str]
    authserv_id: str = ""


class _Unanswerable(Exception):
    """Nothing to be done, and nobody to be told."""


def keep(session: Session, raw: bytes, *, now: datetime) -> int | None:
    """Keep a message until it is worked on; its id, or None when the same one is here already.

    Raises `Refused` for what is too large.
    """
    if len(raw) > LARGEST:
        raise Refused(f"The message has {len(raw)} bytes; {LARGEST} is the most.")
    name = _name(raw)
    kept = InboundMessage(message_id=name, received_at=now, raw=raw)
    try:
        with session.begin_nested():
            session.add(kept)
    except IntegrityError:
        return None
    return kept.id


def waiting(session: Session, *, limit: int) -> Sequence[int]:
    found = select(InboundMessage.id).where(InboundMessage.outcome == WAITING).order_by(InboundMessage.id)
    return session.scalars(found.limit(limit)).all()


def work(session: Session, message_id: int, intake: Intake, *, now: datetime) -> None:
    """Do what the message asks, once; its row says what became of it."""
    kept = session.scalar(
        select(InboundMessage).where(InboundMessage.id == message_id).with_for_update().limit(1)
    )
    if kept is None or kept.outcome != WAITING:
        return
    try:
        kept.outcome, kept.detail = ACCEPTED, _act(session, kept, intake, now)[:255]
    except _Unanswerable as error:
        kept.outcome, kept.detail = IGNORED, str(error)
    except Refused as error:
        kept.outcome, kept.detail = REFUSED, error.message[:255]
        _complain(session, kept, error.message, now)


def give_up(session: Session, message_id: int, error: Exception) -> None:
    """A message that nothing can be made of must not come up for ever."""
    kept = session.get(InboundMessage, message_id)
    if kept and kept.outcome == WAITING:
        kept.outcome, kept.detail = REFUSED, f"could not be worked on: {type(error).__name__}"


def _name(raw: bytes) -> str:
    """The Message-ID; of what has none, or cannot be read, its hash."""
    try:
        name = inbound.read(raw).message_id
    except (ValueError, LookupError, TypeError):
        name = ""
    return name or f"sha256:{hashlib.sha256(raw).hexdigest()}"


def _act(session: Session, kept: InboundMessage, intake: Intake, now: datetime) -> str:
    letter = _read(kept.raw)
    if letter.is_automatic:
        raise _Unanswerable("an automatic message")
    to = _addressed(letter, intake)
    user = session.get(User, to.user_id)
    if user is None or not user.is_active or user.mail_version != to.mail_version:
        raise _Unanswerable("the address is no longer valid")
    kept.user_id = user.id
    if isinstance(to, MailToken):
        unsubscribing.stop(session, to, scope=to.scope, via=VIA, now=now)
        return f"unsubscribed: {to.scope}"
    _check_sender(session, letter, user, intake)
    try:
        issue = access.visible_issue(session, user, to.issue_id)
    except NotFound:
        raise Refused("the issue is gone, or you no longer have access to it.") from None
    kept.issue_id = issue.id
    return _said(session, kept, issue, user, letter.text, now)


def _read(raw: bytes) -> Letter:
    try:
        return inbound.read(raw)
    except (ValueError, LookupError, TypeError) as error:
        raise _Unanswerable(f"not a mail: {type(error).__name__}") from error


def _addressed(letter: Letter, intake: Intake) -> ReplyTo | MailToken:
    for address in letter.recipients:
        try:
            to = reply_address.read(address, intake.keys, intake.domain)
        except BadToken:
            raise _Unanswerable("the address is not one that Tocsin made") from None
        if to is not None:
            return to
    raise _Unanswerable("sent to no address of ours")


def _check_sender(session: Session, letter: Letter, user: User, intake: Intake) -> None:
    own = select(EmailAddress.id).where(
        EmailAddress.user_id == user.id,
        EmailAddress.address == letter.sender,
        EmailAddress.verified_at.is_not(None),
    )
    if session.scalar(own) is None:
        raise Refused(
            "it came from an address that is not one of your verified ones. Add it under Settings, Email."
        )
    if intake.authserv_id and not inbound.dmarc_passes(letter, intake.authserv_id):
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
    muting.mute(session, issue, user=user, until=now + MUTED_FOR, event_limit=None, now=now)


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
    onboarding.write_to(session, address.address, "reply_refused", data, user=user, now=now)
