"""Ignoring an issue: for ever, or until a condition is met. Events are counted, and nothing rings."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app.domain import ignoring
from app.domain.ignoring import Condition
from app.domain.lifecycle import IGNORED
from app.models import Activity, Event, IgnoreCondition, Issue, IssueHour, User
from app.services.issues.moving import move
from app.services.issues.timeline import Batch


def ignore(
    session: Session,
    issue: Issue,
    *,
    by: User,
    now: datetime,
    until: Condition | None = None,
    batch: Batch | None = None,
) -> Activity | None:
    """Silence the issue for everyone, until that ends it or a person does; `Refused` if it makes no sense.

    Doing it again with the same condition changes nothing; another one replaces it, and counts from now.
    """
    if until:
        ignoring.checked(until, now=now)
    # Of two who do it at once, one waits here and then sees what the other did.
    status = session.scalar(select(Issue.status).where(Issue.id == issue.id).with_for_update())
    if status == IGNORED and _is_same(until, condition_of(row_of(session, issue.id))):
        return None
    name = "ignore_anew" if status == IGNORED else "ignore"
    data = {"was": status, "condition": ignoring.as_data(until)}
    activity = move(session, issue, name, by=by, now=now, data=data, batch=batch)
    if activity and until:
        _store(session, issue, until, by=by, now=now)
    return activity


def _is_same(one: Condition | None, other: Condition | None) -> bool:
    return one.equals(other) if one else other is None


def _store(session: Session, issue: Issue, until: Condition, *, by: User, now: datetime) -> None:
    """With what has happened so far, which does not count."""
    session.add(
        IgnoreCondition(
            issue_id=issue.id,
            **{name: getattr(until, name) for name in COLUMNS},
            events_before=issue.times_seen,
            users_before=issue.users_seen,
            actor_id=by.id,
            created_at=now,
        )
    )
    session.flush()


COLUMNS = ("until", "event_count", "event_window", "user_count", "user_window", "worse_than")


def row_of(session: Session, issue_id: int) -> IgnoreCondition | None:
    """What ends the ignore of this issue by itself, if anything does."""
    return rows_of(session, [issue_id]).get(issue_id)


def rows_of(session: Session, issue_ids: Collection[int]) -> dict[int, IgnoreCondition]:
    """The same for many; those that are ignored for ever, or not at all, are missing."""
    found = select(IgnoreCondition).where(IgnoreCondition.issue_id.in_(issue_ids))
    rows = session.scalars(found.execution_options(populate_existing=True))
    return {row.issue_id: row for row in rows}


def condition_of(row: IgnoreCondition | None) -> Condition | None:
    return Condition(**{name: getattr(row, name) for name in COLUMNS}) if row else None


def until_worse(session: Session, issue: Issue, *, now: datetime) -> Condition:
    """Until it gets worse than it was lately; the limit is frozen now."""
    return ignoring.getting_worse(ignoring.worse_limit(busiest_hour(session, issue.id, now=now)))


def busiest_hour(session: Session, issue_id: int, *, now: datetime) -> int:
    """The most events of an hour in the last seven days."""
    return session.scalar(busiest(issue_id, now=now)) or 0


def busiest(issue_id: int, *, now: datetime) -> Select[int | None]:
    since = now - timedelta(days=ignoring.BUSIEST_OF_DAYS)
    return select(func.max(IssueHour.count)).where(IssueHour.issue_id == issue_id, IssueHour.hour >= since)


def lately(issue_id: int, *, now: datetime) -> Select[int]:
    of_last_hour = Event.timestamp >= now - timedelta(hours=1)
    return select(func.count()).where(Event.issue_id == issue_id, of_last_hour)
