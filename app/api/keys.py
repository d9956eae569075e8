"""The keys that SDKs send with (`web-api.md` 4)."""

from flask import jsonify

from app.api import shapes
from app.api.blueprint import Answer, Invalid, bp
from app.api.credentials import may, needs
from app.api.describing import Page, describes
from app.api.paging import whole_list
from app.api.places import visible_project
from app.api.reading import Json, body, flag, known_members, member_object, text, whole_number
from app.api.types.workspaces import KeyChangeJson, KeyJson, NewKeyJson
from app.clock import now
from app.db import db
from app.domain.errors import NotFound
from app.models import Project, ProjectKey
from app.services.people import workspaces


@bp.get("/projects/<org>/<proj>/keys/")
@needs("project:read")
@describes({200: Page[KeyJson]})
def keys(org: str, proj: str) -> Answer:
    """The keys of a project."""
    rows = workspaces.keys(db.session, visible_project(org, proj))
    return whole_list([shapes.key(row) for row in rows])


@bp.post("/projects/<org>/<proj>/keys/")
@needs("project:write")
@describes({201: KeyJson}, body=NewKeyJson)
def create_key(org: str, proj: str) -> Answer:
    """Make a key."""
    project = _editable_project(org, proj)
    given = body()
    known_members(given, "name", "rateLimit")
    made = workspaces.create_key(db.session, project, label=text(given, "name"), now=now())
    _limit(made, given)
    db.session.commit()
    return jsonify(shapes.key(made)), 201


@bp.get("/projects/<org>/<proj>/keys/<public>/")
@needs("project:read")
@describes({200: KeyJson})
def key(org: str, proj: str, public: str) -> Answer:
    """One key."""
    return jsonify(shapes.key(_find(visible_project(org, proj), public)))


@bp.put("/projects/<org>/<proj>/keys/<public>/")
@needs("project:write")
@describes({200: KeyJson}, body=KeyChangeJson)
def change_key(org: str, proj: str, public: str) -> Answer:
    """Rename, switch or limit a key.

    What is absent stays. A limit takes effect within seconds.
    """
    row = _find(_editable_project(org, proj), public)
    given = body()
    known_members(given, "name", "isActive", "rateLimit")
    if "name" in given:
        workspaces.rename_key(row, text(given, "name"))
    if "isActive" in given:
        row.is_active = flag(given, "isActive")
    _limit(row, given)
    db.session.commit()
    return jsonify(shapes.key(row))


@bp.delete("/projects/<org>/<proj>/keys/<public>/")
@needs("project:admin")
@describes({204: None})
def delete_key(org: str, proj: str, public: str) -> Answer:
    """Delete a key.

    Events that are sent with it are refused from then on.
    """
    db.session.delete(_find(_editable_project(org, proj), public))
    db.session.commit()
    return "", 204


def _editable_project(org: str, proj: str) -> Project:
    project = visible_project(org, proj)
    may(project, "edit_project")
    return project


def _find(project: Project, public: str) -> ProjectKey:
    row = workspaces.find_key(db.session, project.id, public)
    if row is None:
        raise NotFound
    return row


def _limit(row: ProjectKey, given: Json) -> None:
    """`{"window": seconds, "count": events}`; null for no limit of its own."""
    if "rateLimit" not in given:
        return
    limit = member_object(given, "rateLimit")
    known_members(limit, "window", "count")
    count, window = whole_number(limit, "count"), whole_number(limit, "window")
    if limit and count is None:
        raise Invalid('Must be null or {"window": seconds, "count": events}.', "rateLimit")
    workspaces.limit_key(row, count=count, window=window)
