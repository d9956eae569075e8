"""Who is asking, organizations, teams, members, projects and their keys (`web-api.md` 3 and 4)."""

from typing import Any

from flask import Response, jsonify
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from app.api import shapes
from app.api.blueprint import Denied, Invalid, body, bp, known_members, me, needs, token_or_none
from app.api.paging import whole_list
from app.clock import now
from app.db import db
from app.domain.errors import NotFound
from app.models import Membership, Organization, Project, ProjectKey
from app.services import access, workspaces

Answer = Response | tuple[Response, int] | tuple[str, int]
MAIL_DETAILS = ("full", "counts", "link")


@bp.get("/", strict_slashes=False)
def about() -> Answer:
    """The API's version, and whose token this is; the first thing that sentry-cli asks."""
    token = token_or_none()
    auth = {"scopes": token.scopes} if token else None
    user = {"id": str(token.user.id), "email": token.user.email, "name": token.user.name} if token else None
    return jsonify(version="0", auth=auth, user=user)


@bp.get("/organizations/", strict_slashes=False)
@needs("org:read")
def organizations() -> Answer:
    return whole_list([shapes.organization(row) for row in access.visible_organizations(db.session, me())])


@bp.get("/organizations/<org>/", strict_slashes=False)
@needs("org:read")
def organization(org: str) -> Answer:
    return jsonify(shapes.organization(visible_organization(org)))


@bp.get("/organizations/<org>/teams/", strict_slashes=False)
@needs("team:read")
def teams(org: str) -> Answer:
    rows = workspaces.teams(db.session, visible_organization(org))
    return whole_list([shapes.team(row) for row in rows])


@bp.get("/organizations/<org>/members/", strict_slashes=False)
@needs("member:read")
def members(org: str) -> Answer:
    found = select(Membership).where(Membership.organization_id == visible_organization(org).id)
    return whole_list([shapes.member(row) for row in db.session.scalars(found.order_by(Membership.id))])


@bp.get("/projects/", strict_slashes=False)
@needs("project:read")
def projects() -> Answer:
    return whole_list([shapes.project(row) for row in _with_teams(access.visible_projects(db.session, me()))])


@bp.get("/organizations/<org>/projects/", strict_slashes=False)
@needs("project:read")
def projects_of(org: str) -> Answer:
    organization_id = visible_organization(org).id
    seen = access.visible_projects(db.session, me())
    mine = [row for row in seen if row.organization_id == organization_id]
    return whole_list([shapes.project(row) for row in _with_teams(mine)])


def _with_teams(rows: list[Project]) -> list[Project]:
    """The same rows, their teams loaded with one query."""
    ids = [row.id for row in rows]
    db.session.scalars(select(Project).where(Project.id.in_(ids)).options(selectinload(Project.teams))).all()
    return rows


@bp.post("/teams/<org>/<team>/projects/", strict_slashes=False)
@needs("project:admin")
def create_project(org: str, team: str) -> Answer:
    organization = visible_organization(org)
    may(organization, "create_project")
    owner = workspaces.find_team(db.session, organization, team)
    if owner is None:
        raise NotFound
    given = body()
    known_members(given, "name", "slug", "platform")
    name = text(given, "name")
    if not name:
        raise Invalid(name="This field is required.")
    slug = text(given, "slug") or "-".join(name.lower().split())
    if workspaces.find_project(db.session, organization, slug):
        return jsonify(detail="A project with this slug already exists."), 409
    platform = text(given, "platform") or "other"
    made = workspaces.create_project(
        db.session, organization, slug=slug, name=name, platform=platform, teams=[owner], now=now()
    )
    db.session.commit()
    return jsonify(shapes.project(made)), 201


@bp.get("/projects/<org>/<proj>/", strict_slashes=False)
@needs("project:read")
def project(org: str, proj: str) -> Answer:
    row = visible_project(org, proj)
    return jsonify({**shapes.project(row), **shapes.project_settings(row)})


@bp.put("/projects/<org>/<proj>/", strict_slashes=False)
@needs("project:write")
def change_project(org: str, proj: str) -> Answer:
    row = visible_project(org, proj)
    may(row, "edit_project")
    given = body()
    known_members(given, "name", "platform", "subjectPrefix", "mailDetail")
    if given.get("mailDetail", MAIL_DETAILS[0]) not in MAIL_DETAILS:
        raise Invalid(mailDetail=f"Must be one of: {', '.join(MAIL_DETAILS)}.")
    row.name = workspaces.named(text(given, "name") or row.name, row.slug)
    row.platform = (text(given, "platform") or row.platform)[:32]
    row.subject_prefix = text(given, "subjectPrefix", row.subject_prefix)[:64]
    row.mail_detail = given.get("mailDetail", row.mail_detail)
    db.session.commit()
    return jsonify({**shapes.project(row), **shapes.project_settings(row)})


@bp.delete("/projects/<org>/<proj>/", strict_slashes=False)
@needs("project:admin")
def delete_project(org: str, proj: str) -> Answer:
    row = visible_project(org, proj)
    may(row.organization, "edit_organization")
    db.session.delete(row)
    db.session.commit()
    return "", 204


@bp.get("/projects/<org>/<proj>/keys/", strict_slashes=False)
@needs("project:read")
def keys(org: str, proj: str) -> Answer:
    rows = workspaces.keys(db.session, visible_project(org, proj))
    return whole_list([shapes.key(row) for row in rows])


@bp.post("/projects/<org>/<proj>/keys/", strict_slashes=False)
@needs("project:write")
def create_key(org: str, proj: str) -> Answer:
    row = visible_project(org, proj)
    may(row, "edit_project")
    given = body()
    known_members(given, "name", "rateLimit")
    made = workspaces.create_key(db.session, row, label=text(given, "name"), now=now())
    _limit(made, given)
    db.session.commit()
    return jsonify(shapes.key(made)), 201


@bp.get("/projects/<org>/<proj>/keys/<public>/", strict_slashes=False)
@needs("project:read")
def key(org: str, proj: str, public: str) -> Answer:
    return jsonify(shapes.key(_key(visible_project(org, proj), public)))


@bp.put("/projects/<org>/<proj>/keys/<public>/", strict_slashes=False)
@needs("project:write")
def change_key(org: str, proj: str, public: str) -> Answer:
    row = visible_project(org, proj)
    may(row, "edit_project")
    found = _key(row, public)
    given = body()
    known_members(given, "name", "isActive", "rateLimit")
    if "name" in given:
        workspaces.rename_key(found, text(given, "name"))
    if not isinstance(given.get("isActive", True), bool):
        raise Invalid(isActive="Must be true or false.")
    found.is_active = given.get("isActive", found.is_active)
    _limit(found, given)
    db.session.commit()
    return jsonify(shapes.key(found))


@bp.delete("/projects/<org>/<proj>/keys/<public>/", strict_slashes=False)
@needs("project:admin")
def delete_key(org: str, proj: str, public: str) -> Answer:
    row = visible_project(org, proj)
    may(row, "edit_project")
    db.session.delete(_key(row, public))
    db.session.commit()
    return "", 204


def visible_organization(name: str) -> Organization:
    """By slug or id; `NotFound` unless this person belongs to it."""
    if name.isascii() and name.isdigit():
        row = db.session.get(Organization, int(name)) if len(name) < 16 else None
        name = row.slug if row else ""
    return access.visible_organization(db.session, me(), name)


def visible_project(org: str, proj: str) -> Project:
    """By slugs or ids; `NotFound` unless this person sees it."""
    organization = visible_organization(org)
    if proj.isascii() and proj.isdigit():
        row = db.session.get(Project, int(proj)) if len(proj) < 16 else None
        proj = row.slug if row and row.organization_id == organization.id else proj
    return access.visible_project(db.session, me(), organization.slug, proj)


def may(where: Project | Organization, permission: str) -> None:
    """`Denied` unless this person's role there has the permission."""
    if not access.can(db.session, me(), where, permission):
        raise Denied(403, "You do not have permission to perform this action.")


def text(given: dict[str, Any], member: str, otherwise: str = "") -> str:
    """A member that must be text; null and absence are the same."""
    value = given.get(member)
    if value is None:
        return otherwise
    if not isinstance(value, str):
        raise Invalid(**{member: "Must be text."})
    return value.replace("\x00", "").strip()


def _key(row: Project, public: str) -> ProjectKey:
    found = select(ProjectKey).where(ProjectKey.project_id == row.id, ProjectKey.public == public)
    key = db.session.scalar(found)
    if key is None:
        raise NotFound
    return key


def _limit(row: ProjectKey, given: dict[str, Any]) -> None:
    if "rateLimit" not in given:
        return
    limit = given["rateLimit"] or {}
    if not isinstance(limit, dict) or not all(
        isinstance(limit.get(name), int | None) for name in ("count", "window")
    ):
        raise Invalid(rateLimit='Must be null or {"window": seconds, "count": events}.')
    workspaces.limit_key(row, count=limit.get("count"), window=limit.get("window"))
