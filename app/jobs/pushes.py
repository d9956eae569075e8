"""The job that makes commits of what providers of repositories sent."""

import logging
from datetime import datetime, timedelta

from flask import current_app

from app import outgoing
from app.clock import now
from app.db import AWAY, reading, transaction
from app.jobs import doorbell
from app.services.releases import pushing

log = logging.getLogger(__name__)
MOST = 100
# What is younger is on its way to a worker.
GRACE = timedelta(seconds=10)


def run(*push_ids: int) -> None:
    """Work on these pushes, a transaction each. Safe to run twice, and at the same time."""
    url = current_app.config["SETTINGS"].tocsin_url
    for push_id in push_ids:
        try:
            with transaction() as session:
                pushing.work(session, push_id, base_url=url, now=now())
        except AWAY:
            raise
        except Exception as error:
            log.exception("a push could not be worked on", extra={"push": push_id})
            with transaction() as session:
                pushing.give_up(session, push_id, error, now=now())


def waiting(before: datetime) -> list[int]:
    with reading() as session:
        return list(pushing.waiting(session, before=before, limit=MOST))


def sweep(at: datetime) -> None:
    """Wake a worker for what was left."""
    doorbell.take_pushes(waiting(at - GRACE))


def reseal(_at: datetime) -> None:
    """Encrypt the secrets of hooks with the first key."""
    with transaction() as session:
        pushing.reseal(session, outgoing.seal())
