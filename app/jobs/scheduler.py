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
from app.jobs import (
    assemble,
    callbacks,
    calm,
    clear,
    deliver,
    digests,
    doorbell,
    inbound,
    monitors,
    notify,
    post,
    pushes,
    states,
)
from app.models import Notice
from app.services import pruning
from app.services.calm import holding
from app.services.integrations import calling_back, posting
from app.services.issues import feedback, keeping_searches
from app.services.mails import delivering
from app.services.notices import outbox
from app.services.releases import pushing, watching

log = logging.getLogger(__name__)
TICK_SECONDS = 5
LEASE_SECONDS = 20
MOST = 2000
# A notice this young is on its way already: its doorbell has just rung.
GRACE = timedelta(seconds=3)
# Mail that people sent is kept so long, as it came.
INBOUND_KEPT = timedelta(days=7)
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


def _claim_feedback(at: datetime) -> None:
    """What was written while its event was being digested, so that neither met the other."""
    with transaction() as session:
        feedback.claim_late(session, since=at - timedelta(hours=2))


def _prune_notices(at: datetime) -> None:
    before = at - timedelta(days=current_app.config["SETTINGS"].notice_retention_days)
    _in_chunks(lambda: _chunk(pruning.prune_notices, before))


def _read_inbound(_at: datetime) -> None:
    """What no worker was woken for, or one died over."""
    doorbell.hand_in(inbound.waiting())


def _prune_inbound(at: datetime) -> None:
    _in_chunks(lambda: _chunk(pruning.prune_inbound, at - INBOUND_KEPT))


def _prune_callbacks(at: datetime) -> None:
    _in_chunks(lambda: _chunk(calling_back.prune, at - calling_back.KEPT))


def _prune_pushes(at: datetime) -> None:
    _in_chunks(lambda: _chunk(pushing.prune, at - pushing.KEPT))


def _prune_watches(at: datetime) -> None:
    _in_chunks(lambda: _chunk(watching.prune, at - watching.KEPT))


def _prune_sessions(at: datetime) -> None:
    with transaction() as session:
        pruning.prune_sessions(session, now=at)
        keeping_searches.forget_old(session, now=at)


def _chunk(prune: Callable[..., int], before: datetime) -> int:
    with transaction() as session:
        return prune(session, before=before)


def _in_chunks(chunk: Callable[[], int]) -> None:
    """A bounded number of short transactions; what is left over waits for the next round."""
    for _ in range(100):
        if chunk() < pruning.CHUNK:
            return


RECURRING = (
    Recurring("end ignores that are over", timedelta(seconds=TICK_SECONDS), states.wake),
    Recurring("find check-ins that were missed", timedelta(seconds=10), monitors.sweep),
    Recurring("go on with storms", timedelta(seconds=30), calm.weather),
    Recurring("sum up maintenance that is over", timedelta(seconds=15), calm.after_maintenance),
    Recurring("forget maintenance that is over", timedelta(hours=1), calm.forget_maintenance),
    Recurring("resolve what was silent for long", timedelta(hours=1), states.resolve_old),
    Recurring("take away what was deleted", timedelta(minutes=1), clear.sweep),
    Recurring("read mail that was left", timedelta(minutes=1), _read_inbound),
    Recurring("do what services asked for", timedelta(seconds=15), callbacks.sweep),
    Recurring("forget calls of services", timedelta(hours=1), _prune_callbacks),
    Recurring("make commits of pushes", timedelta(seconds=15), pushes.sweep),
    Recurring("forget pushes", timedelta(hours=1), _prune_pushes),
    Recurring("encrypt secrets of hooks with the first key", timedelta(hours=1), pushes.reseal),
    Recurring("forget mail that people sent", timedelta(hours=1), _prune_inbound),
    Recurring("make bundles that were left", timedelta(minutes=1), assemble.sweep),
    Recurring("forget what was uploaded for releases", timedelta(hours=1), assemble.forget),
    Recurring("give late feedback its issue", timedelta(hours=1), _claim_feedback),
    Recurring("forget old events", timedelta(minutes=15), _prune_events),
    Recurring("forget old notices", timedelta(hours=1), _prune_notices),
    Recurring("encrypt secrets with the first key", timedelta(hours=1), post.reseal),
    Recurring("forget watches that are over", timedelta(hours=12), _prune_watches),
    Recurring("forget ended sessions and old searches", timedelta(hours=12), _prune_sessions),
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
    redis = doorbell.redis()
    if queue.queue(redis).count < FULL_QUEUE:
        doorbell.ring(list({batch or key: key for key, batch in unplanned(now() - GRACE)}.values()))
        doorbell.release(_held())
        doorbell.send(_due(), batch=deliver.BATCH)
    if queue.queue(redis, queue.SLOW).count < FULL_QUEUE:
        doorbell.post(_due_outward())


def _run_recurring(last_run: dict[str, datetime]) -> None:
    for work in RECURRING:
        at = now()
        if at - last_run.get(work.name, datetime.min.replace(tzinfo=at.tzinfo)) >= work.every:
            last_run[work.name] = at
            work.run(at)


def sweep_once() -> dict[str, int]:
    """Do here and now, without any worker, what is due, up to `MOST`; how many notices and messages.

    A notice that cannot be planned is logged and stays in the outbox; messages go out all the same.
    """
    inbound.run(*inbound.waiting())
    callbacks.run(*callbacks.waiting(now()))
    pushes.run(*pushes.waiting(now()))
    states.wake(now())
    monitors.sweep(now())
    calm.weather(now())
    calm.after_maintenance(now())
    notice_ids = [notice_id for notice_id, _ in unplanned(now())]
    for start in range(0, len(notice_ids), doorbell.MOST_IDS):
        with suppress(notify.NotPlanned):
            notify.run(*notice_ids[start : start + doorbell.MOST_IDS])
    with suppress(digests.NotSent):
        digests.run(*_held())
    delivery_ids = _due()
    deliver.run(*delivery_ids)
    post.run(*_due_outward())
    clear.sweep(now())
    return {"planned": len(notice_ids), "sent": len(delivery_ids)}


def unplanned(before: datetime) -> list[tuple[int, str | None]]:
    """The outbox: notices that nobody has planned yet and that need not wait, each with its batch."""
    with reading() as session:
        waiting = outbox.is_waiting(now()) & (Notice.occurred_at <= before)
        found = select(Notice.id, Notice.batch).where(waiting).order_by(Notice.id).limit(MOST)
        return [(notice_id, batch) for notice_id, batch in session.execute(found)]


def _held() -> list[int]:
    with reading() as session:
        return list(holding.due(session, now=now(), limit=MOST))


def _due_outward() -> list[int]:
    with reading() as session:
        return list(posting.due(session, now=now(), limit=MOST))


def _due() -> list[int]:
    with reading() as session:
        return list(delivering.due(session, now=now(), limit=MOST))
