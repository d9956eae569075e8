"""The job that decides who is told of notices."""

import logging

from flask import current_app

from app.clock import now
from app.db import reading, transaction
from app.jobs import deliver, doorbell
from app.services import notifying, preferring

log = logging.getLogger(__name__)


class NotPlanned(Exception):
    """Some notices could not be planned; they stay in the outbox, and the log says why."""


def run(*notice_ids: int) -> None:
    """Plan these notices and have their messages sent. Safe to run twice, and at the same time.

    A transaction for each event, so that none is long and one that fails keeps nobody else from being told.
    """
    delivery_ids: list[int] = []
    failed: list[int] = []
    with reading() as session:
        groups = notifying.by_event(session, notice_ids)
    for group in groups:
        try:
            delivery_ids += _plan(group)
        except Exception:
            log.exception("a notice could not be planned", extra={"notices": group})
            failed += group
    doorbell.send(delivery_ids, batch=deliver.BATCH)
    if failed:
        raise NotPlanned(failed)


def _plan(notice_ids: list[int]) -> list[int]:
    workflow = current_app.config["SETTINGS"].default_workflow_notifications
    with transaction() as session:
        instance = preferring.defaults(workflow=workflow)
        return notifying.plan(session, notice_ids, now=now(), instance=instance)
