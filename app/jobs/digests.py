"""The job that sends what was held, once its time has come."""

import logging

from flask import current_app

from app.clock import now
from app.db import transaction
from app.jobs import deliver, doorbell
from app.services import holding, preferring

log = logging.getLogger(__name__)


class NotSent(Exception):
    """Some digests could not be closed; they stay open, and the log says why."""


def run(*digest_ids: int) -> None:
    """Close those of these digests that are due, a transaction for each, and have their messages sent.

    Safe to run twice, and at the same time.
    """
    delivery_ids: list[int] = []
    failed: list[int] = []
    for digest_id in digest_ids:
        try:
            delivery_ids += _close(digest_id)
        except Exception:
            log.exception("what was held could not be sent", extra={"digest": digest_id})
            failed.append(digest_id)
    doorbell.send(delivery_ids, batch=deliver.BATCH)
    if failed:
        raise NotSent(failed)


def _close(digest_id: int) -> list[int]:
    workflow = current_app.config["SETTINGS"].default_workflow_notifications
    with transaction() as session:
        instance = preferring.defaults(session, workflow=workflow)
        delivery_id = holding.send_due(session, digest_id, now=now(), instance=instance)
    return [delivery_id] if delivery_id else []
