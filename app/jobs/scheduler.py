"""All recurring work: what is due every few seconds, and one table of intervals for the rest."""

import logging
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Flask, current_app
from redis import RedisError
from sqlalchemy import select

from app import queue
from app.clock import now
from app.db import AWAY, reading, transaction
from app.jobs import deliver, doorbell, notify
from app.models import Notice
from app.services import delivering, pruning

log = logging.getLogger(__name__)
TICK_SECONDS = 5
LEASE_SECONDS = 20
MOST = 2000
# A notice this young is on its way already: its doorbell has just rung.
GRACE = timedelta(seconds=3)
# With this many jobs waiting, workers are behind; queueing the same work again would not help them.
FULL_QUEUE = 100


@dataclass(frozen=True, slots=True)
class Recurring:
    """Something done every so often, by whoever holds the lease."""

    name: str
    every: timedelta
    run: Callable[[datetime], None]


def _prune_events(at: datetime) -> None:
    before = at - timedelta(days=current_app.config["SETTINGS"].event_retention_days)
    _in_chunks(lambda: _chunk(pruning.prune_events, before))


def _prune_notices(at: datetime) -> None:
    before = at - timedelta(days=current_app.config["SETTINGS"].notice_retention_days)
    _in_chunks(lambda: _chunk(pruning.prune_notices, before))


def _prune_sessions(at: datetime) -> None:
    with transaction() as session:
        pruning.prune_sessions(session, now=at)


def _chunk(prune: Callable[..., int], before: datetime) -> int:
    with transaction() as session:
        return prune(session, before=before)


def _in_chunks(chunk: Callable[[], int]) -> None:
    """A bounded number of short transactions; what is left over waits for the next round."""
    for _ in range(100):
        if chunk() < pruning.CHUNK:
            return


RECURRING = (
    Recurring("forget old events", timedelta(minutes=15), _prune_events),
    Recurring("forget old notices", timedelta(hours=1), _prune_notices),
    Recurring("forget ended sessions", timedelta(hours=12), _prune_sessions),
)


def main(app: Flask) -> None:
    """Work while holding the lease, wait while somebody else does, stop on SIGTERM or SIGINT."""
    stopping = threading.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: stopping.set())
    with app.app_context():
        lease = queue.Lease(doorbell.redis(), "scheduler", LEASE_SECONDS)
        last_run: dict[str, datetime] = {}
        while not stopping.is_set():
            _tick(lease, last_run)
            stopping.wait(TICK_SECONDS)
        lease.release()


def _tick(lease: queue.Lease, last_run: dict[str, datetime]) -> None:
    try:
        if lease.renew() or lease.acquire():
            _wake_workers()
            _run_recurring(last_run)
    except (RedisError, *AWAY):
        log.exception("the sweep did not get through; it will try again")


def _wake_workers() -> None:
    waiting = queue.queue(doorbell.redis()).count
    if waiting < FULL_QUEUE:
        doorbell.ring(unplanned(now() - GRACE))
        doorbell.send(_due(), batch=deliver.BATCH)


def _run_recurring(last_run: dict[str, datetime]) -> None:
    for work in RECURRING:
        at = now()
        if at - last_run.get(work.name, datetime.min.replace(tzinfo=at.tzinfo)) >= work.every:
            last_run[work.name] = at
            work.run(at)


def sweep_once() -> dict[str, int]:
    """Do here and now, without any worker, what is due of both, up to `MOST`; how much was tried.

    A notice that cannot be planned is logged and stays in the outbox; messages go out all the same.
    """
    notice_ids = unplanned(now())
    for start in range(0, len(notice_ids), doorbell.MOST_IDS):
        with suppress(notify.NotPlanned):
            notify.run(*notice_ids[start : start + doorbell.MOST_IDS])
    delivery_ids = _due()
    deliver.run(*delivery_ids)
    return {"planned": len(notice_ids), "sent": len(delivery_ids)}


def unplanned(before: datetime) -> list[int]:
    """The outbox: notices that nobody has planned yet."""
    with reading() as session:
        found = select(Notice.id).where(Notice.planned_at.is_(None), Notice.occurred_at <= before)
        return list(session.scalars(found.order_by(Notice.id).limit(MOST)))


def _due() -> list[int]:
    with reading() as session:
        return list(delivering.due(session, now=now(), limit=MOST))
