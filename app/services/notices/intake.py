"""What a project took in around some moment, and how long notices waited then: for when no event is found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models import IngestCount, Notice, Project

HOUR = timedelta(hours=1)
LOOKED_AT = 1000
OUTCOMES: Mapping[str, str] = {
    "accepted": "accepted",
    "duplicate": "sent twice, counted once",
    "dropped": "dropped",
    "invalid": "not readable",
}


@dataclass(frozen=True, slots=True)
class Intake:
    """`counts` are items by what became of them; `waited` the longest wait until people were chosen."""

    start: datetime
    end: datetime
    counts: Sequence[tuple[str, int]]
    waited: int | None


def around(session: Session, project: Project, at: datetime) -> Intake:
    """From the hour before to the hour after."""
    hour = at.replace(minute=0, second=0, microsecond=0)
    start, end = hour - HOUR, hour + 2 * HOUR
    total = func.sum(IngestCount.count)
    rows = session.execute(
        select(IngestCount.outcome, total)
        .where(IngestCount.project_id == project.id, IngestCount.hour >= start, IngestCount.hour < end)
        .group_by(IngestCount.outcome)
        .order_by(total.desc())
    )
    counts = [(OUTCOMES.get(outcome, outcome), int(count)) for outcome, count in rows]
    return Intake(start, end, counts, _waited(session, start, end))


def _waited(session: Session, start: datetime, end: datetime) -> int | None:
    """In seconds, over all projects: they share the workers."""
    planned = session.execute(
        select(Notice.occurred_at, Notice.planned_at)
        .where(Notice.occurred_at >= start, Notice.occurred_at < end, Notice.planned_at.is_not(None))
        .where(Notice.plan_after.is_(None))
        .limit(LOOKED_AT)
    ).all()
    return max((int((done - at).total_seconds()) for at, done in planned if done), default=None)
