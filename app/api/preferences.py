"""A person's notification settings (`web-api.md` 6): the same service, checks and audit as the page has."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from flask import current_app, jsonify

from app.api.blueprint import Answer, Denied, Invalid, bp
from app.api.credentials import NOT_ALLOWED, me, needs
from app.api.reading import Json, body, flag, known_members, member_object, text
from app.clock import now
from app.db import db
from app.domain.errors import NotFound
from app.domain.ids import parse_id
from app.domain.kinds import WORKFLOW_SWITCHES
from app.domain.preferences import ALERTS, OWN_ACTIVITY, PER_PROJECT, WORKFLOW
from app.models import Project, User
from app.services import access, accounts, preferring
from app.services.preferring import Defaults

DEFAULT = "default"
# A workflow kind for clients that send all of them: that it is on is true enough, off it cannot be.
MAILED_TO_NOBODY = "ignore"


@bp.get("/users/me/notification-settings/")
@needs("alerts:read")
def my_settings() -> Answer:
    return jsonify(_settings(me()))


@bp.get("/users/<user>/notification-settings/")
@needs("alerts:read")
def settings_of(user: str) -> Answer:
    """Of somebody else: for the instance's administrators, to read."""
    id_ = parse_id(user)
    if not me().is_superuser and me().id != id_:
        raise Denied(403, NOT_ALLOWED)
    person = db.session.get(User, id_) if id_ is not None else None
    if person is None:
        raise NotFound
    return jsonify(_settings(person))


@bp.put("/users/me/notification-settings/")
@needs("alerts:write")
def change_settings() -> Answer:
    given = body()
    known_members(given, *PER_PROJECT, "workflowKinds", "ownActivity", "timezone", "projects")
    for category in PER_PROJECT:
        if category in given:
            _choose(category, text(given, category))
    kinds = member_object(given, "workflowKinds")
    for kind in kinds:
        if kind == MAILED_TO_NOBODY and flag(kinds, kind):
            continue
        _choose(WORKFLOW, DEFAULT if flag(kinds, kind) else "off", kind=kind)
    if "ownActivity" in given:
        _choose(OWN_ACTIVITY, "on" if flag(given, "ownActivity") else DEFAULT)
    if "timezone" in given:
        me().timezone = accounts.checked_timezone(text(given, "timezone"))
    _choose_for_projects(member_object(given, "projects"))
    db.session.commit()
    return jsonify(_settings(me()))


def _choose_for_projects(given: Json) -> None:
    by_name = _by_name(_projects(me())) if given else {}
    for name in given:
        if name not in by_name:
            raise Invalid(f"“{name}” is no project of yours.", "projects")
        choices = member_object(given, name)
        known_members(choices, *PER_PROJECT)
        for category in choices:
            _choose(category, text(choices, category), project=by_name[name])


def _choose(category: str, value: str, *, project: Project | None = None, kind: str = "") -> None:
    """Null and "default" take a choice back."""
    chosen = None if value in ("", DEFAULT) else value
    preferring.choose(db.session, me(), category, chosen, project=project, kind=kind, via="api", now=now())


def _settings(user: User) -> Json:
    instance, projects = _defaults(), _projects(user)
    account = {
        category: preferring.account_row(db.session, user, category, instance).now.value
        for category in (*PER_PROJECT, OWN_ACTIVITY)
    }
    off = preferring.kinds_off(db.session, user)
    chosen, effective = _of_projects(user, projects, instance)
    return {
        ALERTS: account[ALERTS],
        WORKFLOW: account[WORKFLOW],
        "workflowKinds": {kind: kind not in off for kind in WORKFLOW_SWITCHES},
        "ownActivity": account[OWN_ACTIVITY] == "on",
        "timezone": user.timezone,
        "projects": chosen,
        "effective": effective,
    }


def _of_projects(user: User, projects: list[Project], instance: Defaults) -> tuple[Json, Json]:
    """What is chosen for each project, and what is in force there and why."""
    names = {project.id: name for name, project in _by_name(projects).items()}
    chosen: dict[str, Any] = {name: {} for name in names.values()}
    effective: dict[str, Any] = {name: {} for name in names.values()}
    for category in PER_PROJECT:
        for row in preferring.project_rows(db.session, user, category, projects, instance):
            name = names[row.project.id] if row.project else ""
            chosen[name][category] = row.chosen or DEFAULT
            effective[name][category] = {"value": row.now.value, "source": row.now.source}
    return chosen, effective


def _by_name(projects: list[Project]) -> Mapping[str, Project]:
    """By slug; by `organization/slug` where several organizations have one of that name."""
    count = Counter(project.slug for project in projects)
    return {
        project.slug if count[project.slug] == 1 else f"{project.organization.slug}/{project.slug}": project
        for project in projects
    }


def _projects(user: User) -> list[Project]:
    """Those that the person is a member of: others tell them nothing."""
    mine = access.member_project_ids(db.session, user)
    return [project for project in access.visible_projects(db.session, user) if project.id in mine]


def _defaults() -> Defaults:
    workflow = current_app.config["SETTINGS"].default_workflow_notifications
    return preferring.defaults(workflow=workflow)
