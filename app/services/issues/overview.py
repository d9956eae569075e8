"""What the projects' home shows of each project: how busy it was, what is open, what is new."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.lifecycle import STATUSES, UNRESOLVED
from app.models import IngestCount, Issue, User
from app.services import access
from app.services.events.stream_entry import ACCEPTED

HOURS = 24
YOURS_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Glance:
    points: Sequence[int]  # errors in each of the last 24 hours, oldest first
    unresolved: int
    new_today: int


def of_projects(session: Session, project_ids: Collection[int], *, now: datetime) -> dict[int, Glance]:
    """Three queries, however many projects there are."""
    points = _points(session, project_ids, now)
    unresolved = _unresolved(session, project_ids)
    new = _new(session, project_ids, now)
    return {
        each: Glance(points.get(each, [0] * HOURS), unresolved.get(each, 0), new.get(each, 0))
        for each in project_ids
    }


def yours(session: Session, user: User) -> list[Issue]:
    """What is assigned to the person, within their reach and still open, last seen first."""
    mine = (Issue.assignee_user_id == user.id) & (Issue.status == UNRESOLVED)
    visible = select(Issue).join(Issue.project).where(mine, access.sees_issue(user))
    found = visible.order_by(Issue.last_seen.desc(), Issue.id.desc()).limit(YOURS_SHOWN)
    return list(session.scalars(found))


def _points(session: Session, project_ids: Collection[int], now: datetime) -> dict[int, list[int]]:
    """From the counts of ingest: a row a project and hour, where issues have one for each of them."""
    first = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS - 1)
    rows = session.execute(
        select(IngestCount.project_id, IngestCount.hour, IngestCount.count).where(
            IngestCount.project_id.in_(project_ids),
            IngestCount.hour >= first,
            IngestCount.category == "error",
            IngestCount.outcome == ACCEPTED,
        )
    )
    points: dict[int, list[int]] = {}
    for project_id, hour, count in rows:
        at = int((hour - first) / timedelta(hours=1))
        if at < HOURS:
            points.setdefault(project_id, [0] * HOURS)[at] += count
    return points


def _unresolved(session: Session, project_ids: Collection[int]) -> dict[int, int]:
    open_ones = Issue.project_id.in_(project_ids) & (Issue.status == UNRESOLVED)
    counted = select(Issue.project_id, func.count()).where(open_ones).group_by(Issue.project_id)
    return {project_id: number for project_id, number in session.execute(counted)}


def _new(session: Session, project_ids: Collection[int], now: datetime) -> dict[int, int]:
    """What was first seen within a day was also last seen within it: that has an index, by status."""
    since = now - timedelta(hours=HOURS)
    recent = Issue.status.in_(STATUSES) & (Issue.last_seen >= since) & (Issue.first_seen >= since)
    counted = (
        select(Issue.project_id, func.count())
        .where(Issue.project_id.in_(project_ids), recent)
        .group_by(Issue.project_id)
    )
    return {project_id: number for project_id, number in session.execute(counted)}
