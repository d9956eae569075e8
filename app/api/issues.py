"""Issues: lists and details (`web-api.md` 4)."""

from collections.abc import Collection, Sequence
from typing import Literal, NamedTuple

from flask import jsonify, request
from sqlalchemy import literal, select, union_all
from sqlalchemy.orm import joinedload

from app.api import narrowing, orders, shapes, status_details
from app.api.blueprint import Answer, Invalid, bp
from app.api.credentials import grants, me, needs
from app.api.describing import Page, Query, describes
from app.api.paging import FIRST, linked, size
from app.api.places import visible_issue, visible_organization
from app.api.types.issues import IssueDetailsJson, IssueJson, ShortIdJson
from app.clock import now
from app.db import db
from app.domain import cursor
from app.domain.lifecycle import STATUSES
from app.domain.search import Is, Term
from app.domain.search import Query as Search
from app.models import Activity, Bookmark, Issue, IssueSight, Subscription, User
from app.services import access
from app.services.issues import finding, issue_lists, seeing
from app.services.issues.finding import Scope

MOST_ACTIVITIES, MOST_SEEING = 100, 100
SORT = Query(
    "sort",
    "Newest event, newest issue, most events or most people first; or often and lately.",
    Literal["date", "new", "freq", "user", "priority"],
)


@bp.get("/projects/<org>/<proj>/issues/")
@needs("event:read")
@describes({200: Page[IssueJson]}, query=[*narrowing.OF_PROJECT, SORT])
def issues_of_project(org: str, proj: str) -> Answer:
    """The issues of a project.

    Newest event first.
    """
    return _list(narrowing.scope_of_project(org, proj))


@bp.get("/organizations/<org>/issues/")
@needs("event:read")
@describes({200: Page[IssueJson]}, query=[*narrowing.OF_ORGANIZATION, SORT])
def issues_of_organization(org: str) -> Answer:
    """The issues of an organization.

    Of all projects that the token sees; newest event first.
    """
    return _list(narrowing.scope_of_organization(org))


def _list(scope: Scope) -> Answer:
    query = narrowing.query()
    found = finding.find(
        db.session,
        scope,
        query,
        now=now(),
        sort=orders.read(request.args.get("sort", "")),
        cursor=_cursor(),
        size=size(),
    )
    issues = [row.issue for row in found.rows]
    _load_assignees(issues)
    mine = _mine([issue.id for issue in issues])
    details = status_details.of(issues)
    lines = [
        shapes.issue(
            row.issue,
            subscribed=row.issue.id in mine.followed,
            bookmarked=row.issue.id in mine.kept,
            seen=row.issue.id in mine.seen,
            status_details=details.get(row.issue.id),
            hours=row.hours,
        )
        for row in found.rows
    ]
    hits = _hits(scope, query, found)
    response = linked(lines, previous=found.previous, following=found.next, hits=hits)
    if hits is not None:
        response.headers["X-Max-Hits"] = str(finding.COUNTED_UP_TO)
    return response


def _hits(scope: Scope, query: Search, found: finding.Page) -> int | None:
    """How many issues there are, up to a limit; None where only looking at all of them would tell."""
    if not found.rows and _cursor():
        return None  # the place is past the end
    if not (found.previous or found.next):
        return len(found.rows)
    if scope.environments or not all(_is_indexed(term) for term in query.terms):
        return None
    return finding.counts(db.session, scope, [""], now=now(), also=query)[""]


def _is_indexed(term: Term) -> bool:
    """Whether an index alone counts what meets it."""
    return isinstance(term, Is) and term.state in STATUSES and not term.negated


def _cursor() -> cursor.Cursor | None:
    given = request.args.get("cursor") or FIRST
    here = cursor.decode(given)
    if here is None and given != FIRST:
        raise Invalid("Invalid cursor.")
    return here


def _load_assignees(issues: Sequence[Issue]) -> None:
    """With their addresses, in a number of queries that does not grow with the list."""
    ids = {issue.assignee_user_id for issue in issues}
    db.session.scalars(
        select(User).where(User.id.in_(ids)).options(joinedload(User.addresses))
    ).unique().all()


class _Mine(NamedTuple):
    """Those of some issues that the person subscribed to, bookmarked, has seen."""

    followed: set[int]
    kept: set[int]
    seen: set[int]


def _mine(issue_ids: Collection[int]) -> _Mine:
    """One query."""
    followed = select(literal("followed"), Subscription.issue_id).where(
        Subscription.user_id == me().id,
        Subscription.issue_id.in_(issue_ids),
        Subscription.state == "subscribed",
    )
    kept = select(literal("kept"), Bookmark.issue_id).where(
        Bookmark.user_id == me().id, Bookmark.issue_id.in_(issue_ids)
    )
    seen = (
        select(literal("seen"), IssueSight.issue_id)
        .join(Issue, Issue.id == IssueSight.issue_id)
        .where(IssueSight.user_id == me().id, IssueSight.issue_id.in_(issue_ids), seeing.IS_SEEN)
    )
    rows = db.session.execute(union_all(followed, kept, seen)).all()
    return _Mine(*({id_ for what, id_ in rows if what == each} for each in _Mine._fields))


@bp.get("/issues/<issue>/")
@bp.get("/organizations/<org>/issues/<issue>/")
@needs("event:read")
@describes({200: IssueDetailsJson}, query=[narrowing.WHOSE])
def issue_details(issue: str, org: str | None = None) -> Answer:
    """One issue, with its history and its tags."""
    return jsonify(details(visible_issue(issue, org)))


def details(row: Issue) -> IssueDetailsJson:
    """An issue with its history and its tags."""
    shares, times_written = issue_lists.brief(db.session, row)
    with_emails = grants("member:read")
    return {
        **_line(row),
        "firstRelease": {"version": row.first_release} if row.first_release else None,
        "lastRelease": {"version": row.last_release} if row.last_release else None,
        "tags": [
            {
                "key": key,
                "name": key,
                "topValues": [{"value": each.value, "percent": each.percent} for each in top],
            }
            for key, top in shares.items()
        ],
        "activity": [shapes.activity(each) for each in _recent(row)],
        "seenBy": [
            shapes.seen_by(each, with_email=with_emails)
            for each in seeing.by(db.session, row, limit=MOST_SEEING)
        ],
        "userReportCount": times_written,
    }


def _recent(row: Issue) -> Sequence[Activity]:
    """With who did it and their addresses; one query."""
    found = select(Activity).where(Activity.issue_id == row.id).order_by(Activity.id.desc())
    with_actors = found.options(joinedload(Activity.actor).joinedload(User.addresses))
    return db.session.scalars(with_actors.limit(MOST_ACTIVITIES)).unique().all()


def _line(row: Issue) -> IssueJson:
    details = status_details.of([row]).get(row.id)
    mine = _mine([row.id])
    return shapes.issue(
        row,
        subscribed=row.id in mine.followed,
        bookmarked=row.id in mine.kept,
        seen=row.id in mine.seen,
        status_details=details,
    )


@bp.get("/organizations/<org>/shortids/<short_id>/")
@needs("event:read")
@describes({200: ShortIdJson})
def by_short_id(org: str, short_id: str) -> Answer:
    """The issue of a short id."""
    row = access.visible_issue_by_short_id(db.session, me(), visible_organization(org), short_id)
    return jsonify(
        organizationSlug=row.project.organization.slug,
        projectSlug=row.project.slug,
        groupId=str(row.id),
        group=_line(row),
        shortId=row.short_id,
    )
