"""Search terms as conditions on `Issue`, for SQLite and PostgreSQL alike."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, or_, select, tuple_, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from app.domain import importance, lifecycle, resolutions, short_id
from app.domain.search import (
    Assigned,
    InLatest,
    Is,
    IssueId,
    Query,
    SeenWithin,
    ShortId,
    Term,
    Tied,
    TimesSeen,
)
from app.domain.search.terms import Attribute, Important, Tag, Unreached, Words
from app.domain.search.values import TOLD
from app.models import (
    Bookmark,
    EmailAddress,
    Event,
    Issue,
    IssueCommit,
    IssueRedirect,
    IssueTag,
    Project,
    Subscription,
    Team,
    User,
)
from app.services import access
from app.services.issues import matching_events, matching_notices
from app.services.issues.matching_events import Condition, within
from app.services.preferences.subscribing import SUBSCRIBED
from app.services.releases import release_order

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
    "linked": within(select(IssueCommit.issue_id).where(IssueCommit.tie != resolutions.REFUTED)),
}
_NAMED = aliased(Issue)
_UNRESOLVED, _NOT_BACK = Issue.status == lifecycle.UNRESOLVED, Issue.regressed_at.is_(None)
_QUIET = and_(_UNRESOLVED, _NOT_BACK, Issue.escalated_at.is_(None))
# As `issue_facts.substatus` says of one issue.
SUBSTATES: Mapping[str, Callable[[datetime], Condition]] = {
    lifecycle.REGRESSED: lambda _now: and_(_UNRESOLVED, Issue.regressed_at.is_not(None)),
    lifecycle.ESCALATING: lambda _now: and_(_UNRESOLVED, _NOT_BACK, Issue.escalated_at.is_not(None)),
    lifecycle.NEW: lambda now: and_(_QUIET, Issue.first_seen > now - lifecycle.NEW_FOR),
    lifecycle.ONGOING: lambda now: and_(_QUIET, Issue.first_seen <= now - lifecycle.NEW_FOR),
}


@dataclass(frozen=True, slots=True)
class _Asking:
    """When it is asked, and of which projects; `common` are the terms that many issues meet."""

    now: datetime
    places: Select[int]
    is_sqlite: bool
    common: frozenset[Term]


def condition(session: Session, query: Query, places: Select[int], *, now: datetime) -> Condition:
    """What an issue of these projects must be to be found: every term holds.

    On SQLite it may look first what is common.
    """
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    in_order = any(isinstance(term, Is) and not term.negated for term in query.terms)
    common = matching_events.common(session, query.terms) if is_sqlite and in_order else frozenset()
    asking = _Asking(now, places, is_sqlite, common)
    return and_(literal(True), *(_of_term(term, asking) for term in query.terms))


def _of_term(term: Term, asking: _Asking) -> Condition:
    if isinstance(term, Words):
        found = matching_events.words(term, is_sqlite=asking.is_sqlite)
    elif isinstance(term, Attribute | Tag):
        found = matching_events.of(term, is_common=term in asking.common)
    elif isinstance(term, InLatest):
        found = _in_latest(term, asking.places)
    else:
        found = _MAKERS[type(term)](term, asking.now)
    return ~found if term.negated else found


def _is(term: Is, now: datetime) -> Condition:
    return SUBSTATES[term.state](now) if term.state in SUBSTATES else STATES[term.state]


def _assigned(term: Assigned, _now: datetime) -> Condition:
    if term.user_id is not None:
        return _to_someone(Issue.assignee_user_id == term.user_id)
    if term.team is not None:
        teams = (
            select(Project.id, Team.id)
            .join(Team, Team.organization_id == Project.organization_id)
            .where(Team.slug == term.team.lower())
        )
        held = tuple_(Issue.project_id, Issue.assignee_team_id).in_(teams)
        return and_(Issue.assignee_team_id.is_not(None), held)
    if term.person is not None:
        return _to_someone(Issue.assignee_user_id.in_(_people(term.person)))
    return UNASSIGNED


def _to_someone(condition: Condition) -> Condition:
    """Never NULL: the opposite of "assigned to me" holds for what is assigned to nobody."""
    return and_(Issue.assignee_user_id.is_not(None), condition)


def _people(name: str) -> Any:
    name = name.lstrip("@").lower()
    return (
        select(User.id)
        .outerjoin(EmailAddress, EmailAddress.user_id == User.id)
        .where(or_(User.handle == name, (EmailAddress.address == name) & EmailAddress.is_primary))
    )


def _tied(term: Tied, _now: datetime) -> Condition:
    def is_theirs(column: InstrumentedAttribute[int]) -> Condition:
        if term.user_id is not None:
            return column == term.user_id
        return column.in_(_people(term.person)) if term.person is not None else literal(True)

    nobodys = term.user_id is None and term.person is None
    if term.tie == TOLD:
        found = matching_notices.told(is_theirs, walks=nobodys == term.negated)
    else:
        found = _TIES[term.tie](is_theirs)
    return ~found if nobodys else found


def _bookmarked(is_theirs: Callable[[Any], Condition]) -> Condition:
    return within(select(Bookmark.issue_id).where(is_theirs(Bookmark.user_id)))


def _subscribed(is_theirs: Callable[[Any], Condition]) -> Condition:
    theirs = is_theirs(Subscription.user_id) & (Subscription.state == SUBSCRIBED)
    return within(select(Subscription.issue_id).where(theirs))


_TIES: Mapping[str, Callable[[Callable[[Any], Condition]], Condition]] = {
    "bookmarked": _bookmarked,
    "subscribed": _subscribed,
}


def _unreached(_term: Unreached, _now: datetime) -> Condition:
    return matching_notices.UNREACHED


def _important(term: Important, _now: datetime) -> Condition:
    chosen = func.coalesce(Issue.importance, case(importance.OF_LEVEL, value=Issue.level))
    return chosen == term.importance


def _in_latest(term: InLatest, places: Select[int]) -> Condition:
    newest = release_order.newest_of_each(places)
    if term.first:
        began = tuple_(Issue.project_id, Issue.first_release).in_(newest)
        return and_(Issue.first_release.is_not(None), began)
    return within(
        select(IssueTag.issue_id)
        .join(Issue, Issue.id == IssueTag.issue_id)
        .where(IssueTag.key == "release", tuple_(Issue.project_id, IssueTag.value).in_(newest))
        .correlate(None)
    )


def _issue_id(term: IssueId, _now: datetime) -> Condition:
    return access.named(term.number)


def _short_id(term: ShortId, _now: datetime) -> Condition:
    """The issue of that number, or the one that it was merged into."""
    projects = select(Project.id).where(Project.slug == term.project_slug)
    here = select(_NAMED.id).where(_NAMED.project_id.in_(projects), _NAMED.number == term.number)
    name = short_id.encode(term.project_slug, term.number)
    merged = select(IssueRedirect.to_id).where(IssueRedirect.short_id == name)
    return Issue.id.in_(union_all(here, merged))  # for an `OR`, PostgreSQL reads all issues


def _times_seen(term: TimesSeen, _now: datetime) -> Condition:
    found: Condition = COMPARE[term.comparison](Issue.times_seen, term.number)
    return found


def _seen(term: SeenWithin, now: datetime) -> Condition:
    if term.key == "timestamp":
        return _happened(term, now)
    column = Issue.first_seen if term.key == "first_seen" else Issue.last_seen
    return and_(*(COMPARE[comparison](column, _moment(bound, now)) for comparison, bound in term.bounds))


def _happened(term: SeenWithin, now: datetime) -> Condition:
    """An event within all bounds. What an issue says of its first and last one spares most of the looking."""
    bounds = [(comparison, _moment(bound, now)) for comparison, bound in term.bounds]
    own = [COMPARE[comparison](Event.timestamp, moment) for comparison, moment in bounds]
    roughly = [
        COMPARE[comparison](Issue.last_seen if comparison[0] == ">" else Issue.first_seen, moment)
        for comparison, moment in bounds
    ]
    found = select(Event.id).where(Event.issue_id == Issue.id, *own).correlate(Issue)
    return and_(*roughly, found.exists())


def _moment(bound: datetime | timedelta, now: datetime) -> datetime:
    if isinstance(bound, datetime):
        return bound
    try:
        return now - bound
    except OverflowError:  # before the calendar begins, so before everything
        return datetime.min.replace(tzinfo=now.tzinfo)


_MAKERS: Mapping[type, Callable[[Any, datetime], ColumnElement[bool]]] = {
    Is: _is,
    Assigned: _assigned,
    Tied: _tied,
    Unreached: _unreached,
    Important: _important,
    IssueId: _issue_id,
    ShortId: _short_id,
    TimesSeen: _times_seen,
    SeenWithin: _seen,
}
