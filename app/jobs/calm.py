"""What time alone does to storms and maintenance windows: they go on, and they end."""

from datetime import datetime, timedelta

from app import instance
from app.db import reading, transaction
from app.jobs import deliver, doorbell
from app.services.calm import storming, summing_up
from app.services.notices import notifying

# Windows that are over are kept so long, should their summary be late.
KEPT = timedelta(days=1)


def weather(at: datetime) -> None:
    """End storms that have calmed down, and tell of the others how they stand. Looks first."""
    with reading() as session:
        storm_ids = storming.open_ids(session)
    delivery_ids: list[int] = []
    for storm_id in storm_ids:
        with transaction() as session:
            answers = storming.go_on(session, storm_id, now=at, instance=instance.defaults(session))
            delivery_ids += notifying.store(session, answers, now=at)
    doorbell.send(delivery_ids, batch=deliver.BATCH)


def after_maintenance(at: datetime) -> None:
    """Have integrations told what a maintenance held that is over now."""
    with reading() as session:
        pause_ids = summing_up.due(session, now=at)
    for pause_id in pause_ids:
        with transaction() as session:
            summing_up.sum_up(session, pause_id, now=at)


def forget_maintenance(at: datetime) -> None:
    with transaction() as session:
        summing_up.forget(session, before=at - KEPT)
