"""The worker and the digester, in the process of the test, over the real Redis."""

import json
from datetime import UTC, datetime, timedelta

import time_machine
from flask import Flask
from redis import Redis

from app import queue
from app.jobs.digest import Digester
from app.jobs.worker import JobWorker
from tests.support.arranging import ArrangingSession


class Worker(JobWorker):
    """Does not listen for commands: to stop listening takes RQ a second."""

    def subscribe(self) -> None:
        pass

    def unsubscribe(self) -> None:
        pass


class Jobs:
    def __init__(self, app: Flask, redis: Redis, session: ArrangingSession) -> None:
        self.app = app
        self.redis = redis
        self.session = session
        self.queue = queue.queue(redis)

    def __call__(self) -> None:
        """Until nothing is left. A job that fails fails the test."""
        self.digest()
        Worker(self.app, self.redis).work(burst=True, logging_level="WARNING")
        assert not self.failures()

    def digest(self) -> None:
        """Only what SDKs sent; nobody is told yet."""
        self.session.commit()
        with self.app.app_context():
            digester = Digester(self.redis)
            while digester.turn():
                pass

    def sweep(self, after: timedelta = timedelta()) -> dict[str, int]:
        """`flask sweep`, typed so much later: what it says it did."""
        self.session.commit()
        with time_machine.travel(datetime.now(UTC) + after):
            result = self.app.test_cli_runner().invoke(args=["sweep", "--json"])
        assert result.exit_code == 0, result.output
        done: dict[str, int] = json.loads(result.output)
        return done

    def failures(self) -> list[str]:
        failed = [
            each.fetch_job(job_id)
            for each in (self.queue, queue.queue(self.redis, queue.SLOW))
            for job_id in each.failed_job_registry.get_job_ids()
        ]
        return [str(job.latest_result()) for job in failed if job]
