"""An ignore that ends by itself: by an event that meets its condition, or when its time is over.

`notifications.md` 2.1, T11 and T12. Events are counted by when they happened, which is how pages count them.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from app.domain import ignoring
from app.domain.ignoring import Condition, Counts, Ended
from app.domain.lifecycle import IGNORED, UNRESOLVED
from app.models import Activity, Event, IgnoreCondition, Issue
from app.services.events.digest_issues import Seen
from app.services.issues.ignoring import condition_of
from app.services.issues.moving import move

CHUNK = 100


def wake(session: Session, seen: Sequence[Seen], *, now: datetime) -> list[int]:
    """Unresolve what the events of a batch wake; the ids of the activities written.

    The batch is counted already, so its issues' rows are locked: nobody changes a condition meanwhile.
    """
    _mark_reappeared(session, [each for each in seen if each.issue.reappears])
    ignored: dict[int, list[Seen]] = defaultdict(list)
    for each in seen:
        if each.issue.status == IGNORED:
            ignored[each.issue.id].append(each)
    woken = (_wake_one(session, ignored[row.issue_id], row, now) for row in _rows(session, ignored))
    return [activity.id for activity in woken if activity]


def _mark_reappeared(session: Session, seen: Sequence[Seen]) -> None:
    """The first event after a timed ignore is over; of two digesters one has it."""
    first = {each.issue.id: each for each in reversed(seen)}
    for issue_id in sorted(first):
        waiting = (Issue.id == issue_id) & Issue.reappears & (Issue.status == UNRESOLVED)
        first[issue_id].is_reappeared = _changed(session, waiting, reappears=False)


def _changed(session: Session, where: ColumnElement[bool], **columns: Any) -> bool:
    statement = update(Issue).where(where).values(columns).returning(Issue.id)
    return session.scalar(statement.execution_options(synchronize_session=False)) is not None


def _rows(session: Session, ignored: dict[int, list[Seen]]) -> Sequence[IgnoreCondition]:
    """The conditions of those issues; one that is ignored for ever has none."""
    if not ignored:
        return ()
    found = select(IgnoreCondition).where(IgnoreCondition.issue_id.in_(ignored))
    return session.scalars(found.order_by(IgnoreCondition.issue_id)).all()


def _wake_one(session: Session, seen: Sequence[Seen], row: IgnoreCondition, now: datetime) -> Activity | None:
    """The activity, if one of the issue's events meets the condition; earlier ones rang nothing."""
    condition = condition_of(row)
    assert condition is not None
    session.refresh(seen[0].issue, ["times_seen", "users_seen", "status"])
    position, ended = _first_to_meet(session, seen, row, condition)
    if ended is None:
        return None
    escalated = {"escalated_at": now} if ended.is_escalation else {}
    activity = _end(session, seen[0].issue, row, ended, now, seen[position].event.event_id, **escalated)
    if activity:
        seen[position].is_reappeared = True
        for earlier in seen[:position]:
            earlier.was_ignored = True
    return activity


def _first_to_meet(
    session: Session, seen: Sequence[Seen], row: IgnoreCondition, condition: Condition
) -> tuple[int, Ended | None]:
    """Which of the issue's events in the batch ends the ignore, in the order in which they came."""
    issue = seen[0].issue
    after = sum(each.is_new_person for each in seen)
    if not _is_within_reach(session, seen, row, condition):
        return 0, None
    for position, each in enumerate(seen):
        after -= each.is_new_person
        later = seen[position + 1 :]
        counts = Counts(
            events_since=issue.times_seen - len(later) - row.events_before,
            users_since=issue.users_seen - after - row.users_before,
            events_in_window=_events(session, each, condition.event_window, later),
            users_in_window=_users(session, each, condition, later),
        )
        if ended := ignoring.ended_by(condition, counts, at=each.event.received_at):
            return position, ended
    return 0, None


def _is_within_reach(
    session: Session, seen: Sequence[Seen], row: IgnoreCondition, condition: Condition
) -> bool:
    """Whether any of the batch's events can meet it, at the cost of one count a window, not one an event."""
    issue, first = seen[0].issue, min(seen, key=lambda each: each.event.received_at)
    most = Counts(
        events_since=issue.times_seen - row.events_before,
        users_since=issue.users_seen - row.users_before,
        events_in_window=_events(session, first, condition.event_window, ()),
        users_in_window=_users(session, first, condition, ()),
    )
    latest = max(each.event.received_at for each in seen)
    return ignoring.ended_by(condition, most, at=latest) is not None


def _events(session: Session, seen: Seen, window: int | None, later: Sequence[Seen]) -> int:
    """Events of the issue in the window that ends with this one; those that came after it are left out."""
    if window is None:
        return 0
    since = _since(seen, window)
    stored = session.scalar(select(func.count()).where(_in_window(seen, since))) or 0
    return stored - sum(each.event.timestamp >= since for each in later)


def _users(session: Session, seen: Seen, condition: Condition, later: Sequence[Seen]) -> int:
    """The same for distinct users; 0 where the issue has not met so many in all, which is dear to count."""
    if condition.user_window is None or seen.issue.users_seen < (condition.user_count or 0):
        return 0
    others = Event.event_id.not_in([each.event.event_id for each in later])
    found = select(func.count(Event.user_ident.distinct())).where(
        _in_window(seen, _since(seen, condition.user_window)), others
    )
    return session.scalar(found) or 0


def _since(seen: Seen, window: int) -> datetime:
    return seen.event.received_at - timedelta(minutes=window)


def _in_window(seen: Seen, since: datetime) -> ColumnElement[bool]:
    return (Event.issue_id == seen.issue.id) & (Event.timestamp >= since)


def _end(
    session: Session,
    issue: Issue,
    row: IgnoreCondition,
    ended: Ended,
    now: datetime,
    event_id: str | None = None,
    **columns: Any,
) -> Activity | None:
    data = {
        "was": IGNORED,
        "ended": ignoring.as_data(ended),
        "condition": ignoring.as_data(condition_of(row)),
        "ignored_by": row.actor_id,
        "ignored_at": row.created_at.isoformat(),
    } | ({"event_id": event_id} if event_id else {})
    return move(session, issue, "wake", by=None, now=now, data=data, event_id=event_id, columns=columns)


def due(session: Session, *, now: datetime, limit: int = CHUNK) -> Sequence[int]:
    """Issues whose ignore was for a time that is over."""
    is_over = IgnoreCondition.until <= now
    found = select(Issue.id).join(IgnoreCondition, IgnoreCondition.issue_id == Issue.id).where(is_over)
    found = found.where(Issue.status == IGNORED).order_by(Issue.id).limit(limit)
    return session.scalars(found).all()


def wake_due(session: Session, *, now: datetime, limit: int = CHUNK) -> int:
    """Unresolve them; how many there were, at most `limit`."""
    ids = due(session, now=now, limit=limit)
    for issue_id in ids:
        _wake_if_over(session, issue_id, now)
    return len(ids)


def _wake_if_over(session: Session, issue_id: int, now: datetime) -> None:
    """Under the issue's lock, because an event or a person may have been quicker."""
    locked = select(Issue).where(Issue.id == issue_id, Issue.status == IGNORED)
    issue = session.scalar(locked.with_for_update(of=Issue).execution_options(populate_existing=True))
    if issue is None:
        return
    found = select(IgnoreCondition).where(IgnoreCondition.issue_id == issue_id, IgnoreCondition.until <= now)
    row = session.scalar(found.execution_options(populate_existing=True))
    if row and row.until:
        _end(session, issue, row, ignoring.ended_by_time(row.until), now, reappears=True)
