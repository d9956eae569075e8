"""A person's notification settings (`web-api.md` 6): the page's service, the page's checks, the page's audit."""

from typing import Any

from flask import current_app, jsonify

from app.api.blueprint import Denied, Invalid, body, bp, known_members, me, needs
from app.api.organizations import Answer
from app.clock import now
from app.db import db
from app.domain.errors import NotFound
from app.domain.kinds import WORKFLOW_SWITCHES
from app.domain.preferences import ALERTS, OWN_ACTIVITY, PER_PROJECT, WORKFLOW
from app.models import Project, User
from app.services import access, accounts, preferring
from app.services.preferring import Defaults

SWITCHES = {"ownActivity": OWN_ACTIVITY}
Json = dict[str, Any]


@bp.get("/users/me/notification-settings/", strict_slashes=False)
@needs("org:read")
def my_settings() -> Answer:
    return jsonify(_settings(me()))


@bp.get("/users/<int:user_id>/notification-settings/", strict_slashes=False)
@needs("org:read")
def settings_of(user_id: int) -> Answer:
    """Of somebody else: for the instance's administrators, to read."""
    if not me().is_superuser and me().id != user_id:
        raise Denied(403, "You do not have permission to perform this action.")
    user = db.session.get(User, user_id)
    if user is None:
        raise NotFound
    return jsonify(_settings(user))


@bp.put("/users/me/notification-settings/", strict_slashes=False)
@needs("org:read")
def change_settings() -> Answer:
    given = body()
    known_members(given, ALERTS, WORKFLOW, "workflowKinds", *SWITCHES, "timezone", "projects")
    for category in (ALERTS, WORKFLOW):
        if category in given:
            _choose(category, given[category])
    for kind, value in _object(given, "workflowKinds").items():
        _choose(WORKFLOW, None if _flag(kind, value) else "off", kind=kind)
    for member, category in SWITCHES.items():
        if member in given:
            _choose(category, "on" if _flag(member, given[member]) else None)
    if "timezone" in given:
        me().timezone = accounts.checked_timezone(str(given["timezone"]))
    projects = {project.slug: project for project in _projects(me())}
    for slug, choices in _object(given, "projects").items():
        _choose_for_project(projects, slug, choices)
    db.session.commit()
    return jsonify(_settings(me()))


def _choose_for_project(projects: dict[str, Project], slug: str, choices: Any) -> None:
    if slug not in projects:
        raise Invalid(projects=f"“{slug}” is no project of yours.")
    if not isinstance(choices, dict):
        raise Invalid(projects=f"“{slug}” must be an object.")
    known_members(choices, *PER_PROJECT)
    for category, value in choices.items():
        _choose(category, value, project=projects[slug])


def _choose(category: str, value: Any, *, project: Project | None = None, kind: str = "") -> None:
    if not isinstance(value, str | None):
        raise Invalid(**{kind or category: "Must be text."})
    chosen = None if value == "default" else value
    preferring.choose(db.session, me(), category, chosen, project=project, kind=kind, via="api", now=now())


def _object(given: Json, member: str) -> Json:
    value = given.get(member) or {}
    if not isinstance(value, dict):
        raise Invalid(**{member: "Must be an object."})
    return value


def _flag(member: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise Invalid(**{member: "Must be true or false."})
    return value


def _settings(user: User) -> Json:
    instance = _defaults()
    projects = _projects(user)
    off = preferring.kinds_off(db.session, user)
    rows = {
        category: preferring.project_rows(db.session, user, category, projects, instance)
        for category in PER_PROJECT
    }
    per_project: Json = {project.slug: {} for project in projects}
    effective: Json = {project.slug: {} for project in projects}
    for category, lines in rows.items():
        for line in lines:
            slug = line.project.slug if line.project else ""
            per_project[slug][category] = line.chosen or "default"
            effective[slug][category] = {"value": line.now.value, "source": line.now.source}
    return {
        **{
            category: preferring.account_row(db.session, user, category, instance).now.value
            for category in PER_PROJECT
        },
        "workflowKinds": {kind: kind not in off for kind in WORKFLOW_SWITCHES},
        "ownActivity": preferring.account_row(db.session, user, OWN_ACTIVITY, instance).now.value == "on",
        "timezone": user.timezone,
        "projects": per_project,
        "effective": effective,
    }


def _projects(user: User) -> list[Project]:
    """Those that the person is a member of: others tell them nothing."""
    seen = access.visible_projects(db.session, user)
    mine = access.member_project_ids(db.session, user)
    return [project for project in seen if project.id in mine]


def _defaults() -> Defaults:
    workflow = current_app.config["SETTINGS"].default_workflow_notifications
    return preferring.defaults(db.session, workflow=workflow)
