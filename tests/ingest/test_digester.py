"""The digester between Redis and the database: whatever dies and whenever, every event counts once."""

import gc
import logging
import os
import signal
import threading
import time
from collections.abc import Callable

import pytest
from redis import RedisError
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app import queue
from app.clock import now
from app.db import db
from app.jobs import digest
from app.jobs.digest import Digester
from app.jobs.stream_reader import StreamReader
from app.models import Event, IngestCount, IngestCursor, Issue, Notice, Project, UndigestedEntry
from app.services.events import cursors, digesting
from app.services.events.stream_entry import GENERATION, STREAM, Entry, order
from tests.make import envelope, payload

ITEMS = select(IngestCount.category, IngestCount.outcome, IngestCount.count)
pytestmark = pytest.mark.both_databases


AWAY = OperationalError("SELECT", {}, Exception("no database"))


def raising(error: Exception):
    def act(*_args, **_kwargs):
        raise error

    return act


def seen(instance) -> int:
    return instance.scalars(select(func.coalesce(func.sum(Issue.times_seen), 0)))[0]


def test_what_is_digested_leaves_the_stream(instance):
    ids = {instance.report(f"KeyError: {n}") for n in range(7)}
    instance.digest()
    assert set(instance.scalars(select(Event.event_id))) == ids
    assert instance.waiting() == 0


def test_a_duplicate_is_answered_and_counted_but_not_kept(instance):
    event = payload()
    instance.send(event, event)
    instance.digest()
    instance.send(event)
    instance.digest()
    assert len(instance.scalars(select(Event.id))) == seen(instance) == 1
    assert set(instance.rows(ITEMS)) == {("error", "accepted", 1), ("error", "duplicate", 2)}


def die(*_args) -> None:
    """As by the kernel, for want of memory: there is no time for any last words."""
    os.kill(os.getpid(), signal.SIGKILL)


def dies_before_it_trims() -> None:
    StreamReader.trim = die


def dies_of_what_is_deadly() -> None:
    read = digesting.read

    def read_or_die(entry, project, unminify):
        return die() if b"deadly" in entry.body else read(entry, project, unminify)

    digesting.read = read_or_die


def digested_by(instance, doomed: Callable[[], None]) -> int:
    """How a digester in a process of its own ended."""
    child = os.fork()
    if child == 0:
        try:
            gc.disable()
            with instance.app.app_context():
                db.engine.dispose(close=False)  # those connections are the parent's
                doomed()
                digester = Digester(queue.connect(instance.app.config["SETTINGS"]))
                while digester.turn():
                    pass
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_counts_are_exact_after_a_kill_between_commit_and_trim(instance):
    ids = {instance.report(user={"id": n}) for n in range(20)}
    instance.post(b'{}\n{"type":"session"}\n{}')
    assert digested_by(instance, dies_before_it_trims) == -signal.SIGKILL
    assert instance.waiting() == 21
    instance.report()
    instance.digest()
    assert ids < set(instance.scalars(select(Event.event_id)))
    assert seen(instance) == 21
    assert set(instance.rows(ITEMS)) == {("error", "accepted", 21), ("session", "dropped", 1)}
    assert len(instance.scalars(select(Notice.id))) == 1
    assert instance.waiting() == 0


@pytest.mark.parametrize("place", [0, 2])
def test_an_entry_that_kills_who_reads_it_is_set_aside_in_the_end(instance, place):
    titles = ["KeyError: cart"] * 4
    titles[place] = "deadly"
    ids = [instance.report(title) for title in titles]
    ends = [digested_by(instance, dies_of_what_is_deadly)]
    while ends[-1]:
        assert len(ends) < 6, "for ever"
        ends.append(digested_by(instance, dies_of_what_is_deadly))
    assert set(ends[:-1]) == {-signal.SIGKILL}
    assert set(instance.scalars(select(Event.event_id))) == {*ids} - {ids[place]}
    [error] = instance.scalars(select(UndigestedEntry.error))
    assert error.startswith("Deadly: ")
    assert instance.waiting() == 0


def test_a_database_that_is_away_again_and_again_sets_nothing_aside(instance, monkeypatch):
    instance.report()
    with monkeypatch.context() as patch:
        patch.setattr(cursors, "lock", raising(AWAY))
        for _ in range(9):
            with pytest.raises(OperationalError):
                instance.digest()
    instance.digest()
    assert (seen(instance), instance.scalars(select(UndigestedEntry.id))) == (1, [])


def test_a_redis_without_memory_left_is_digested_empty(instance):
    instance.digest()
    instance.report()
    instance.redis.config_set("maxmemory", 1)
    try:
        digester = Digester(instance.redis)
        assert digester._lead()
        assert digester.turn()
    finally:
        instance.redis.config_set("maxmemory", 0)
    assert (seen(instance), instance.waiting()) == (1, 0)


def test_a_redis_that_lost_everything_starts_a_new_count_from_its_first_entry(instance):
    instance.report()
    instance.digest()
    instance.redis.flushall()
    # As after the clock of another machine: ids that are lower than those digested before.
    entry = Entry(instance.project.id, "envelope", now(), envelope(payload()), event_id="a" * 32)
    instance.redis.execute_command("XADD", STREAM, "5-1", *entry.fields())
    instance.digest()
    assert seen(instance) == 2
    [cursor] = instance.scalars(select(IngestCursor))
    assert (cursor.last_id, cursor.generation.encode()) == ("5-1", instance.redis.get(GENERATION))


def test_an_entry_that_cannot_be_read_is_set_aside_and_the_rest_digested(instance, caplog):
    caplog.set_level(logging.CRITICAL)
    first = instance.report()
    broken = Entry(instance.project.id, "envelope", now(), b"not an envelope", event_id="a" * 32)
    instance.redis.execute_command("XADD", STREAM, "*", *broken.fields())
    second = instance.report()
    instance.digest()
    assert set(instance.scalars(select(Event.event_id))) == {first, second}
    [kept] = instance.rows(select(UndigestedEntry.body, UndigestedEntry.error, UndigestedEntry.project_id))
    assert kept.body == b"not an envelope"
    assert kept.error.startswith("Malformed: ")
    assert kept.project_id == instance.project.id


def test_an_entry_that_cannot_be_written_stands_alone_in_the_end(instance, monkeypatch, caplog):
    caplog.set_level(logging.CRITICAL)
    ids = [instance.report(f"KeyError: {n}") for n in range(9)]
    keep = digesting.keep

    def keep_all_but_one(session, batch, **more):
        if any(each.event and each.event.event_id == ids[5] for each in batch.reads):
            raise ValueError("a poisoned one")
        return keep(session, batch, **more)

    monkeypatch.setattr(digesting, "keep", keep_all_but_one)
    instance.digest()
    assert set(instance.scalars(select(Event.event_id))) == set(ids) - {ids[5]}
    assert instance.scalars(select(UndigestedEntry.error)) == ["ValueError: a poisoned one"]
    assert instance.waiting() == 0


def test_the_log_says_nothing_of_what_an_entry_holds(instance, monkeypatch, caplog):
    caplog.set_level(logging.INFO)
    instance.report("KeyError: confidential")
    monkeypatch.setattr(digesting, "read", raising(ValueError("confidential")))
    instance.digest()
    assert instance.scalars(select(UndigestedEntry.error)) == ["ValueError: confidential"]
    assert "is set aside: ValueError" in caplog.text
    assert "confidential" not in caplog.text


def test_entries_that_are_not_of_this_protocol_do_not_stop_the_stream(instance, caplog):
    caplog.set_level(logging.CRITICAL)
    instance.redis.xadd(STREAM, {"what": "ever"})
    kept = instance.report()
    instance.digest()
    assert instance.scalars(select(Event.event_id)) == [kept]
    assert len(instance.scalars(select(UndigestedEntry.id))) == 1


def test_events_of_a_deleted_project_are_left_out(instance):
    instance.report()
    instance.change(lambda session: session.delete(session.get(Project, instance.project.id)))
    instance.digest()
    assert instance.scalars(select(Event.id)) == []
    assert instance.waiting() == 0


def test_while_the_database_is_away_the_stream_keeps_everything(instance, monkeypatch):
    instance.report()
    with monkeypatch.context() as patch:
        patch.setattr(cursors, "lock", raising(AWAY))
        with pytest.raises(OperationalError):
            instance.digest()
    assert instance.waiting() == 1
    instance.digest()
    assert seen(instance) == 1


def test_of_two_that_digest_the_same_entries_one_counts_them(instance):
    instance.report()
    instance.post(b'{}\n{"type":"session"}\n{}')
    slow = Digester(instance.redis)
    generation, entries = slow._reader.take(slow._at(), 100)
    instance.digest()
    slow._digest(generation, entries)
    assert seen(instance) == 1
    assert set(instance.rows(ITEMS)) == {("error", "accepted", 1), ("session", "dropped", 1)}


def test_a_batch_that_inflates_is_kept_in_parts(instance, monkeypatch):
    monkeypatch.setattr(digesting, "MAX_BYTES", 1)
    ids = {instance.report() for _ in range(5)}
    instance.digest()
    assert set(instance.scalars(select(Event.event_id))) == ids


def test_batches_shrink_while_writing_is_slow_and_grow_again(instance):
    digester = Digester(instance.redis)
    digester._adapt(1.0)
    assert digester._batch == digest.MAX_BATCH // 2
    for _ in range(20):
        digester._adapt(1.0)
    assert digester._batch == digest.MIN_BATCH
    for _ in range(40):
        digester._adapt(0.01)
    assert digester._batch == digest.MAX_BATCH


def test_a_spare_waits_until_the_lease_is_free(instance):
    stop = threading.Event()
    lease = queue.Lease(instance.redis, "digest", 60)
    assert lease.acquire()
    event_id = instance.report()

    def run():
        with instance.app.app_context():
            Digester(instance.redis).run(stop)

    spare = threading.Thread(target=run)
    spare.start()
    try:
        time.sleep(0.3)
        assert instance.waiting() == 1
        lease.release()
        wait_until(lambda: instance.scalars(select(Event.event_id)) == [event_id])
    finally:
        stop.set()
        spare.join()
    assert queue.Lease(instance.redis, "digest", 60).acquire(), "the lease is given back"


def wait_until(true, *, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def test_stream_ids_are_ordered_as_numbers():
    assert order("9-0") < order("10-0") < order("10-9") < order("10-10")


def test_the_doorbell_rings_for_what_a_batch_wrote(instance):
    instance.report()
    instance.digest()
    [job_id] = instance.redis.lrange("rq:queue:tocsin", 0, -1)
    data = queue.queue(instance.redis).fetch_job(job_id.decode())
    assert list(data.args) == instance.scalars(select(Notice.id))


def test_a_digested_batch_is_safe_although_nobody_can_be_woken(instance, monkeypatch):
    instance.report()
    monkeypatch.setattr(queue, "enqueue", raising(RedisError("away")))
    instance.digest()
    assert len(instance.scalars(select(Notice.id))) == 1


def test_everything_about_a_batch_is_one_transaction(instance, monkeypatch):
    """Were the cursor to move and the events not, they would be lost; the other way round, counted twice."""
    instance.report()
    monkeypatch.setattr(cursors, "advance", raising(AWAY))
    with pytest.raises(OperationalError):
        instance.digest()
    with Session(db.engine) as session:
        assert session.scalar(select(func.count(Event.id))) == 0
        assert cursors.position(session, STREAM).last_id == "0-0"
    assert instance.waiting() == 1
