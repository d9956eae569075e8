"""Silence about an issue for one person, for a while: until a time, or until the issue gets worse."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import delete, func, or_, select, tuple_
from sqlalchemy.orm import Session

from app.domain import ignoring
from app.domain.errors import Refused
from app.models import Event, Issue, IssueMute, User
from app.services.ignoring import events_of_last_hour
from app.services.upserting import insert_into

HOUR = timedelta(hours=1)


def mute(
    session: Session,
    issue: Issue,
    *,
    user: User,
    until: datetime | None = None,
    event_limit: int | None = None,
    now: datetime,
) -> None:
    """Mute the issue for this person, or give the mute a new end. `Refused` without one."""
    if until is None and event_limit is None:
        raise Refused("Say until when to mute the issue.", field="until")
    if until is not None and until <= now:
        raise Refused("Choose a time that is still to come.", field="until")
    row = {"issue_id": issue.id, "user_id": user.id, "created_at": now}
    ends = {"until": until, "event_limit": event_limit}
    statement = insert_into(session, IssueMute).values({**row, **ends})
    session.execute(
        statement.on_conflict_do_update(
            index_elements=("issue_id", "user_id"), set_={**ends, "created_at": now}
        )
    )


def unmute(session: Session, issue: Issue, *, user: User) -> bool:
    """Hear of the issue again; False if it was not muted."""
    mine = (IssueMute.issue_id == issue.id) & (IssueMute.user_id == user.id)
    return session.scalar(delete(IssueMute).where(mine).returning(IssueMute.issue_id)) is not None


def of(session: Session, issue: Issue, *, user: User, now: datetime) -> IssueMute | None:
    """This person's mute of the issue, as long as it holds."""
    if user.id not in muted(session, issue.id, [user.id], now):
        return None
    return session.get(IssueMute, (issue.id, user.id), populate_existing=True)


def muted(
    session: Session, issue_id: int | None, user_ids: Collection[int], now: datetime
) -> dict[int, datetime | None]:
    """Who of these has the issue muted at this moment, and until when; None is "until it gets worse"."""
    rows = session.execute(
        select(IssueMute.user_id, IssueMute.until, IssueMute.event_limit).where(
            IssueMute.issue_id == issue_id, IssueMute.user_id.in_(user_ids)
        )
    ).all()
    is_limited = any(row.event_limit is not None for row in rows)
    lately = events_of_last_hour(session, issue_id, now=now) if is_limited else 0
    return {
        row.user_id: row.until
        for row in rows
        if ignoring.mute_holds(row.until, row.event_limit, lately=lately, now=now)
    }


def got_worse(session: Session, *, now: datetime) -> list[tuple[int, int]]:
    """The mutes (issue, person) that are over: their issue has got worse, or their time has passed.

    Taken away for good, or they would hold again once it calms down.
    """
    limited = select(IssueMute.issue_id).where(IssueMute.event_limit.is_not(None))
    lately = select(Event.issue_id, func.count().label("events")).where(
        Event.issue_id.in_(limited), Event.timestamp >= now - HOUR
    )
    counted = lately.group_by(Event.issue_id).subquery()
    found = select(IssueMute.issue_id, IssueMute.user_id).outerjoin(
        counted, counted.c.issue_id == IssueMute.issue_id
    )
    is_over = or_(IssueMute.until <= now, counted.c.events > IssueMute.event_limit)
    return [(issue_id, user_id) for issue_id, user_id in session.execute(found.where(is_over))]


def end(session: Session, mutes: Collection[tuple[int, int]]) -> None:
    """Take these mutes away."""
    key = tuple_(IssueMute.issue_id, IssueMute.user_id)
    session.execute(delete(IssueMute).where(key.in_(mutes)).execution_options(synchronize_session=False))
