"""The job that does what the other side of integrations asked for."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from flask import current_app

from app import outgoing
from app.clock import now
from app.db import AWAY, reading, transaction
from app.jobs import doorbell
from app.services.integrations import calling_back

log = logging.getLogger(__name__)
MOST = 100
# What is younger is on its way to a worker.
GRACE = timedelta(seconds=10)


def run(*callback_ids: int) -> None:
    """Do what these calls asked for, a transaction each. Safe to run twice, and at the same time."""
    for callback_id in callback_ids:
        try:
            _work(callback_id)
        except AWAY:
            raise
        except Exception as error:
            log.exception("a call could not be worked on", extra={"callback": callback_id})
            with transaction() as session:
                calling_back.give_up(session, callback_id, error, now=now())


def _work(callback_id: int) -> None:
    url = current_app.config["SETTINGS"].tocsin_url
    with transaction() as session:
        afterwards = calling_back.work(session, callback_id, outgoing.seal(), url, now=now())
    if afterwards is None:
        return
    http = outgoing.client()
    try:
        afterwards(http)
    except Exception:
        log.exception("the other side was not answered", extra={"callback": callback_id})
    finally:
        http.close()


def sweep(at: datetime) -> None:
    """Wake a worker for what was left."""
    doorbell.do(waiting(at - GRACE))


def waiting(before: datetime) -> Sequence[int]:
    """What came in before that and nobody has worked on."""
    with reading() as session:
        return calling_back.waiting(session, before=before, limit=MOST)
