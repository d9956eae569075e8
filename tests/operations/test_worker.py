"""The RQ worker: jobs run inside the application, wake it at once, and survive their Redis."""

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask, current_app, g
from redis import Redis
from rq.job import JobStatus

from app import queue
from app.jobs.worker import JobWorker
from app.settings import ROOT, Settings
from tests.operations.conftest import running_redis, wait_until

RUN = """
from flask import Flask
from app.jobs import worker
from app.settings import load

app = Flask("worker")
app.config["SETTINGS"] = load()
worker.main(app)
"""


def note(number: int) -> None:
    """A job: it can note only inside an application, and only if no other job's context is still there."""
    assert "number" not in g
    g.number = number
    queue.connect(current_app.config["SETTINGS"]).rpush("noted", number)


def fail(number: int) -> None:
    queue.connect(current_app.config["SETTINGS"]).rpush("tried", number)
    raise LookupError


@pytest.fixture
def app(settings: Settings) -> Flask:
    app = Flask("worker")
    app.config["SETTINGS"] = settings
    return app


@contextmanager
def working(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "TOCSIN_DATA_DIR": str(settings.tocsin_data_dir),
    }
    worker = subprocess.Popen([sys.executable, "-c", RUN], env=environ)
    try:
        yield worker
    finally:
        worker.kill()
        worker.wait()


def idle(connection: Redis) -> bool:
    return any(connection.hget(key, "state") == b"idle" for key in connection.keys("rq:worker:*"))


def noted(connection: Redis) -> list[bytes]:
    return connection.lrange("noted", 0, -1)


def test_each_job_has_a_context_of_its_own(app, connection):
    for number in (1, 2):
        queue.enqueue(queue.queue(connection), "tests.operations.test_worker.note", number)
    JobWorker(app, connection).work(burst=True, logging_level="WARNING")
    assert noted(connection) == [b"1", b"2"]


def test_a_failing_job_is_tried_three_times_and_kept(app, connection, caplog):
    caplog.set_level(logging.CRITICAL, "rq.worker")
    job = queue.enqueue(queue.queue(connection), "tests.operations.test_worker.fail", 1)
    JobWorker(app, connection).work(burst=True, logging_level=None)
    assert connection.llen("tried") == 3
    assert job.get_status() == JobStatus.FAILED


def test_a_job_wakes_an_idle_worker_at_once(settings, connection):
    with working(settings):
        wait_until(lambda: idle(connection))
        queue.enqueue(queue.queue(connection), "tests.operations.test_worker.note", 1)
        wait_until(lambda: noted(connection), seconds=0.5)


def test_sigterm_ends_a_worker_without_an_error(settings, connection):
    with working(settings) as worker:
        wait_until(lambda: idle(connection))
        worker.terminate()
        assert worker.wait(timeout=5) == 0


def test_work_goes_on_after_redis_was_killed(settings):
    with running_redis(settings) as first, working(settings):
        with queue.connect(settings) as connection:
            connection.flushall()
            wait_until(lambda: idle(connection))
        first.kill()
        first.wait()
        with running_redis(settings), queue.connect(settings) as connection:
            queue.enqueue(queue.queue(connection), "tests.operations.test_worker.note", 1)
            wait_until(lambda: noted(connection))
