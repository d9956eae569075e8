"""Wakes a worker once a commit has left something to tell. It only wakes: what is to be done stands in rows.

The one listener in the code. Redis may be away: the sweep finds what nobody was woken for.
"""

import logging
from collections.abc import Collection, Iterable
from typing import Any

from flask import Flask, current_app
from redis import Redis, RedisError
from sqlalchemy import event
from sqlalchemy.orm import Session

from app import queue
from app.clock import now
from app.domain.delivery_states import QUEUED
from app.domain.lifecycle import HIDDEN
from app.models import ArtifactBundle, Callback, Delivery, Digest, InboundMessage, Issue, Notice, Push
from app.models.artifacts import WAITING

log = logging.getLogger(__name__)
NOTIFY, DELIVER = "app.jobs.notify.run", "app.jobs.deliver.run"
DIGESTS = "app.jobs.digests.run"
POST = "app.jobs.post.run"
CALLBACKS = "app.jobs.callbacks.run"
PUSHES = "app.jobs.pushes.run"
INBOUND, CLEAR = "app.jobs.inbound.run", "app.jobs.clear.run"
ASSEMBLE = "app.jobs.assemble.run"
# These wait for other people's servers, or take long by themselves.
SLOW = (POST, CALLBACKS, ASSEMBLE)
MOST_IDS = 200


def init_app(app: Flask) -> None:
    """Keep one connection pool an application."""
    app.extensions["tocsin_redis"] = queue.connect(app.config["SETTINGS"])


def redis() -> Redis:
    """This application's connection to Redis."""
    connection: Redis = current_app.extensions["tocsin_redis"]
    return connection


def ring(notice_ids: Collection[int]) -> None:
    """Have these notices planned soon."""
    _enqueue(NOTIFY, notice_ids)


def send(delivery_ids: Collection[int], *, batch: int) -> None:
    """Have these deliveries sent soon, in batches that several workers can share."""
    ids = list(delivery_ids)
    for start in range(0, len(ids), batch):
        _enqueue(DELIVER, ids[start : start + batch])


def post(destination_ids: Collection[int]) -> None:
    """Have what waits for these integrations sent soon, by a job for each."""
    for destination_id in destination_ids:
        _enqueue(POST, [destination_id])


def do(callback_ids: Collection[int]) -> None:
    """Have what the other side of integrations asked for done soon."""
    _enqueue(CALLBACKS, callback_ids)


def take_pushes(push_ids: Collection[int]) -> None:
    """Have commits made of pushes soon."""
    _enqueue(PUSHES, push_ids)


def is_anything_waiting() -> bool:
    """Whether there is other work for the workers; no, if that cannot be said."""
    try:
        return any(queue.queue(redis(), name).count for name in (queue.QUEUE, queue.SLOW))
    except RedisError:
        return False


def release(digest_ids: Collection[int]) -> None:
    """Have these digests sent soon, if they are due."""
    _enqueue(DIGESTS, digest_ids)


def hand_in(message_ids: Collection[int]) -> None:
    """Have messages that people sent worked on soon."""
    _enqueue(INBOUND, message_ids)


def assemble(bundle_ids: Collection[int]) -> None:
    """Have bundles made of their chunks soon, by a job for each."""
    for bundle_id in bundle_ids:
        _enqueue(ASSEMBLE, [bundle_id])


def _enqueue(job: str, ids: Collection[int]) -> None:
    waiting, to = list(ids), queue.queue(redis(), queue.SLOW if job in SLOW else queue.QUEUE)
    try:
        for start in range(0, len(waiting), MOST_IDS):
            queue.enqueue(to, job, *waiting[start : start + MOST_IDS])
    except RedisError as error:
        log.warning("no worker was woken; the sweep will find it", extra={"job": job, "error": str(error)})


@event.listens_for(Session, "after_flush")
def _notice_new_rows(session: Session, _context: Any) -> None:
    for row in session.new:
        if isinstance(row, Notice | Delivery | InboundMessage | Callback | Push | ArtifactBundle):
            session.info.setdefault(type(row), []).append(row)
    for row in session.dirty:
        if isinstance(row, Digest | Issue) or (isinstance(row, Delivery) and row.state == QUEUED):
            session.info.setdefault(type(row), []).append(row)


@event.listens_for(Session, "after_commit")
def _ring_for_new_rows(session: Session) -> None:
    if session.in_nested_transaction():  # a savepoint promises nothing yet
        return
    if not current_app:  # a test or script that works without the application rings for itself
        session.info.clear()
        return
    notices, deliveries = session.info.pop(Notice, []), session.info.pop(Delivery, [])
    messages = session.info.pop(InboundMessage, [])
    digests, issues = session.info.pop(Digest, []), session.info.pop(Issue, [])
    if notices:
        ring(_at_once(notices))
    if deliveries:
        _enqueue(DELIVER, [delivery.id for delivery in deliveries])
    if due := {digest.id for digest in digests if digest.closed_at is None and digest.send_at <= now()}:
        release(due)
    if callbacks := session.info.pop(Callback, []):
        do([callback.id for callback in callbacks if callback.done_at is None])
    if pushes := session.info.pop(Push, []):
        take_pushes([push.id for push in pushes if push.done_at is None])
    if bundles := session.info.pop(ArtifactBundle, []):
        assemble([bundle.id for bundle in bundles if bundle.state == WAITING])
    if messages:
        hand_in([message.id for message in messages])
    if leaving := {issue.id for issue in issues if issue.status in HIDDEN}:
        _enqueue(CLEAR, leaving)


def _at_once(notices: Iterable[Notice]) -> list[int]:
    """Those that do not wait; of a batch one is enough, for it is planned as a whole."""
    first = {notice.batch or notice.id: notice.id for notice in notices if notice.plan_after is None}
    return list(first.values())


@event.listens_for(Session, "after_rollback")
def _forget(session: Session) -> None:
    session.info.pop(Notice, None)
    session.info.pop(Delivery, None)
    session.info.pop(Digest, None)
    session.info.pop(InboundMessage, None)
    session.info.pop(Callback, None)
    session.info.pop(ArtifactBundle, None)
    session.info.pop(Push, None)
    session.info.pop(Issue, None)
