"""The job that decides who is told of notices."""

from flask import current_app

from app.clock import now
from app.db import transaction
from app.jobs import deliver, doorbell
from app.services import notifying, preferring


def run(*notice_ids: int) -> None:
    """Plan these notices and have their messages sent. Safe to run twice, and at the same time."""
    with transaction() as session:
        instance = preferring.defaults(
            session, workflow=current_app.config["SETTINGS"].default_workflow_notifications
        )
        delivery_ids = notifying.plan(session, notice_ids, now=now(), instance=instance)
    doorbell.send(delivery_ids, batch=deliver.BATCH)
