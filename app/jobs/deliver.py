"""The job that sends messages: claim, compose, send with no transaction open, record each answer."""

import logging
import os
import socket
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import chain

from flask import current_app
from sqlalchemy.orm import Session

from app import instance
from app.channels import email
from app.channels.base import Mail, Result, Sent
from app.channels.email import Capture, Outgoing, Relay
from app.clock import now
from app.db import AWAY, reading, transaction, writing
from app.jobs import doorbell
from app.models import Delivery
from app.services.integrations import posting
from app.services.mails import delivering
from app.services.mails.composing import Composer
from app.services.notices import reconsidering, telling
from app.services.notices.reconsidering import Objections

log = logging.getLogger(__name__)
BATCH = 100
AT_ONCE = 20


def run(*delivery_ids: int) -> None:
    """Send what is due of these deliveries. Safe to run twice, and at the same time.

    What goes to integrations is left to a job for each: none of them holds up mails.
    """
    for start in range(0, len(delivery_ids), BATCH):
        _send(delivery_ids[start : start + BATCH])
    with reading() as session:
        outward = posting.destinations_of(session, delivery_ids)
    doorbell.post(outward)
    note_told(delivery_ids)


def note_told(delivery_ids: Sequence[int]) -> None:
    """Only lists are quicker for it: it comes last, and is left out where it cannot be had."""
    with suppress(*AWAY):
        with reading() as session:
            untold = telling.untold(session, delivery_ids)
        if untold:
            with transaction() as session:
                telling.note(session, untold)


def _send(delivery_ids: Sequence[int]) -> None:
    with transaction() as session:
        claimed = delivering.claim(session, delivery_ids, now=now())
    messages = _compose(_standing(claimed)) if claimed else []
    answers = _transport().send(messages, seconds=delivering.BEGIN_WITHIN.total_seconds())
    untried = _record(answers)
    if untried:
        doorbell.send(untried, batch=BATCH)


def _standing(claimed: Sequence[int]) -> list[int]:
    """Those that should go out now still; the others are settled here."""
    with reading() as session:
        usual = instance.defaults(session)
        objections = Objections()
        for deliveries in _in_parts(session, claimed):
            objections |= reconsidering.objections(session, deliveries, now=now(), instance=usual)
    if objections.refused or objections.put_off:
        with writing() as connection:
            delivering.refuse(connection, objections.refused)
            delivering.cancel(connection, objections.cancelled, now=now())
            delivering.put_off(connection, objections.put_off)
    return [delivery_id for delivery_id in claimed if delivery_id not in objections.deliveries]


def _compose(standing: Sequence[int]) -> list[Outgoing]:
    """The messages to send; what cannot be composed is settled here."""
    messages: list[Outgoing] = []
    spoilt: list[Sent] = []
    with reading() as session:
        composer = Composer(session, current_app.jinja_env, instance.site())
        for delivery in chain.from_iterable(_in_parts(session, standing)):
            made = _composed(composer, delivery)
            messages.append(made) if isinstance(made, Outgoing) else spoilt.append(made)
    with writing() as connection:
        delivering.name(connection, [message.name for message in messages])
    _record([spoilt] if spoilt else [])
    return messages


def _in_parts(session: Session, delivery_ids: Sequence[int]) -> Iterator[Sequence[Delivery]]:
    """Loaded a few at a time: one digest may hold a thousand things."""
    for start in range(0, len(delivery_ids), AT_ONCE):
        yield delivering.load(session, delivery_ids[start : start + AT_ONCE])


def _composed(composer: Composer, delivery: Delivery) -> Outgoing | Sent:
    """One message that cannot be composed must not hold up the others; it is tried again like any failure.

    Characters that a mail cannot carry, as in an address, are the same ones the next time.
    """
    try:
        return _outgoing(composer.compose(delivery))
    except Exception as error:
        log.exception("a message could not be composed", extra={"delivery": delivery.id})
        words = f"Tocsin could not compose it: {type(error).__name__}"
        result = Result.FAILED if isinstance(error, UnicodeError) else Result.RETRY
        return Sent(delivery.id, result, response=words)


def _outgoing(mail: Mail) -> Outgoing:
    raw = email.build(mail, current_app.config["MAIL_DEFAULT_SENDER"], now())
    return Outgoing(mail.delivery_id, mail.to_address, raw, mail.subject, mail.message_id)


def _record(answers: Iterable[list[Sent]]) -> list[int]:
    """Write down answers as they come, those that came together in one go; what was not tried is returned.

    What cannot be written is tried once more at the end, one by one: an answer is all that keeps its
    message from going out again.
    """
    untried, unwritten = [], []
    for came in answers:
        untried += [sent.delivery_id for sent in came if sent.result is Result.NOT_TRIED]
        if not _written(came):
            unwritten += came
    for sent in unwritten:
        if not _written([sent]):
            log.error("an answer is lost; the message may go out again", extra={"delivery": sent.delivery_id})
    return untried


def _written(came: list[Sent]) -> bool:
    worker = f"{socket.gethostname()}.{os.getpid()}"
    try:
        with writing() as connection:
            delivering.record(connection, came, now=now(), worker=worker)
    except Exception:
        log.exception("answers could not be written down", extra={"deliveries": len(came)})
        return False
    for sent in came:
        facts = {"delivery": sent.delivery_id, "result": str(sent.result), "code": sent.code}
        log.info("message sent" if sent.result is Result.ACCEPTED else "message not accepted", extra=facts)
    return True


def _transport() -> Relay | Capture:
    """Kept for the life of the process, so that connections are."""
    extensions = current_app.extensions
    if "tocsin_transport" not in extensions:
        settings = current_app.config["SETTINGS"]
        if settings.mail_is_captured:
            extensions["tocsin_transport"] = Capture(settings.tocsin_data_dir / "mail")
        else:
            extensions["tocsin_transport"] = Relay(extensions["mail"], settings.mail_default_sender)
    transport: Relay | Capture = extensions["tocsin_transport"]
    return transport
