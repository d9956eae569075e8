"""A resolved issue that happens again is unresolved again (`notifications.md` 2.4)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session, selectinload

from app.domain import resolutions
from app.domain.lifecycle import MOVES, RESOLVED
from app.domain.resolutions import IN_COMMIT, PENDING, SETTLED
from app.domain.versions import Release as Versioned
from app.models import Activity, Issue, Release, Resolution
from app.services.calm import flapping
from app.services.events.digest_issues import Seen
from app.services.issues import moving, taking_effect, timeline
from app.services.releases import releases


@dataclass(frozen=True, slots=True)
class How:
    """How an issue is resolved, as `resolutions.is_back` asks for it."""

    kind: str
    state: str
    release: Versioned | None
    created_at: datetime


def regress(session: Session, seen: Sequence[Seen], *, now: datetime) -> list[int]:
    """Unresolve what the events of a batch show to be back; the ids of the activities written."""
    suspects = [each for each in seen if each.issue.status == RESOLVED]
    if not suspects:
        return []
    how = _how(session, suspects)
    named = _releases(session, suspects) if how else {}
    activity_ids = []
    for each in suspects:
        if each.issue.status != RESOLVED:
            continue  # an event before it in the batch reopened it
        resolution = how.get(each.issue.id)
        release = named.get((each.project.organization_id, each.event.release))
        is_back = _is_later(each) and resolutions.is_back(resolution, release)
        if is_back and _won(session, each, now):
            activity_ids.append(_come_back(session, each, resolution, now=now).id)
        else:
            each.was_resolved = True
    return activity_ids


def _is_later(seen: Seen) -> bool:
    """What was on its way here before somebody clicked Resolve proves nothing."""
    return seen.issue.resolved_at is None or seen.issue.resolved_at < seen.event.received_at


def _how(session: Session, suspects: Collection[Seen]) -> Mapping[int, How]:
    """Of those issues that were resolved with more than "now"."""
    found = (
        select(Resolution)
        .where(Resolution.issue_id.in_({each.issue.id for each in suspects}))
        .options(selectinload(Resolution.release))
        .execution_options(populate_existing=True)
    )
    rows = {row.issue_id: row for row in session.scalars(found)}
    project_of = {each.issue.id: each.project.id for each in suspects}
    awaited = {row.commit_id for row in rows.values() if _awaits(row) and row.commit_id is not None}
    released = releases.of_commits(session, set(project_of.values()), awaited)
    how = {}
    for issue_id, row in rows.items():
        late = released.get((project_of[issue_id], row.commit_id or 0)) if _awaits(row) else None
        state = SETTLED if late else row.state
        how[issue_id] = How(row.kind, state, late or row.release, row.created_at)
    return how


def _awaits(row: Resolution) -> bool:
    """Whether it is by a commit that was in no release; it may have got into one at the same moment."""
    return row.kind == IN_COMMIT and row.state == PENDING


def _releases(session: Session, suspects: Collection[Seen]) -> Mapping[tuple[int, str], Release]:
    versions = {each.event.release for each in suspects if each.event.release}
    organizations = {each.project.organization_id for each in suspects}
    found = select(Release).where(Release.organization_id.in_(organizations), Release.version.in_(versions))
    return {(row.organization_id, row.version): row for row in session.scalars(found)}


def _won(session: Session, seen: Seen, now: datetime) -> bool:
    """One conditional update is the referee between two events, and between an event and a person."""
    way = MOVES["regress"]
    values = {
        **moving.columns_of(way, now),
        "regressed_at": now,
        "active_at": max(seen.event.timestamp, seen.issue.last_seen),
    }
    won = session.scalar(
        update(Issue)
        .where(
            Issue.id == seen.issue.id,
            Issue.status.in_(way.leaves),
            Issue.resolved_at < seen.event.received_at,
        )
        .values(values)
        .returning(Issue.id)
        .execution_options(synchronize_session=False)
    )
    return won is not None


def _come_back(session: Session, seen: Seen, how: How | None, *, now: datetime) -> Activity:
    """What the timeline keeps: the version that came back, and what it contradicts."""
    seen.is_regression = True
    session.refresh(seen.issue)
    data: dict[str, Any] = {"version": seen.event.release, "event_id": seen.event.event_id}
    if how:
        moving.forget_details(session, seen.issue)
        taking_effect.complete(session, {seen.issue.id: seen.event.release})
        data["than"] = how.release.version if how.release else ""
        data["pending"] = how.state == PENDING
    activity = timeline.record(
        session,
        seen.issue,
        MOVES["regress"].activity,
        by=None,
        now=now,
        data=data,
        event_id=seen.event.event_id,
    )
    flapping.mark(session, seen.issue, now=now)
    return activity
