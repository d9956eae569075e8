"""Issues: lists, details, updates of one and of many, comments (`web-api.md` 4)."""

from collections.abc import Sequence

from flask import jsonify, request
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from app.api import shapes
from app.api.blueprint import Invalid, body, bp, known_members, me, needs
from app.api.organizations import Answer, text, visible_organization, visible_project
from app.api.paging import linked, size, whole_list
from app.clock import now
from app.db import db
from app.domain import cursor, search
from app.domain.errors import NotFound
from app.domain.issue_update import BadUpdate, Update, read
from app.models import Activity, Issue, Organization, Subscription
from app.services import access, commenting, finding, issue_facts, updating
from app.services.finding import Scope

MOST_AT_ONCE = 1000
MOST_ACTIVITIES = 100


@bp.get("/projects/<org>/<proj>/issues/", strict_slashes=False)
@needs("event:read")
def issues_of_project(org: str, proj: str) -> Answer:
    project = visible_project(org, proj)
    return _list(Scope(me(), project.organization, project))


@bp.get("/organizations/<org>/issues/", strict_slashes=False)
@needs("event:read")
def issues_of_organization(org: str) -> Answer:
    return _list(_scope_of_organization(org))


def _scope_of_organization(org: str) -> Scope:
    organization = visible_organization(org)
    wanted = request.args.get("project")
    if wanted in (None, "", "-1"):
        return Scope(me(), organization)
    return Scope(me(), organization, visible_project(org, wanted or ""))


def _list(scope: Scope) -> Answer:
    sort = request.args.get("sort") or "date"
    if sort not in finding.SORTS:
        raise Invalid(detail=f"sort must be one of: {', '.join(finding.SORTS)}.")
    given = request.args.get("cursor") or ""
    here = None if given.startswith("0:0:") else cursor.decode(given)
    if given and here is None and not given.startswith("0:0:"):
        raise Invalid(detail="Invalid cursor.")
    page = finding.find(db.session, scope, _query(), now=now(), sort=sort, cursor=here, size=size())
    mine = _subscribed([row.issue.id for row in page.rows])
    rows = [shapes.issue(row.issue, subscribed=row.issue.id in mine, hours=row.hours) for row in page.rows]
    return linked(
        rows,
        page.previous or "0:0:1",
        page.next or "0:0:0",
        before=page.previous is not None,
        after=page.next is not None,
    )


def _query() -> search.Query:
    """The search; absent it is `is:unresolved`, empty it finds everything."""
    try:
        return search.parse(request.args.get("query"), me=me().id)
    except search.BadSearch as error:
        raise Invalid(detail=str(error)) from None


def _subscribed(issue_ids: Sequence[int]) -> set[int]:
    found = select(Subscription.issue_id).where(
        Subscription.user_id == me().id,
        Subscription.issue_id.in_(issue_ids),
        Subscription.state == "subscribed",
    )
    return set(db.session.scalars(found))


@bp.get("/issues/<issue>/", strict_slashes=False)
@bp.get("/organizations/<org>/issues/<issue>/", strict_slashes=False)
@needs("event:read")
def issue_details(issue: str, org: str | None = None) -> Answer:
    return jsonify(_details(visible_issue(issue, org)))


def _details(row: Issue) -> shapes.Json:
    found = (
        select(Activity)
        .where(Activity.issue_id == row.id)
        .order_by(Activity.id.desc())
        .limit(MOST_ACTIVITIES)
        .options(selectinload(Activity.actor))
    )
    tags = issue_facts.tag_shares(db.session, row)
    return {
        **shapes.issue(row, subscribed=row.id in _subscribed([row.id])),
        "firstRelease": {"version": row.first_release} if row.first_release else None,
        "lastRelease": {"version": row.last_release} if row.last_release else None,
        "tags": [
            {"key": key, "name": key, "totalValues": len(values), "topValues": [each.value for each in values]}
            for key, values in tags.items()
        ],
        "activity": [shapes.activity(each) for each in db.session.scalars(found)],
        "seenBy": [],
    }


@bp.put("/issues/<issue>/", strict_slashes=False)
@bp.put("/organizations/<org>/issues/<issue>/", strict_slashes=False)
@needs("event:write")
def update_issue(issue: str, org: str | None = None) -> Answer:
    row = visible_issue(issue, org)
    _apply([row], _asked_for())
    return jsonify(_details(row))


@bp.put("/projects/<org>/<proj>/issues/", strict_slashes=False)
@needs("event:write")
def update_issues_of_project(org: str, proj: str) -> Answer:
    project = visible_project(org, proj)
    return _update_many(Scope(me(), project.organization, project))


@bp.put("/organizations/<org>/issues/", strict_slashes=False)
@needs("event:write")
def update_issues_of_organization(org: str) -> Answer:
    if not any(request.args.get(name) for name in ("id", "query", "status")):
        raise Invalid(detail="Name the issues: with id, query or status.")
    return _update_many(_scope_of_organization(org))


def _update_many(scope: Scope) -> Answer:
    update = _asked_for()
    _apply(_chosen(scope), update)
    return jsonify(request.get_json(force=True, silent=True))


def _asked_for() -> Update:
    try:
        return read(body())
    except BadUpdate as error:
        raise Invalid(**{error.member: error.message}) from None


def _chosen(scope: Scope) -> list[Issue]:
    """The issues that the query string names: by id, by search, by status, or all of the project."""
    found = select(Issue).where(scope.holds).order_by(Issue.id).limit(MOST_AT_ONCE)
    ids = request.args.getlist("id")
    if ids:
        if not all(each.isascii() and each.isdigit() and len(each) < 16 for each in ids):
            raise Invalid(detail="id must be a number.")
        return list(db.session.scalars(found.where(Issue.id.in_([int(each) for each in ids]))))
    status = request.args.get("status")
    if status:
        return list(db.session.scalars(found.where(Issue.status == status)))
    if request.args.get("query"):
        page = finding.find(db.session, scope, _query(), now=now(), size=MOST_AT_ONCE)
        return [row.issue for row in page.rows]
    return list(db.session.scalars(found))


def _apply(rows: Sequence[Issue], update: Update) -> None:
    for row in rows:
        updating.update(db.session, row, update, by=me(), now=now(), via="api")
    db.session.commit()


@bp.get("/issues/<issue>/comments/", strict_slashes=False)
@bp.get("/organizations/<org>/issues/<issue>/comments/", strict_slashes=False)
@needs("event:read")
def comments(issue: str, org: str | None = None) -> Answer:
    row = visible_issue(issue, org)
    found = select(Activity).where(Activity.issue_id == row.id, Activity.type == "note")
    return whole_list([shapes.activity(each) for each in db.session.scalars(found.order_by(Activity.id.desc()))])


@bp.post("/issues/<issue>/comments/", strict_slashes=False)
@bp.post("/organizations/<org>/issues/<issue>/comments/", strict_slashes=False)
@needs("event:write")
def comment(issue: str, org: str | None = None) -> Answer:
    row = visible_issue(issue, org)
    given = body()
    known_members(given, "text")
    made = commenting.comment(db.session, row, text=text(given, "text"), by=me(), now=now())
    db.session.commit()
    return jsonify(shapes.activity(made)), 201


@bp.get("/organizations/<org>/shortids/<short_id>/", strict_slashes=False)
@needs("event:read")
def by_short_id(org: str, short_id: str) -> Answer:
    row = access.visible_issue_by_short_id(db.session, me(), visible_organization(org), short_id)
    return jsonify(
        organizationSlug=row.project.organization.slug,
        projectSlug=row.project.slug,
        groupId=str(row.id),
        group=shapes.issue(row, subscribed=row.id in _subscribed([row.id])),
        shortId=row.short_id,
    )


def visible_issue(name: str, org: str | None) -> Issue:
    """By number or short id; without an organization in the path, in any that this person belongs to."""
    within = [visible_organization(org)] if org else access.visible_organizations(db.session, me())
    if name.isascii() and name.isdigit() and len(name) < 16:
        row = access.visible_issue(db.session, me(), int(name))
        if row.project.organization_id in {each.id for each in within}:
            return row
        raise NotFound
    for organization in within:
        found = _by_short_id(organization, name)
        if found:
            return found
    raise NotFound


def _by_short_id(organization: Organization, name: str) -> Issue | None:
    try:
        return access.visible_issue_by_short_id(db.session, me(), organization, name)
    except NotFound:
        return None
