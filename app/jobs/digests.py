"""The job that sends what was held, once its time has come."""

import logging

from app import instance
from app.clock import now
from app.db import transaction
from app.jobs import deliver, doorbell
from app.services.calm import holding

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
    with transaction() as session:
        delivery_id = holding.send_due(session, digest_id, now=now(), instance=instance.defaults(session))
    return [delivery_id] if delivery_id else []
