"""The job that decides who is told of notices."""

import logging
from collections.abc import Sequence

from app import instance
from app.clock import now
from app.db import reading, transaction
from app.jobs import deliver, doorbell
from app.services.notices import notifying, outbox
from app.services.notices.outbox import Group

log = logging.getLogger(__name__)


class NotPlanned(Exception):
    """Some notices could not be planned; they stay in the outbox, and the log says why."""


def run(*notice_ids: int) -> None:
    """Plan these notices and have their messages sent. Safe to run twice, and at the same time.

    A transaction for each event, or for a lot of them: none is long, and one that fails keeps nobody else
    from being told.
    """
    delivery_ids: list[int] = []
    failed: list[int] = []
    with reading() as session:
        lots = outbox.lots(session, outbox.groups(session, notice_ids, now=now()))
    for lot in lots:
        planned, left = _plan_each(lot) if len(lot) == 1 else _plan_lot(lot)
        delivery_ids += planned
        failed += left
    doorbell.send(delivery_ids, batch=deliver.BATCH)
    if failed:
        raise NotPlanned(failed)


def _plan_lot(lot: Sequence[Group]) -> tuple[list[int], list[int]]:
    """The deliveries to send, and what could not be planned."""
    try:
        return _plan(lot), []
    except Exception:
        log.warning("a lot of notices could not be planned; each is tried by itself", exc_info=True)
        return _plan_each(lot)


def _plan_each(groups: Sequence[Group]) -> tuple[list[int], list[int]]:
    delivery_ids: list[int] = []
    failed: list[int] = []
    for group in groups:
        try:
            delivery_ids += _plan_batch(group, group.batch) if group.batch else _plan([group])
        except Exception:
            log.exception("a notice could not be planned", extra={"notices": group.notice_ids})
            failed += group.notice_ids
    return delivery_ids, failed


def _plan(lot: Sequence[Group]) -> list[int]:
    with transaction() as session:
        usual = instance.defaults(session)
        events = [group.notice_ids for group in lot]
        return notifying.plan_lot(session, events, now=now(), instance=usual)


def _plan_batch(group: Group, batch: str) -> list[int]:
    """Several short transactions: a batch may be large, and on SQLite others wait meanwhile."""
    with reading() as session:
        usual = instance.defaults(session)
        survey = notifying.survey(session, group, now=now(), instance=usual)
    delivery_ids: list[int] = []
    for ids in group.parts(survey.size):
        with transaction() as session:
            delivery_ids += notifying.plan_part(session, batch, ids, survey.told, now=now(), instance=usual)
    return delivery_ids
