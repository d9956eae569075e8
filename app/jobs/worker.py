"""The RQ worker: performs jobs in its own process, each inside the application's context."""

import logging
from collections.abc import Sequence
from types import FrameType
from typing import Any

from flask import Flask
from redis import Redis
from rq import SimpleWorker
from rq.job import Job
from rq.queue import Queue
from rq.serializers import JSONSerializer

from app import queue

log = logging.getLogger(__name__)


class JobWorker(SimpleWorker):
    """Does not fork for each job: that costs five times as much, and the sweep finds what died."""

    log_result_lifespan = False
    # After a Redis that was away for a while, jobs that wait must not wait for us too.
    exponential_backoff_factor = 1.0
    max_connection_wait_time = 1.0

    def __init__(
        self, app: Flask, connection: Redis, names: Sequence[str] = (queue.QUEUE, queue.SLOW)
    ) -> None:
        super().__init__(
            [queue.queue(connection, name) for name in names],
            connection=connection,
            serializer=JSONSerializer,
            # An idle worker looks after dead ones only when its wait ends, after `worker_ttl - 15` seconds.
            maintenance_interval=60,
            worker_ttl=75,
            job_monitoring_interval=10,
        )
        self.app = app
        self.asked_to_stop = False

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        self.asked_to_stop = True
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]

    def perform_job(self, job: Job, queue: Queue) -> bool:
        with self.app.app_context():
            done = bool(super().perform_job(job, queue))
        facts: dict[str, Any] = {"job": job.func_name, "ids": list(job.args)}
        log.info("job done", extra=facts) if done else log.error("job failed", extra=facts)
        return done


def main(app: Flask) -> None:
    """Work until SIGTERM. Any other end is an error, for the supervisor to start a fresh one."""
    _work(JobWorker(app, queue.connect(app.config["SETTINGS"])))


def prompt(app: Flask) -> None:
    """The same, but for what waits for other people's servers: however slow they are, mail goes out."""
    _work(JobWorker(app, queue.connect(app.config["SETTINGS"]), [queue.QUEUE]))


def _work(worker: JobWorker) -> None:
    worker.work(logging_level="WARNING")
    if not worker.asked_to_stop:
        raise SystemExit(1)
