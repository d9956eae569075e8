"""The job that sends to integrations: claim, compose, send with no transaction open, record the answer."""

import logging
import os
import random
import socket
import time
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from flask import current_app
from sqlalchemy.orm import Session

from app import instance, outgoing
from app.channels.base import Answer, Channel, Outcome
from app.channels.http import Http
from app.clock import now
from app.db import AWAY, reading, transaction
from app.domain.message import Message, clean, cleaned
from app.jobs import deliver, doorbell
from app.models import Delivery, Destination
from app.services.integrations import channel_settings, falling_back, messages, posting
from app.services.integrations.posting import Settled
from app.services.sealing import Sealed, without

log = logging.getLogger(__name__)
UNREADABLE = "Its secrets cannot be read: CREDENTIAL_KEYS is not what it was. Enter them again."
# So that two destinations that wait for their turns do not keep each other busy.
SHORT_SECONDS = 0.1
# After these there is no use in waiting before the next message.
GO_ON = (Outcome.DELIVERED, Outcome.BAD_MESSAGE, Outcome.UNNEEDED, Outcome.UNSENT)
Ready = tuple[Channel, Message, Collection[str]]


def run(*destination_ids: int) -> None:
    """Send what waits for these integrations. Safe to run twice, and at the same time."""
    http = outgoing.client()
    try:
        for destination_id in destination_ids:
            _drain(destination_id, http)
    finally:
        http.close()


def reseal(_at: datetime) -> None:
    """Encrypt anew, with the key that is the first one now, whatever another one encrypted."""
    with transaction() as session:
        channel_settings.reseal(session, outgoing.seal())


def _drain(destination_id: int, http: Http) -> None:
    """One message after the other, as long as they arrive; what is left then is for another job."""
    begun = now()
    while now() - begun < posting.GO_ON_FOR:
        if not _send_next(destination_id, http) and not _may_go_on(destination_id):
            _give_up_what_is_held(destination_id)
            return
    doorbell.post([destination_id])


def _give_up_what_is_held(destination_id: int) -> None:
    """Where nothing goes out before it is worth nothing any more, people are told instead, now."""
    with reading() as session:
        if not posting.is_hopeless(session, destination_id, now=now()):
            return
    with transaction() as session:
        destination = session.get(Destination, destination_id)
        left = posting.hopeless(session, destination, now=now()) if destination else []
        mails = [mail for each in left for mail in _follow_up(session, each.id, Settled(dropped=True))]
    doorbell.send(mails, batch=deliver.BATCH)


def _may_go_on(destination_id: int) -> bool:
    """Wait for the next message's turn, where the destination asks for a pace; other work goes first."""
    with reading() as session:
        wait = posting.pause(session, destination_id, now=now())
    if wait is None:
        return False
    if doorbell.is_anything_waiting():
        time.sleep(SHORT_SECONDS)
        doorbell.post([destination_id])
        return False
    time.sleep(wait.total_seconds())
    return True


def _send_next(destination_id: int, http: Http) -> bool:
    """Whether there may be more to send."""
    with transaction() as session:
        delivery = posting.claim(session, destination_id, now=now())
        if delivery is None:
            return False
        ready = _prepared(session, delivery)
    answer = ready if isinstance(ready, Answer) else _try(*ready, http)
    _record(delivery.id, answer)
    if answer.outcome is Outcome.DELIVERED:
        deliver.note_told([delivery.id])
    return answer.outcome in GO_ON


def _prepared(session: Session, delivery: Delivery) -> Ready | Answer:
    """What is needed to send; what cannot be composed is tried again like any failure."""
    destination = delivery.destination
    if destination is None:
        raise LookupError(f"delivery {delivery.id} has lost its destination")
    try:
        channel = channel_settings.opened(destination, outgoing.seal())
        message = messages.compose(session, delivery, url=current_app.config["SETTINGS"].tocsin_url)
    except Sealed:
        return Answer(Outcome.RETRY, "secrets", UNREADABLE)
    except Exception as error:
        log.exception("a message could not be composed", extra={"delivery": delivery.id})
        return Answer(Outcome.RETRY, "compose", f"Tocsin could not compose it: {type(error).__name__}")
    return channel, message, channel_settings.secrets_in(channel)


def _try(channel: Channel, message: Message, secrets: Collection[str], http: Http) -> Answer:
    """What the other side answers is kept without the secrets that it may repeat."""
    try:
        answer = channel.send(message, http=http, now=now())
    except Exception as error:
        log.error("a channel failed", extra={"channel": channel.about.name, "error": type(error).__name__})
        return Answer(Outcome.RETRY, "error", f"Tocsin could not send it: {type(error).__name__}")
    return _fit_to_keep(answer, secrets)


def _fit_to_keep(answer: Answer, secrets: Collection[str]) -> Answer:
    """PostgreSQL keeps no NUL, and whoever reads the log on a terminal wants nothing else of that sort."""
    return replace(
        answer,
        code=clean(answer.code),
        request=clean(without(answer.request, secrets)),
        response=clean(without(answer.response, secrets)),
        advice=clean(without(answer.advice, secrets)),
        references=cleaned(answer.references),
        changes=cleaned(answer.changes),
    )


def _record(delivery_id: int, answer: Answer) -> None:
    """What came of it stands, also where the words of the other side cannot be kept: it is not sent again."""
    try:
        _write_down(delivery_id, answer)
    except AWAY:
        raise
    except Exception as error:
        log.exception("an answer could not be recorded", extra={"delivery": delivery_id})
        words = f"Tocsin could not keep the answer: {type(error).__name__}"
        bare = Answer(answer.outcome, "record", words, retry_after=answer.retry_after)
        _write_down(delivery_id, replace(bare, is_unsure=answer.is_unsure))


def _write_down(delivery_id: int, answer: Answer) -> None:
    with transaction() as session:
        worker = f"{socket.gethostname()}.{os.getpid()}"
        settled = posting.record(
            session,
            delivery_id,
            answer,
            now=now(),
            worker=worker,
            chance=random.random(),  # noqa: S311
            seal=outgoing.seal(),
        )
        mails = _follow_up(session, delivery_id, settled) if settled.concerns_people else []
    doorbell.send(mails, batch=deliver.BATCH)
    facts = {"delivery": delivery_id, "result": str(answer.outcome), "code": answer.code}
    log.info("message sent" if answer.outcome is Outcome.DELIVERED else "message not accepted", extra=facts)


def _follow_up(session: Session, delivery_id: int, settled: Settled) -> list[int]:
    delivery, usual = session.get_one(Delivery, delivery_id), instance.defaults(session)
    return falling_back.follow_up(session, delivery, settled, now=now(), instance=usual)
