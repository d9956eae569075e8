"""Search terms as conditions on `Issue`, for SQLite and PostgreSQL alike."""

import operator
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, false, literal, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from app.domain import lifecycle, short_id
from app.domain.search import (
    Assigned,
    Bookmarked,
    Is,
    Member,
    Pattern,
    Query,
    SeenWithin,
    ShortId,
    Tag,
    Term,
    TimesSeen,
    Words,
)
from app.models import Bookmark, EmailAddress, Issue, IssueRedirect, IssueTag, Project, Team, User

Condition = ColumnElement[bool]

COMPARE: Mapping[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
UNASSIGNED = and_(Issue.assignee_user_id.is_(None), Issue.assignee_team_id.is_(None))
STATES: Mapping[str, Condition] = {
    **{status: Issue.status == status for status in lifecycle.STATUSES},
    "assigned": ~UNASSIGNED,
    "unassigned": UNASSIGNED,
    "for_review": and_(Issue.status == lifecycle.UNRESOLVED, UNASSIGNED),
}
# What an event says of itself as a tag would, and the issue keeps in a column.
COLUMNS: Mapping[str, InstrumentedAttribute[str]] = {
    "title": Issue.title,
    "message": Issue.message,
    "culprit": Issue.culprit,
    "platform": Issue.platform,
    "level": Issue.level,
}


def condition(query: Query, *, now: datetime) -> Condition:
    """What an issue must be to be found: every term holds."""
    return and_(literal(True), *(_of_term(term, now) for term in query.terms))


def _of_term(term: Term, now: datetime) -> Condition:
    found = _MAKERS[type(term)](term, now)
    return ~found if term.negated else found


def _is(term: Is, _now: datetime) -> Condition:
    return STATES[term.state]


def _assigned(term: Assigned, _now: datetime) -> Condition:
    if term.user_id is not None:
        return _to_someone(Issue.assignee_user_id == term.user_id)
    if term.team is not None:
        teams = select(Team.id).where(
            Team.slug == term.team.lower(), Team.organization_id == Project.organization_id
        )
        return exists().where(
            Project.id == Issue.project_id, Issue.assignee_team_id.in_(teams.correlate(Project))
        )
    if term.person is not None:
        return _to_someone(Issue.assignee_user_id.in_(_people(term.person.lstrip("@").lower())))
    return UNASSIGNED


def _bookmarked(term: Bookmarked, _now: datetime) -> Condition:
    return exists().where(Bookmark.issue_id == Issue.id, Bookmark.user_id == term.user_id)


def _to_someone(condition: Condition) -> Condition:
    """Never NULL: the opposite of "assigned to me" holds for what is assigned to nobody."""
    return and_(Issue.assignee_user_id.is_not(None), condition)


def _people(name: str) -> Any:
    return (
        select(User.id)
        .outerjoin(EmailAddress, EmailAddress.user_id == User.id)
        .where(or_(User.handle == name, (EmailAddress.address == name) & EmailAddress.is_primary))
    )


def _member(term: Member, _now: datetime) -> Condition:
    return _named(term.key, term.pattern)


def _tag(term: Tag, _now: datetime) -> Condition:
    return _named(term.key, term.pattern)


def _named(key: str, pattern: Pattern) -> Condition:
    column = COLUMNS.get(key)
    if column is not None:
        return _fits(column, pattern)
    of_issue = and_(IssueTag.issue_id == Issue.id, IssueTag.key == key)
    if pattern.is_unset:
        return ~exists().where(of_issue)
    return exists().where(of_issue, _fits(IssueTag.value, pattern))


def _fits(column: InstrumentedAttribute[str], pattern: Pattern) -> Condition:
    if pattern.is_exact:
        return column == pattern.parts[0]
    return column.ilike(pattern.like(), escape="\\")


def _short_id(term: ShortId, _now: datetime) -> Condition:
    """The issue of that number, or the one that it was merged into."""
    here = exists().where(Project.id == Issue.project_id, Project.slug == term.project_slug)
    name = short_id.encode(term.project_slug, term.number)
    merged = select(IssueRedirect.to_id).where(IssueRedirect.short_id == name)
    return or_(and_(Issue.number == term.number, here), Issue.id.in_(merged))


def _times_seen(term: TimesSeen, _now: datetime) -> Condition:
    found: Condition = COMPARE[term.comparison](Issue.times_seen, term.number)
    return found


def _seen(term: SeenWithin, now: datetime) -> Condition:
    column = Issue.first_seen if term.key == "first_seen" else Issue.last_seen
    return and_(*(COMPARE[comparison](column, _moment(bound, now)) for comparison, bound in term.bounds))


def _moment(bound: datetime | timedelta, now: datetime) -> datetime:
    if isinstance(bound, datetime):
        return bound
    try:
        return now - bound
    except OverflowError:  # before the calendar begins, so before everything
        return datetime.min.replace(tzinfo=now.tzinfo)


def _words(term: Words, _now: datetime) -> Condition:
    if not term.text:
        return false()
    columns = (Issue.title, Issue.culprit, Issue.message)
    return or_(*(column.icontains(term.text, autoescape=True) for column in columns))


_MAKERS: Mapping[type, Callable[[Any, datetime], Condition]] = {
    Is: _is,
    Assigned: _assigned,
    Bookmarked: _bookmarked,
    Member: _member,
    Tag: _tag,
    ShortId: _short_id,
    TimesSeen: _times_seen,
    SeenWithin: _seen,
    Words: _words,
}
