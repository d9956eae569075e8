"""Issues: lists and details (`web-api.md` 4)."""

from collections.abc import Collection, Sequence
from dataclasses import asdict

from flask import jsonify, request
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from app.api import narrowing, shapes, status_details
from app.api.blueprint import Answer, Invalid, bp
from app.api.credentials import me, needs
from app.api.paging import FIRST, linked, size
from app.api.places import visible_issue, visible_organization
from app.api.shapes import Json
from app.clock import now
from app.db import db
from app.domain import cursor
from app.models import Activity, Issue, Subscription, User
from app.services import access, bookmarking, finding, issue_lists
from app.services.finding import Scope

# What clients write → our name of the order.
SORTS = {"date": "date", "new": "new", "freq": "freq", "user": "users"}
MOST_ACTIVITIES = 100


@bp.get("/projects/<org>/<proj>/issues/")
@needs("event:read")
def issues_of_project(org: str, proj: str) -> Answer:
    return _list(narrowing.scope_of_project(org, proj))


@bp.get("/organizations/<org>/issues/")
@needs("event:read")
def issues_of_organization(org: str) -> Answer:
    return _list(narrowing.scope_of_organization(org))


def _list(scope: Scope) -> Answer:
    found = finding.find(
        db.session, scope, narrowing.query(), now=now(), sort=_sort(), cursor=_cursor(), size=size()
    )
    issues = [row.issue for row in found.rows]
    _load_assignees(issues)
    followed = _followed([issue.id for issue in issues])
    kept = bookmarking.among(db.session, [issue.id for issue in issues], user=me())
    details = status_details.of(issues)
    lines = [
        shapes.issue(
            row.issue,
            subscribed=row.issue.id in followed,
            bookmarked=row.issue.id in kept,
            status_details=details.get(row.issue.id),
            hours=row.hours,
        )
        for row in found.rows
    ]
    return linked(lines, previous=found.previous, following=found.next)


def _sort() -> str:
    name = request.args.get("sort") or "date"
    if name not in SORTS:
        raise Invalid(f"sort must be one of: {', '.join(SORTS)}.")
    return SORTS[name]


def _cursor() -> cursor.Cursor | None:
    given = request.args.get("cursor") or FIRST
    here = cursor.decode(given)
    if here is None and given != FIRST:
        raise Invalid("Invalid cursor.")
    return here


def _load_assignees(issues: Sequence[Issue]) -> None:
    """With their addresses, in a number of queries that does not grow with the list."""
    ids = {issue.assignee_user_id for issue in issues}
    db.session.scalars(select(User).where(User.id.in_(ids)).options(selectinload(User.addresses))).all()


def _followed(issue_ids: Collection[int]) -> set[int]:
    found = select(Subscription.issue_id).where(
        Subscription.user_id == me().id,
        Subscription.issue_id.in_(issue_ids),
        Subscription.state == "subscribed",
    )
    return set(db.session.scalars(found))


@bp.get("/issues/<issue>/")
@bp.get("/organizations/<org>/issues/<issue>/")
@needs("event:read")
def issue_details(issue: str, org: str | None = None) -> Answer:
    return jsonify(details(visible_issue(issue, org)))


def details(row: Issue) -> Json:
    """An issue with its history and its tags."""
    found = select(Activity).where(Activity.issue_id == row.id).order_by(Activity.id.desc())
    recent = found.limit(MOST_ACTIVITIES).options(selectinload(Activity.actor).selectinload(User.addresses))
    return {
        **_line(row),
        "firstRelease": {"version": row.first_release} if row.first_release else None,
        "lastRelease": {"version": row.last_release} if row.last_release else None,
        "tags": [
            {"key": key, "name": key, "topValues": [asdict(share) for share in top]}
            for key, top in issue_lists.tag_shares(db.session, row).items()
        ],
        "activity": [shapes.activity(each) for each in db.session.scalars(recent)],
        "seenBy": [],
    }


def _line(row: Issue) -> Json:
    details = status_details.of([row]).get(row.id)
    return shapes.issue(
        row,
        subscribed=row.id in _followed([row.id]),
        bookmarked=row.id in bookmarking.among(db.session, [row.id], user=me()),
        status_details=details,
    )


@bp.get("/organizations/<org>/shortids/<short_id>/")
@needs("event:read")
def by_short_id(org: str, short_id: str) -> Answer:
    row = access.visible_issue_by_short_id(db.session, me(), visible_organization(org), short_id)
    return jsonify(
        organizationSlug=row.project.organization.slug,
        projectSlug=row.project.slug,
        groupId=str(row.id),
        group=_line(row),
        shortId=row.short_id,
    )
