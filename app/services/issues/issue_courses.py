"""How issues stood in the past, as their timelines tell: state and assignee, and what events did to them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain import ignoring
from app.domain.lifecycle import IGNORED, RESOLVED, UNRESOLVED
from app.domain.replaying import Assignee, Change, Course
from app.models import Activity, Event, Issue, Notice
from app.services.access import IS_THERE
from app.services.rules.facts_then import ASSIGNING, assignee_in
from app.services.rules.rechecking import LED_TO

CHUNK = 500
REGRESSION, MERGE = "set_regression", "merge"
Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Standing:
    """An issue as far as rules ask for it: `times_seen` up to now, `merged_at` when it took in others."""

    first_seen: datetime
    times_seen: int
    course: Course
    merged_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """An activity, with the key of the event that did it, if one did."""

    type: str
    at: datetime
    data: Mapping[str, Any]
    event: int | None


def of_issues(session: Session, project_id: int, issue_ids: Iterable[int]) -> Mapping[int, Standing]:
    """Those of them that are still there; three queries for every five hundred."""
    found: dict[int, Standing] = {}
    columns = (Issue.id, Issue.first_seen, Issue.times_seen, Issue.status)
    query = select(*columns, Issue.assignee_user_id, Issue.assignee_team_id).where(IS_THERE)
    for ids in chunks(issue_ids):
        told = _told(session, project_id, ids)
        for row in session.execute(query.where(Issue.id.in_(ids))):
            theirs = told.get(row.id, ())
            course = _course(theirs, row.status, (row.assignee_user_id, row.assignee_team_id))
            merged = max((each.at for each in theirs if each.type == MERGE), default=None)
            found[row.id] = Standing(row.first_seen, row.times_seen, course, merged)
    return found


def chunks(keys: Iterable[Key]) -> Iterator[Sequence[Key]]:
    left = iter(keys)
    while some := list(islice(left, CHUNK)):
        yield some


def _told(session: Session, project_id: int, issue_ids: Collection[int]) -> Mapping[int, Sequence[Told]]:
    """By issue. An activity names its event, or the notice about it does."""
    found = (
        select(Activity.issue_id, Activity.type, Activity.created_at, Activity.data, Notice.event_id)
        .outerjoin(Notice, Notice.activity_id == Activity.id)
        .where(Activity.issue_id.in_(issue_ids), Activity.type.in_([*LED_TO, *ASSIGNING, MERGE]))
        .order_by(Activity.id)
    )
    rows = [(*row, row.data.get("event_id") or row.event_id) for row in session.execute(found)]
    named = {event_id for *_, event_id in rows if event_id}
    wanted = select(Event.event_id, Event.id).where(Event.project_id == project_id)
    stored = {
        event_id: key
        for some in chunks(named)
        for event_id, key in session.execute(wanted.where(Event.event_id.in_(some)))
    }
    told: dict[int, list[Told]] = defaultdict(list)
    for issue_id, type_, at, data, _, event_id in rows:
        told[issue_id].append(Told(type_, at, data, stored.get(event_id)))
    return told


def _course(told: Sequence[Told], status: str, assignee: Assignee) -> Course:
    """`status` and `assignee` are those of now, which were so ever since if nothing is told of them."""
    moves = [each for each in told if each.type in LED_TO]
    handovers = [each for each in told if each.type in ASSIGNING]
    if moves:
        first = moves[0]
        status = RESOLVED if first.type == REGRESSION else first.data.get("was", UNRESOLVED)
    if handovers:
        assignee = assignee_in(handovers[0].data, "was")
    return Course(status, assignee, [_change(each) for each in told if each.type != MERGE])


def _change(told: Told) -> Change:
    if told.type in ASSIGNING:
        return Change(told.at, told.event, assignee=assignee_in(told.data, "to"))
    ended = ignoring.ended_of(told.data.get("ended"))
    is_waking = ended is not None and told.data.get("was") == IGNORED
    return Change(
        told.at,
        told.event,
        status=LED_TO[told.type],
        is_regression=told.type == REGRESSION,
        is_waking=is_waking,
        awaits=is_waking and not told.data.get("event_id"),
    )
