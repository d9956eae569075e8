"""The inbox of integrations: calls of the other side that count, kept before they are answered, done once.

A channel says what a call means (`hear`); what follows from it is a row, and a job's work.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.channels.base import Call, Heard, Listening
from app.domain.errors import NotFound, Refused
from app.models import Callback, Destination
from app.services import pruning
from app.services.integrations import acting, channel_settings
from app.services.integrations.asked import Afterwards, Asked
from app.services.sealing import Seal, Sealed

log = logging.getLogger(__name__)
MOST_TRIES = 5
# A call with the same key is known for so long; signatures that old are refused anyway.
KEPT = timedelta(days=2)
AWAY = Heard(503, "Not now: the settings of this integration cannot be read.")


def find(session: Session, callback_key: str, name: str) -> Destination:
    """The integration that is called at this address, else `NotFound`: one that is off is not there."""
    row = session.scalar(select(Destination).where(Destination.callback_key == callback_key))
    if row is None or not row.enabled:
        raise NotFound
    if name not in channel_settings.channel_named(row.channel).about.callbacks:
        raise NotFound
    return row


def hear(destination: Destination, call: Call, seal: Seal, *, now: datetime) -> Heard:
    """What to answer, and what follows. Whoever calls without the right to it costs a look, no more."""
    try:
        channel = channel_settings.opened(destination, seal)
    except Sealed:
        return AWAY
    if not isinstance(channel, Listening):
        raise NotFound
    return channel.hear(call, now=now)


def keep(session: Session, destination_id: int, heard: Heard, seal: Seal, *, now: datetime) -> None:
    """Write down what follows from a call, once, before it is answered."""
    called = select(Destination).where(Destination.id == destination_id).with_for_update()
    destination = session.scalar(called.execution_options(populate_existing=True))
    if destination is None:
        raise NotFound
    same = (Callback.destination_id == destination_id) & (Callback.key == heard.key)
    if session.scalar(select(Callback.id).where(same)) is not None:
        return
    channel_settings.take_over(destination, heard.changes, seal)
    if heard.act is not None:
        act = dict(heard.act)
        session.add(Callback(destination_id=destination_id, key=heard.key, act=act, received_at=now, tries=0))
    session.flush()


def work(session: Session, callback_id: int, seal: Seal, url: str, *, now: datetime) -> Afterwards | None:
    """Do what one call asked for; what is left to be said to the other side once that is committed.

    `url` is the instance's public address. What somebody may not do is done with, too: it is written down.
    """
    row = session.scalar(select(Callback).where(Callback.id == callback_id).with_for_update(skip_locked=True))
    if row is None or row.done_at is not None:
        return None
    row.done_at = now
    try:
        return acting.do(session, Asked(row.destination, row.act, seal, url, now))
    except (Refused, NotFound) as error:
        row.trouble = str(error)[:255] or "Nothing here that they may see."
        log.info("a call asked for what cannot be done", extra={"callback": row.id, "error": row.trouble})
        return None


def give_up(session: Session, callback_id: int, error: Exception, *, now: datetime) -> None:
    """After a failure that is none of its own: it is tried some more times."""
    row = session.get(Callback, callback_id)
    if row is None or row.done_at is not None:
        return
    row.tries += 1
    row.trouble = f"Tocsin could not do it: {type(error).__name__}"
    if row.tries >= MOST_TRIES:
        row.done_at = now
    session.flush()


def waiting(session: Session, *, before: datetime, limit: int) -> Sequence[int]:
    """What is still to be done, and came in before that."""
    found = select(Callback.id).where(Callback.done_at.is_(None), Callback.received_at <= before)
    return session.scalars(found.order_by(Callback.id).limit(limit)).all()


def prune(session: Session, *, before: datetime) -> int:
    """Forget a chunk of what was done long ago; how many."""
    return pruning.forget(session, Callback, Callback.done_at.is_not(None) & (Callback.received_at < before))
