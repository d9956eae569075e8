"""Leases exclude each other, jobs carry ids, and processes give signs of life."""

import json
import time
import zlib

from app import queue
from app.queue import Lease


def test_two_never_hold_the_same_lease(connection):
    mine, theirs = Lease(connection, "scheduler", 10), Lease(connection, "scheduler", 10)
    assert mine.acquire()
    assert not theirs.acquire()
    assert not theirs.renew()
    assert not theirs.release()
    assert mine.renew()
    assert mine.release()
    assert theirs.acquire()


def test_a_lease_that_nobody_renews_is_free_again_and_lost_to_its_old_holder(connection):
    mine, theirs = Lease(connection, "digest", 0.05), Lease(connection, "digest", 10)
    assert mine.acquire()
    time.sleep(0.08)
    assert theirs.acquire()
    assert not mine.renew()
    assert not mine.release()
    assert theirs.renew()


def test_renewing_prolongs_a_lease(connection):
    mine = Lease(connection, "digest", 0.2)
    assert mine.acquire()
    for _ in range(4):
        time.sleep(0.1)
        assert mine.renew()


def test_leases_of_other_names_are_free(connection):
    assert Lease(connection, "one", 10).acquire()
    assert Lease(connection, "two", 10).acquire()


def test_a_job_carries_ids_and_is_tried_again(connection):
    job = queue.enqueue(queue.queue(connection), "app.jobs.notify.run", 7, 8)
    assert job.func_name == "app.jobs.notify.run"
    assert job.args == (7, 8)
    assert job.retries_left == 2
    assert job.timeout == 600
    assert 0 < job.failure_ttl < 31 * 24 * 3600
    assert json.loads(zlib.decompress(connection.hget(job.key, "data")))[2] == [7, 8]


def test_processes_say_that_they_live_and_are_forgotten_when_they_stop(connection):
    assert queue.alive(connection, "digest") == 0
    queue.beat(connection, "digest")
    queue.beat(connection, "jobs")
    assert queue.alive(connection, "digest") == 1
    [key] = connection.keys("tocsin:beat:digest:*")
    assert 0 < connection.ttl(key) <= 60
