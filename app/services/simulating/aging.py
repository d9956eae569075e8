"""Issues that would have been resolved by age, had another time been set, and those that would not have been.

Goes by the hours in which events happened, so its times are within one hour of what would have been.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.kinds import KINDS
from app.domain.lifecycle import MOVES, RESOLVED, UNRESOLVED
from app.domain.routing import Happening
from app.models import Activity, Issue, IssueHour, Notice, Project
from app.services.simulating.issues import Known
from app.services.simulating.occasions import IMAGINED, Group, Occasion
from app.services.simulating.world import Past

HOUR = timedelta(hours=1)
# What was resolved by age so near to when it would be now, is the same.
NEAR = 2 * HOUR
BY_AGE = MOVES["age"].activity
CAME_BACK = ("regression", "alert.regression")


@dataclass(frozen=True, slots=True)
class Aged:
    """A stretch in which an issue was silent for long enough; `back`: the hour in which it came back."""

    issue_id: int
    at: datetime
    back: datetime | None


def issue_ids(session: Session, project: Project, since: datetime, hours: int) -> set[int]:
    """The issues that had events so lately that they may have been resolved since."""
    seen = select(IssueHour.issue_id).join(Issue, Issue.id == IssueHour.issue_id)
    lately = IssueHour.hour >= since - timedelta(hours=hours) - HOUR
    return set(session.scalars(seen.where(Issue.project_id == project.id, lately).distinct()))


def aged(session: Session, past: Past, made: Sequence[Occasion], hours: int) -> list[Occasion]:
    """The occasions as they would have been."""
    resolved = _resolved_by_age(made)
    found = [each for each in _silences(session, past, hours)] if hours else []
    kept: set[str] = set()
    more: list[Occasion] = []
    for number, silence in enumerate(found):
        same = [each for each in resolved.get(silence.issue_id, ()) if abs(each.at - silence.at) <= NEAR]
        if same:
            kept |= {each.name for each in same}
        else:
            more += _imagined(past, silence, hours, number)
    gone = [each for theirs in resolved.values() for each in theirs if each.name not in kept]
    removed = {name for each in gone for name in _with_return(each, made)}
    return [each for each in made if each.name not in removed] + more


def _resolved_by_age(made: Sequence[Occasion]) -> Mapping[int, list[Occasion]]:
    found: defaultdict[int, list[Occasion]] = defaultdict(list)
    for each in made:
        if each.notice.activity is not None and each.notice.activity.type == BY_AGE:
            found[each.notice.issue_id or 0].append(each)
    return found


def _with_return(resolution: Occasion, made: Sequence[Occasion]) -> Iterator[str]:
    """What was not resolved does not come back either."""
    yield resolution.name
    issue_id = resolution.notice.issue_id
    later = [each for each in made if each.notice.issue_id == issue_id and each.at > resolution.at]
    first = min((each.at for each in later if each.notice.kind in CAME_BACK), default=None)
    settled = min((each.at for each in later if each.notice.kind == "resolved"), default=None)
    if first is not None and (settled is None or first < settled):
        event_ids = {each.notice.event_id for each in later if each.at == first}
        came = (each for each in later if each.notice.kind in CAME_BACK and each.notice.event_id in event_ids)
        yield from (each.name for each in came)


def _silences(session: Session, past: Past, hours: int) -> Iterator[Aged]:
    """Every time that an issue was open, and silent for so long."""
    by_age = _times_of(session, past)
    age, since, until = timedelta(hours=hours), past.recorded.since, past.recorded.until
    for issue_id, seen in _hours_of(session, past.issues.known).items():
        for place, hour in enumerate(seen):
            back = seen[place + 1] if place + 1 < len(seen) else None
            at = hour + HOUR + age
            is_silent = back is None or at < back
            if is_silent and since <= at < until and _is_open(past, issue_id, at, by_age):
                yield Aged(issue_id, at, back if back and back < until else None)


def _hours_of(session: Session, known: Mapping[int, Known]) -> Mapping[int, list[datetime]]:
    found: defaultdict[int, list[datetime]] = defaultdict(list)
    ids = sorted(known)
    for start in range(0, len(ids), 500):
        rows = select(IssueHour.issue_id, IssueHour.hour).where(
            IssueHour.issue_id.in_(ids[start : start + 500])
        )
        for issue_id, hour in session.execute(rows.order_by(IssueHour.hour)):
            found[issue_id].append(hour)
    return found


def _times_of(session: Session, past: Past) -> Collection[tuple[int, datetime]]:
    """When issues were resolved by age in fact: without that they would have been open."""
    found = select(Activity.issue_id, Activity.created_at).where(
        Activity.project_id == past.project.id, Activity.type == BY_AGE
    )
    return {(issue_id or 0, at) for issue_id, at in session.execute(found)}


def _is_open(past: Past, issue_id: int, at: datetime, by_age: Collection[tuple[int, datetime]]) -> bool:
    standing = past.issues.standings.get(issue_id)
    if standing is None:
        return False
    status = standing.course.status
    for change in standing.course.changes:
        is_by_age = change.status == RESOLVED and (issue_id, change.at) in by_age
        if change.at <= at and change.status is not None and not is_by_age:
            status = change.status
    return status == UNRESOLVED


def _imagined(past: Past, silence: Aged, hours: int, number: int) -> Iterator[Occasion]:
    """That it was resolved, told with what else was in that run; and that it came back."""
    data = {"was": UNRESOLVED, "hours": hours}
    run = silence.at.isoformat()
    activity = Activity(issue_id=silence.issue_id, type=BY_AGE, data=data, created_at=silence.at)
    resolved = _notice(past, silence, "resolved", 2 * number, silence.at, activity)
    resolved.batch = f"age {run}"[:24]
    yield _occasion(resolved, silence.at, ("batch", f"age {run}"))
    if silence.back is not None:
        event = f"age {number}"
        back = Activity(issue_id=silence.issue_id, type="set_regression", data={}, created_at=silence.back)
        notice = _notice(past, silence, "regression", 2 * number + 1, silence.back, back)
        notice.event_id = event
        yield _occasion(notice, silence.back, ("event", event))


def _notice(past: Past, silence: Aged, kind: str, number: int, at: datetime, activity: Activity) -> Notice:
    return Notice(
        id=2 * IMAGINED + number,
        public_id=f"{kind} {silence.issue_id} {at.isoformat()}",
        kind=kind,
        project_id=past.project.id,
        issue_id=silence.issue_id,
        activity=activity,
        data={},
        occurred_at=at,
    )


def _occasion(notice: Notice, at: datetime, group: Group) -> Occasion:
    return Occasion(notice, notice.public_id, at, group, Happening(KINDS[notice.kind]))
