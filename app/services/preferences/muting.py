"""Silence about an issue for one person, for a while: until a time, or until the issue gets worse."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, or_, select, tuple_
from sqlalchemy.orm import Session

from app.domain import ignoring
from app.domain.errors import Refused
from app.models import Event, Issue, IssueMute, SettingAudit, User
from app.services import auditing
from app.services.upserting import insert_into

HOUR = timedelta(hours=1)
CATEGORY = "mute"  # in the log of changes
NOT_MUTED = "not muted"
Ends = dict[str, Any]  # when a mute ends, fit for JSON


def mute(
    session: Session,
    issue: Issue,
    *,
    user: User,
    until: datetime | None = None,
    event_limit: int | None = None,
    now: datetime,
    via: str = "web",
) -> None:
    """Mute the issue for this person, or give the mute a new end. `Refused` without one."""
    if until is None and event_limit is None:
        raise Refused("Say until when to mute the issue.", field="until")
    ignoring.checked(ignoring.of_mute(until, event_limit), now=now)
    before = _ends(of(session, issue, user=user, now=now))
    _store(session, issue, user, until, event_limit, now)
    _audit(session, issue, user, before, _plain(until, event_limit), now=now, via=via)


def unmute(session: Session, issue: Issue, *, user: User, now: datetime, via: str = "web") -> bool:
    """Hear of the issue again; False if it was not muted."""
    before = _ends(of(session, issue, user=user, now=now))
    was_muted = _remove(session, issue, user)
    if was_muted:
        _audit(session, issue, user, before, None, now=now, via=via)
    return was_muted


def restore(session: Session, issue: Issue, *, user: User, now: datetime, via: str = "web") -> bool:
    """Take back the last mute or unmute; False where that was done, or the mute is not as that left it."""
    last = _last(session, issue, user)
    is_so = _ends(of(session, issue, user=user, now=now))
    if last is None or last.detail["undoes"] or is_so != last.detail["after"]:
        return False
    before = last.detail["before"]
    until = datetime.fromisoformat(before["until"]) if before and before["until"] else None
    if until and until <= now:
        before = None
    if before:
        _store(session, issue, user, until, before["event_limit"], now)
    elif not _remove(session, issue, user):
        return False
    _audit(session, issue, user, is_so, before, now=now, via=via, undoes=True)
    return True


def _store(
    session: Session, issue: Issue, user: User, until: datetime | None, event_limit: int | None, now: datetime
) -> None:
    row = {"issue_id": issue.id, "user_id": user.id}
    ends = {"until": until, "event_limit": event_limit, "created_at": now}
    statement = insert_into(session, IssueMute).values({**row, **ends})
    session.execute(statement.on_conflict_do_update(index_elements=("issue_id", "user_id"), set_=ends))


def _remove(session: Session, issue: Issue, user: User) -> bool:
    mine = (IssueMute.issue_id == issue.id) & (IssueMute.user_id == user.id)
    return session.scalar(delete(IssueMute).where(mine).returning(IssueMute.issue_id)) is not None


def _ends(row: IssueMute | None) -> Ends | None:
    return _plain(row.until, row.event_limit) if row else None


def _plain(until: datetime | None, event_limit: int | None) -> Ends:
    return {"until": until.astimezone(UTC).isoformat() if until else None, "event_limit": event_limit}


def _words(ends: Ends | None, user: User) -> str:
    if ends is None:
        return NOT_MUTED
    until = datetime.fromisoformat(ends["until"]) if ends["until"] else None
    return ignoring.words(ignoring.of_mute(until, ends["event_limit"]), zone=user.timezone)


def _audit(
    session: Session,
    issue: Issue,
    user: User,
    before: Ends | None,
    after: Ends | None,
    *,
    now: datetime,
    via: str,
    undoes: bool = False,
) -> None:
    words = {"old": _words(before, user), "new": _words(after, user)}
    detail = {"issue": issue.short_id, **words, "before": before, "after": after, "undoes": undoes}
    auditing.note(
        session,
        user.id,
        CATEGORY,
        by_id=user.id,
        at=now,
        via=via,
        place=("issue", issue.id),
        detail=detail,
    )
    session.flush()


def _last(session: Session, issue: Issue, user: User) -> SettingAudit | None:
    """The last change of this person's mute."""
    found = select(SettingAudit).where(
        SettingAudit.user_id == user.id,
        SettingAudit.category == CATEGORY,
        SettingAudit.scope_id == issue.id,
    )
    return session.scalar(found.order_by(SettingAudit.id.desc()).limit(1))


def of(session: Session, issue: Issue, *, user: User, now: datetime) -> IssueMute | None:
    """This person's mute of the issue, as long as it holds."""
    if user.id not in muted(session, issue.id, [user.id], now):
        return None
    return session.get(IssueMute, (issue.id, user.id), populate_existing=True)


def muted(
    session: Session, issue_id: int | None, user_ids: Collection[int], now: datetime
) -> Mapping[int, datetime | None]:
    """Who of these has the issue muted at this moment, and until when; None is "until it gets worse"."""
    return muted_of(session, [issue_id] if issue_id else [], user_ids, now).get(issue_id or 0, {})


def muted_of(
    session: Session, issue_ids: Collection[int], user_ids: Collection[int], now: datetime
) -> Mapping[int, Mapping[int, datetime | None]]:
    """The same of several issues that anybody muted; two queries at most, however many they are."""
    theirs = IssueMute.issue_id.in_(issue_ids) & IssueMute.user_id.in_(user_ids)
    columns = (IssueMute.issue_id, IssueMute.user_id, IssueMute.until, IssueMute.event_limit)
    return holding(session, session.execute(select(*columns).where(theirs)).all(), now)


def holding(
    session: Session, rows: Collection[Any], now: datetime
) -> Mapping[int, Mapping[int, datetime | None]]:
    """The same of the mutes that were read already: by issue and person."""
    lately = _events_of_last_hour(session, {row.issue_id for row in rows if row.event_limit is not None}, now)
    found: dict[int, dict[int, datetime | None]] = defaultdict(dict)
    for row in rows:
        if ignoring.mute_holds(row.until, row.event_limit, lately=lately.get(row.issue_id, 0), now=now):
            found[row.issue_id][row.user_id] = row.until
    return found


def _events_of_last_hour(session: Session, issue_ids: Collection[int], now: datetime) -> Mapping[int, int]:
    if not issue_ids:
        return {}
    of_last_hour = Event.issue_id.in_(issue_ids) & (Event.timestamp >= now - HOUR)
    counted = select(Event.issue_id, func.count()).where(of_last_hour).group_by(Event.issue_id)
    return {issue_id: count for issue_id, count in session.execute(counted)}


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
