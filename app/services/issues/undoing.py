"""Taking back what one click did to several issues.

As long as nobody was told of it, nobody will be: its notices and those of the Undo are closed unsent. Later
an Undo is a change like any other, and told. What somebody else has changed since stays as it is.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, ScalarSelect, func, select, update
from sqlalchemy.orm import Session

from app.domain.errors import NotFound, Refused
from app.domain.lifecycle import IGNORED, RESOLVED, UNRESOLVED
from app.domain.routing import Reason
from app.models import Activity, Issue, Notice, Subscription, Team, User
from app.services import access
from app.services.issues import assigning, moving, snapshots, timeline
from app.services.issues.timeline import Batch
from app.services.preferences import subscribing

# So long nobody is told of what can be taken back.
HELD = timedelta(seconds=15)
UNDONE = "undone"

MOVED, ASSIGNED, MERGE = "moved", "assigned", "merge"
# What is taken back as one: a later change of the same family stands in its way.
FAMILIES: Mapping[str, str] = {
    "set_resolved": MOVED,
    "set_resolved_in_release": MOVED,
    "set_resolved_in_commit": MOVED,
    "set_resolved_by_age": MOVED,
    "set_resolved_by_recovery": MOVED,
    "set_unresolved": MOVED,
    "set_ignored": MOVED,
    "set_regression": MOVED,
    "assigned": ASSIGNED,
    "unassigned": ASSIGNED,
}
# What stands in the way: also what cannot be taken back itself.
LATER: Mapping[str, str] = {**FAMILIES, "commit_refuted": MOVED}
BACK_TO: Mapping[str, str] = {
    UNRESOLVED: "set_unresolved",
    RESOLVED: "set_resolved",
    IGNORED: "set_ignored",
}


@dataclass(frozen=True, slots=True)
class Action:
    """What a click did: activities by one person, of one moment, within a range of ids."""

    first: int
    last: int
    at: datetime
    by: int


@dataclass(frozen=True, slots=True)
class Undone:
    """How many issues are as they were; `left` were changed since, or are gone."""

    done: Collection[int]
    left: Collection[int]
    is_silent: bool


def latest_notice(*which: ColumnElement[bool]) -> ScalarSelect[int]:
    """Of an issue, among those for which all this holds; what was taken back unsent is no news of it."""
    stands = (Notice.issue_id == Issue.id) & Notice.gate_code.is_distinct_from(UNDONE)
    return select(func.max(Notice.id)).where(stands, *which).correlate(Issue).scalar_subquery()


def action(session: Session, activities: Sequence[Activity], *, by: User, at: datetime) -> Action | None:
    """What these activities, and what came along with them, can be found again by."""
    if not activities:
        return None
    first = min(activity.id for activity in activities)
    last = session.scalar(select(func.max(Activity.id)).where(*_of(by.id, at), Activity.id >= first))
    return Action(first, last or first, at, by.id)


def _of(actor_id: int, at: datetime) -> Sequence[ColumnElement[bool]]:
    return Activity.actor_id == actor_id, Activity.created_at == at, Activity.type.in_(FAMILIES)


def undo(session: Session, done: Action, *, by: User, now: datetime, batch: Batch) -> Undone:
    """Take back what can be; `batch` ties together the notices of that."""
    activities = _activities(session, done, by)
    issues = _issues(session, by, {each.issue_id for each in activities if each.issue_id})
    changed = _changed_since(session, activities, issues)
    ours = [each for each in activities if each.issue_id in issues and _key(each) not in changed]
    silent = _hush(session, [each.id for each in ours], now, in_time=now - done.at <= HELD)
    taken_back = {
        issue.id
        for each in ours
        if (issue := issues.get(each.issue_id or 0))
        and _reverse(session, issue, each, by, now, batch, silent)
    }
    if silent:
        _close(session, Notice.batch == batch.name, now)
    left = {each.issue_id for each in activities if each.issue_id} - taken_back
    return Undone(taken_back, left, silent)


def _activities(session: Session, done: Action, by: User) -> Sequence[Activity]:
    """The last one first, as things are taken back."""
    if done.by != by.id:
        raise NotFound
    found = select(Activity).where(Activity.id.between(done.first, done.last), *_of(done.by, done.at))
    return session.scalars(found.order_by(Activity.id.desc())).all()


def _issues(session: Session, by: User, ids: Collection[int]) -> dict[int, Issue]:
    """Those that this person can still see, locked as they are."""
    found = (
        select(Issue)
        .join(Issue.project)
        .where(Issue.id.in_(ids), access.sees_issue(by))
        .order_by(Issue.id)
        .with_for_update(of=Issue)
        .execution_options(populate_existing=True)
    )
    return {issue.id: issue for issue in session.scalars(found)}


def _key(activity: Activity) -> tuple[int | None, str]:
    return activity.issue_id, LATER[activity.type]


def _changed_since(
    session: Session, activities: Sequence[Activity], issues: Collection[int]
) -> set[tuple[int | None, str]]:
    """Issues that were moved or given away after that; what a merge brought is another issue's past."""
    newest = {_key(each): each.id for each in reversed(activities)}
    found = select(Activity).where(
        Activity.issue_id.in_(issues),
        Activity.id > min((each.id for each in activities), default=0),
        Activity.type.in_((*LATER, MERGE)),
    )
    later = session.scalars(found).all()
    moved = {_key(each) for each in later if each.type != MERGE and each.id > newest.get(_key(each), each.id)}
    merged = {each.issue_id for each in later if each.type == MERGE}
    return moved | {(issue_id, family) for issue_id in merged for family in (MOVED, ASSIGNED)}


def _hush(session: Session, activity_ids: Collection[int], now: datetime, *, in_time: bool) -> bool:
    """Whether nobody was told, and now nobody will be."""
    these = Notice.activity_id.in_(activity_ids)
    made = session.scalars(select(Notice.planned_at).where(these).with_for_update()).all()
    if not made:
        return in_time
    if any(planned_at is not None for planned_at in made):
        return False
    _close(session, these, now)
    return True


def _close(session: Session, which: ColumnElement[bool], now: datetime) -> None:
    session.execute(
        update(Notice)
        .where(which, Notice.planned_at.is_(None))
        .values(planned_at=now, gate_code=UNDONE)
        .execution_options(synchronize_session=False)
    )


def _reverse(
    session: Session, issue: Issue, activity: Activity, by: User, now: datetime, batch: Batch, silent: bool
) -> bool:
    if FAMILIES[activity.type] == ASSIGNED:
        return _give_back(session, issue, activity, by, now, batch)
    before = activity.data.get("before")
    if before is None:
        return False
    was = issue.status
    moving.forget_details(session, issue)
    snapshots.put_back(session, issue, before)
    if silent:
        _forget_participation(session, issue, activity, by, now)
    said = _said_before(session, activity, issue.status)
    type_, data = (said.type, said.data) if said else (BACK_TO[issue.status], {})
    data = {name: value for name, value in data.items() if name not in ("before", timeline.CLAIMED)}
    told = {**data, "was": was, "undone": True}
    timeline.record(session, issue, type_, by=by, now=now, data=told, batch=batch)
    return True


def _said_before(session: Session, activity: Activity, status: str) -> Activity | None:
    """What the timeline said when the issue came into the state that it has again."""
    if status == UNRESOLVED:
        return None
    before = (Activity.issue_id == activity.issue_id) & (Activity.id < activity.id)
    moves = [name for name, family in FAMILIES.items() if family == MOVED]
    found = select(Activity).where(before, Activity.type.in_(moves)).order_by(Activity.id.desc()).limit(1)
    return session.scalar(found)


def _forget_participation(
    session: Session, issue: Issue, activity: Activity, by: User, now: datetime
) -> None:
    """Who takes a change back at once did not take part in the issue by it."""
    earlier = select(Activity.id).where(
        Activity.issue_id == issue.id,
        Activity.actor_id == by.id,
        Activity.id < activity.id,
        Activity.type.in_([name for name, family in FAMILIES.items() if family == MOVED]),
    )
    if session.scalar(earlier.limit(1)) is None:
        subscribing.release(session, issue, [by.id], why=[Reason.PARTICIPATED], now=now)


def _give_back(
    session: Session, issue: Issue, activity: Activity, by: User, now: datetime, batch: Batch
) -> bool:
    try:
        given = assigning.assign(session, issue, to=_had(session, activity), by=by, now=now, batch=batch)
    except Refused:  # whoever had it has no access any more
        return False
    _leave_alone_again(session, issue, activity, now)
    return given is not None


def _had(session: Session, activity: Activity) -> User | Team | None:
    was = activity.data.get("was")
    if not was:
        return None
    return session.get(Team, was["id"]) if was["type"] == "team" else session.get(User, was["id"])


def _leave_alone_again(session: Session, issue: Issue, activity: Activity, now: datetime) -> None:
    """Whom only this assignment had subscribed again, after they had unsubscribed."""
    again = set(activity.data.get("resubscribed", ()))
    for user_id in again:
        row = session.scalar(
            select(Subscription).where(Subscription.issue_id == issue.id, Subscription.user_id == user_id)
        )
        if row is None:
            session.add(
                Subscription(
                    issue_id=issue.id,
                    user_id=user_id,
                    state=subscribing.UNSUBSCRIBED,
                    reasons=[],
                    updated_at=now,
                    via="system",
                )
            )
    session.flush()
