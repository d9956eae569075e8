"""Issues as they were at a moment: their state, whose they were, and whether they came back all the time."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain import flapping
from app.domain.kinds import RESOLVING
from app.domain.replaying import Assignee
from app.domain.targets import Assignee as Assigned
from app.models import Activity, Issue, Project
from app.services.access import IS_THERE
from app.services.calm.flapping import CAME_BACK, NEAR
from app.services.issues import issue_courses
from app.services.issues.issue_courses import Standing, chunks

# New issues so long before may belong to a storm that goes on.
EARLIER = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Known:
    """What of an issue never changes, and how it stands now."""

    id: int
    number: int
    short_id: str
    title: str
    first_seen: datetime
    last_seen: datetime
    level: str


@dataclass(frozen=True, slots=True)
class Issues:
    """`born`: when the project's issues of that time were first seen, by their numbers."""

    known: Mapping[int, Known]
    standings: Mapping[int, Standing]
    flaps: Mapping[int, Sequence[tuple[datetime, datetime]]]
    born: Mapping[int, datetime]

    def status(self, issue_id: int, moment: datetime) -> str | None:
        """None: it is gone, or was never there."""
        standing = self.standings.get(issue_id)
        if standing is None:
            return None
        status = standing.course.status
        for change in standing.course.changes:
            if change.at <= moment and change.status is not None:
                status = change.status
        return status

    def assignee(self, issue_id: int, moment: datetime) -> Assigned:
        standing = self.standings.get(issue_id)
        whose: Assignee = standing.course.assignee if standing else (None, None)
        for change in standing.course.changes if standing else ():
            if change.at <= moment and change.assignee is not None:
                whose = change.assignee
        return Assigned(*whose)

    def flapping_until(self, issue_id: int, moment: datetime) -> datetime | None:
        marks = self.flaps.get(issue_id, ())
        place = bisect_right(marks, moment, key=lambda mark: mark[0])
        return marks[place - 1][1] if place else None


def load(session: Session, project: Project, issue_ids: Collection[int], since: datetime) -> Issues:
    return Issues(
        _known(session, issue_ids),
        issue_courses.of_issues(session, project.id, issue_ids),
        _flaps(session, issue_ids),
        _born(session, project, since - EARLIER),
    )


def _known(session: Session, issue_ids: Iterable[int]) -> dict[int, Known]:
    columns = (Issue.id, Issue.number, Issue.short_id, Issue.title)
    query = select(*columns, Issue.first_seen, Issue.last_seen, Issue.level).where(IS_THERE)
    return {
        row.id: Known(*row)
        for some in chunks(sorted(issue_ids))
        for row in session.execute(query.where(Issue.id.in_(some)))
    }


def _born(session: Session, project: Project, since: datetime) -> Mapping[int, datetime]:
    found = select(Issue.number, Issue.first_seen).where(
        Issue.project_id == project.id, Issue.first_seen >= since
    )
    return {number: at for number, at in session.execute(found)}


def _flaps(session: Session, issue_ids: Iterable[int]) -> Mapping[int, list[tuple[datetime, datetime]]]:
    """When each was marked as one that comes back all the time, and until when: see `flapping.mark`."""
    query = select(Activity.issue_id, Activity.type, Activity.created_at).order_by(Activity.id)
    told: defaultdict[int, list[tuple[str, datetime]]] = defaultdict(list)
    for some in chunks(sorted(issue_ids)):
        wanted = Activity.issue_id.in_(some) & Activity.type.in_((CAME_BACK, *RESOLVING))
        for issue_id, type_, at in session.execute(query.where(wanted)):
            told[issue_id or 0].append((type_, at))
    return {issue_id: marks for issue_id, theirs in told.items() if (marks := _marks(theirs))}


def _marks(told: Sequence[tuple[str, datetime]]) -> list[tuple[datetime, datetime]]:
    marks: list[tuple[datetime, datetime]] = []
    for place, (type_, at) in enumerate(told):
        if type_ == CAME_BACK:
            lately = told[max(0, place + 1 - NEAR) : place + 1]
            until = flapping.until(_reopened(lately), flapping_until=marks[-1][1] if marks else None, now=at)
            marks += [(at, until)] if until else []
    return marks


def _reopened(told: Iterable[tuple[str, datetime]]) -> list[tuple[datetime, str]]:
    """When it came back, each with how it had been resolved before."""
    how, found = "", []
    for type_, at in told:
        if type_ == CAME_BACK:
            found.append((at, how))
        else:
            how = type_
    return found
