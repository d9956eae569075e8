"""Lists of issues: a search as SQL, pages by cursor, counts and sparklines, in a fixed number of queries."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    String,
    and_,
    exists,
    func,
    literal,
    select,
    true,
    tuple_,
    values,
)
from sqlalchemy import column as sql_column
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased, joinedload, lazyload

from app.domain import cursor as cursors
from app.domain import lifecycle, search
from app.domain.cursor import Cursor
from app.domain.search import Query
from app.models import Environment, Issue, IssueHour, IssueTag, Notice, Organization, Project, Team, User
from app.services import access
from app.services.issues import undoing
from app.services.issues.matching import condition

PAGE, COUNTED_UP_TO, HOURS = 25, 1000, 24
INT_MAX = 2**31 - 1  # what an `Integer` holds; no cursor of ours names more
NOTHING, MOST_ENVIRONMENTS = "0", 100
EVERYTHING = Query(())
# As `access.IS_THERE`, said by what may be: each status by itself can be walked in the order of the list.
IS_SHOWN = Issue.status.in_(lifecycle.STATUSES)

# Every order is descending, the id breaks ties.
SORTS: Mapping[str, InstrumentedAttribute[Any]] = {
    "date": Issue.last_seen,
    "new": Issue.first_seen,
    "freq": Issue.times_seen,
    "users": Issue.users_seen,
    "priority": Issue.priority,
}


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose issues, and where: one project, or all that the person sees of an organization.

    Of these only some projects and environments may be asked for; none given means all.
    """

    user: User
    organization: Organization
    project: Project | None = None
    project_ids: Sequence[int] = ()
    environments: Sequence[str] = ()

    @property
    def holds(self) -> ColumnElement[bool]:
        if self.project is not None:
            here = Issue.project_id == self.project.id
        else:
            here = Issue.project_id.in_(self.places)
        return and_(IS_SHOWN, here, self.narrows)

    @property
    def places(self) -> Select[int]:
        """The projects."""
        if self.project is not None:
            return select(Project.id).where(Project.id == self.project.id)
        seen = Project.organization_id == self.organization.id
        found = select(Project.id).where(seen, access.sees_project(self.user))
        return found.where(Project.id.in_(self.project_ids)) if self.project_ids else found

    @property
    def narrows(self) -> ColumnElement[bool]:
        """What holds of an issue there that is asked for."""
        conditions: list[ColumnElement[bool]] = [literal(True)]
        if self.project is not None and self.project_ids:
            conditions.append(Issue.project_id.in_(self.project_ids))
        if self.environments:
            of_issue = (IssueTag.issue_id == Issue.id) & (IssueTag.key == "environment")
            conditions.append(exists().where(of_issue, IssueTag.value.in_(self.environments)))
        return and_(*conditions)


@dataclass(frozen=True, slots=True)
class LastNotice:
    """As much of the notice that was last made of an issue as its row tells."""

    id: int
    public_id: str
    planned_at: datetime | None
    gate_code: str | None


@dataclass(frozen=True, slots=True)
class StreamRow:
    """An issue as the list shows it: its last 24 hours, and the notice that was last made of it."""

    issue: Issue
    hours: Sequence[int]
    notice: LastNotice | None

    @property
    def notice_id(self) -> int | None:
        return self.notice.id if self.notice else None


@dataclass(frozen=True, slots=True)
class Page:
    rows: Sequence[StreamRow]
    previous: str | None = None
    next: str | None = None

    @property
    def version(self) -> str:
        """What `newest` gives, for a first page by date."""
        return _version(self.rows[0].issue.id, self.rows[0].issue.last_seen) if self.rows else NOTHING

    @property
    def notices(self) -> list[LastNotice]:
        return [row.notice for row in self.rows if row.notice]


def find(
    session: Session,
    scope: Scope,
    query: Query,
    *,
    now: datetime,
    sort: str = "date",
    cursor: Cursor | None = None,
    size: int = PAGE,
) -> Page:
    """A page of the issues that match. Two queries."""
    ids = _page_of_ids(session, scope, query, now, SORTS[sort], cursor, size)
    found = sorted(
        session.execute(_in_full(Issue.id.in_(select(ids.subquery().c.id)))),
        key=lambda row: (getattr(row[0], SORTS[sort].key), row[0].id),
        reverse=True,
    )
    beyond = len(found) > size
    backward = cursor is not None and cursor.backward
    shown = found[-size:] if backward else found[:size]
    places = [(_number(getattr(issue, SORTS[sort].key)), issue.id) for issue, *_ in shown]
    return Page(_with_hours(session, shown, now), *cursors.ends(cursor, places, has_more=beyond))


def visible(session: Session, user: User, issue_ids: Collection[int]) -> Sequence[Issue]:
    """Those of the issues that the person may see, by id."""
    seen = select(Issue).join(Issue.project).where(Issue.id.in_(issue_ids), access.sees_issue(user))
    return session.scalars(seen.order_by(Issue.id)).all()


def matching(
    session: Session, scope: Scope, query: Query, *, now: datetime, limit: int, sort: str = "date"
) -> Sequence[int]:
    """The ids of the first issues that match, in the order of the list, over all its pages."""
    column = SORTS[sort]
    ids = select(Issue.id).where(_matches(session, scope, query, now))
    return session.scalars(ids.order_by(column.desc(), Issue.id.desc()).limit(limit)).all()


def row_of(session: Session, issue: Issue, *, now: datetime) -> StreamRow:
    """An issue as the list shows it, whether it belongs there or not."""
    [row] = _with_hours(session, session.execute(_in_full(Issue.id == issue.id)).all(), now)
    return row


def belongs(session: Session, scope: Scope, query: Query, issue: Issue, *, now: datetime) -> bool:
    """Whether the issue is one that the search finds."""
    found = select(Issue.id).where(Issue.id == issue.id, _matches(session, scope, query, now))
    return session.scalar(found) is not None


def counts(
    session: Session, scope: Scope, texts: Collection[str], *, now: datetime, also: Query = EVERYTHING
) -> dict[str, int]:
    """How many issues each search finds, and `also` holds for, up to a limit: nobody reads further.

    One query, and on SQLite one before it where `also` asks for something.
    """
    shared = condition(session, also, scope.places, now=now)
    each = [_matches(session, scope, _parsed(scope, text), now) & shared for text in texts]
    some = [select(Issue.id).where(which).limit(COUNTED_UP_TO).subquery() for which in each]
    columns = [select(func.count()).select_from(ids).scalar_subquery() for ids in some]
    return dict(zip(texts, session.execute(select(*columns)).one(), strict=True))


def newest(session: Session, scope: Scope, query: Query, *, now: datetime) -> str:
    """Changes whenever an issue that matches is seen, or begins to match as the last one seen."""
    ids = _page_of_ids(session, scope, query, now, Issue.last_seen, None, 0)
    latest = select(Issue.id, Issue.last_seen).where(Issue.id.in_(select(ids.subquery().c.id)))
    found = session.execute(latest).first()
    return _version(found.id, found.last_seen) if found else NOTHING


def place_of(issue: Issue, sort: str) -> Cursor:
    """Where the issue stands in a list, or would if it were found."""
    return Cursor(_number(getattr(issue, SORTS[sort].key)), issue.id)


def neighbour(
    session: Session, scope: Scope, query: Query, place: Cursor, *, now: datetime, sort: str
) -> Issue | None:
    """The first issue that matches after the place, or the last one before it.

    Not the issue of the place itself: it may have moved ahead of that since.
    """
    ids = _page_of_ids(session, scope, query, now, SORTS[sort], place, 0, other_than=place.id)
    return session.scalar(select(Issue).where(Issue.id.in_(select(ids.subquery().c.id))))


def environments(scope: Scope) -> Select[str]:
    """Where events came from, as a query: as many as one would look through."""
    here = Environment.project_id == scope.project.id if scope.project else None
    if here is None:
        seen = Project.organization_id == scope.organization.id
        here = Environment.project_id.in_(select(Project.id).where(seen, access.sees_project(scope.user)))
    found = select(Environment.name).where(here, Environment.name != "").distinct()
    return found.order_by(Environment.name).limit(MOST_ENVIRONMENTS)


def last_resolved(session: Session, scope: Scope) -> Issue | None:
    """The issue that was settled last, for a list that has nothing left to show."""
    found = select(Issue).where(scope.holds, Issue.resolved_at.is_not(None))
    return session.scalar(found.order_by(Issue.resolved_at.desc()).limit(1))


def _version(issue_id: int, last_seen: datetime) -> str:
    return f"{cursors.value_of(last_seen):x}-{issue_id:x}"


def _parsed(scope: Scope, text: str) -> Query:
    return search.parse(text, me=scope.user.id)


def _matches(session: Session, scope: Scope, query: Query, now: datetime) -> ColumnElement[bool]:
    return scope.holds & condition(session, query, scope.places, now=now)


def _page_of_ids(
    session: Session,
    scope: Scope,
    query: Query,
    now: datetime,
    column: InstrumentedAttribute[Any],
    cursor: Cursor | None,
    size: int,
    *,
    other_than: int | None = None,
) -> Select[int]:
    """The ids alone first, so that an index can give them: rows are only read for what is shown."""
    matches = scope.narrows & condition(session, query, scope.places, now=now)
    if cursor is not None:
        order, here = tuple_(column, Issue.id), (_value(column, cursor.value), cursor.id)
        matches &= order > here if cursor.backward else order < here
    if other_than is not None:
        matches &= Issue.id != other_than
    backward = cursor is not None and cursor.backward
    if session.get_bind().dialect.name == "postgresql":
        return _merged(scope, matches, column, size + 1, backward=backward)
    ids = select(Issue.id).where(scope.holds, matches).limit(size + 1)
    return ids.order_by(*_order(column, Issue.id, backward=backward))


def _order(
    *columns: ColumnElement[Any] | InstrumentedAttribute[Any], backward: bool
) -> list[ColumnElement[Any]]:
    return [column.asc() if backward else column.desc() for column in columns]


def _merged(
    scope: Scope,
    matches: ColumnElement[bool],
    column: InstrumentedAttribute[Any],
    limit: int,
    *,
    backward: bool,
) -> Select[int]:
    """The first of each status of each project, and of those the first: PostgreSQL walks one at a time."""
    places = scope.places.subquery()
    states = values(sql_column("status", String), name="states").data(
        [(each,) for each in lifecycle.STATUSES]
    )
    first = (
        select(Issue.id, column.label("place"))
        .where(Issue.project_id == places.c.id, Issue.status == states.c.status, matches)
        .order_by(*_order(column, Issue.id, backward=backward))
        .limit(limit)
        .correlate(places, states)
        .lateral()
    )
    everywhere = select(first.c.id).select_from(places.join(states, true()).join(first, true())).limit(limit)
    return everywhere.order_by(*_order(first.c.place, first.c.id, backward=backward))


def _in_full(which: ColumnElement[bool]) -> Select[Issue, int, str, datetime | None, str | None]:
    newest = aliased(Notice)
    return (
        select(Issue, newest.id, newest.public_id, newest.planned_at, newest.gate_code)
        .outerjoin(newest, newest.id == undoing.latest_notice())
        .where(which)
        .options(
            joinedload(Issue.assignee_user),
            joinedload(Issue.assignee_team).options(lazyload(Team.organization)),
        )
    )


def _with_hours(session: Session, found: Sequence[Any], now: datetime) -> list[StreamRow]:
    hours = _hours(session, [row[0].id for row in found], now)
    return [
        StreamRow(issue, hours[issue.id], LastNotice(notice_id, *notice) if notice_id else None)
        for issue, notice_id, *notice in found
    ]


def _hours(session: Session, issue_ids: Sequence[int], now: datetime) -> dict[int, list[int]]:
    first = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS - 1)
    points = {issue_id: [0] * HOURS for issue_id in issue_ids}
    if not points:
        return points
    rows = session.execute(
        select(IssueHour.issue_id, IssueHour.hour, IssueHour.count).where(
            IssueHour.issue_id.in_(issue_ids), IssueHour.hour >= first
        )
    )
    for issue_id, hour, count in rows:
        at = (hour - first) // timedelta(hours=1)
        points[issue_id][min(at, HOURS - 1)] += count
    return points


def _number(value: datetime | int) -> int:
    return cursors.value_of(value) if isinstance(value, datetime) else value


def _value(column: InstrumentedAttribute[Any], number: int) -> datetime | int:
    if not isinstance(column.type, Integer):
        return cursors.moment(number)
    holds_all = isinstance(column.type, BigInteger)
    return number if holds_all else max(-INT_MAX, min(number, INT_MAX))
