"""The job that decides who is told of notices."""

import logging

from flask import current_app

from app.clock import now
from app.db import reading, transaction
from app.jobs import deliver, doorbell
from app.services import notifying, preferring
from app.services.notifying import Group

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
        groups = notifying.groups(session, notice_ids, now=now())
    for group in groups:
        try:
            delivery_ids += _plan_batch(group, group.batch) if group.batch else _plan(group)
        except Exception:
            log.exception("a notice could not be planned", extra={"notices": group.notice_ids})
            failed += group.notice_ids
    doorbell.send(delivery_ids, batch=deliver.BATCH)
    if failed:
        raise NotPlanned(failed)


def _plan(group: Group) -> list[int]:
    with transaction() as session:
        instance = preferring.defaults(session, workflow=_workflow())
        return notifying.plan(session, group.notice_ids, now=now(), instance=instance)


def _plan_batch(group: Group, batch: str) -> list[int]:
    """Several short transactions: a batch may be large, and on SQLite others wait meanwhile."""
    with reading() as session:
        instance = preferring.defaults(session, workflow=_workflow())
        survey = notifying.survey(session, group, now=now(), instance=instance)
    delivery_ids: list[int] = []
    for ids in group.parts(survey.size):
        with transaction() as session:
            delivery_ids += notifying.plan_part(
                session, batch, ids, survey.told, now=now(), instance=instance
            )
    return delivery_ids


def _workflow() -> str:
    workflow: str = current_app.config["SETTINGS"].default_workflow_notifications
    return workflow
