"""A person's notification settings (`web-api.md` 6): the same services, checks and audit as the pages."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from flask import jsonify

from app import instance
from app.api.blueprint import Answer, Denied, Invalid, bp
from app.api.credentials import NOT_ALLOWED, me, needs
from app.api.describing import describes
from app.api.reading import Json, body, flag, known_members, member_object, text
from app.api.types.notifications import SettingsChange, SettingsJson
from app.clock import now
from app.db import db
from app.domain.errors import NotFound, Refused
from app.domain.ids import parse_id
from app.domain.kinds import WORKFLOW_SWITCHES
from app.domain.preferences import (
    ALERTS,
    BATCHING,
    CLAIM,
    DEPLOYS,
    HEALTH,
    OWN_ACTIVITY,
    PER_PROJECT,
    VALUES,
    WORKFLOW,
)
from app.models import Organization, Project, User
from app.services.people import accounts, addressing
from app.services.preferences import preferring, tuning
from app.services.preferences.preferring import Defaults, Place

DEFAULT = "default"
# Member of the answer → the setting behind it.
CHOICES = {"alerts": ALERTS, "workflow": WORKFLOW, "deploys": DEPLOYS, "batching": BATCHING}
FLAGS = {"integrationHealth": HEALTH, "ownActivity": OWN_ACTIVITY, "claimUnassignedOnResolve": CLAIM}
# Where a value has another name here than in the database.
ALL, ALWAYS = "all", "always"


@bp.get("/users/me/notification-settings/")
@needs("alerts:read")
@describes({200: SettingsJson})
def my_settings() -> Answer:
    """One's own notification settings."""
    return jsonify(_settings(me()))


@bp.get("/users/<user>/notification-settings/")
@needs("alerts:read")
@describes({200: SettingsJson})
def settings_of(user: str) -> Answer:
    """Somebody's notification settings.

    Of others: for administrators of the instance.
    """
    id_ = parse_id(user)
    if not me().is_superuser and me().id != id_:
        raise Denied(403, NOT_ALLOWED)
    person = db.session.get(User, id_) if id_ is not None else None
    if person is None:
        raise NotFound
    return jsonify(_settings(person))


@bp.put("/users/me/notification-settings/")
@needs("alerts:write")
@describes({200: SettingsJson}, body=SettingsChange)
def change_settings() -> Answer:
    """Change one's own notification settings.

    What is absent stays.
    """
    given, usual = body(), instance.defaults(db.session)
    known_members(given, *CHOICES, "workflowKinds", *FLAGS, "timezone", "projects", "organizations")
    preferring.lock(db.session, me())
    for member, category in CHOICES.items():
        if member in given:
            _choose(member, category, text(given, member))
    for member, category in FLAGS.items():
        if member in given:
            _switch(member, category, "", flag(given, member), usual)
    kinds = member_object(given, "workflowKinds")
    known_members(kinds, *WORKFLOW_SWITCHES)
    for kind in kinds:
        _switch(kind, WORKFLOW, kind, flag(kinds, kind), usual)
    if "timezone" in given:
        me().timezone = accounts.checked_timezone(text(given, "timezone"))
    _choose_for_projects(member_object(given, "projects"))
    _choose_for_organizations(member_object(given, "organizations"))
    db.session.commit()
    return jsonify(_settings(me()))


def _choose_for_projects(given: Json) -> None:
    by_name = _by_name(tuning.projects(db.session, me())) if given else {}
    for name in given:
        if name not in by_name:
            raise Invalid(f"“{name}” is no project of yours.", "projects")
        choices = member_object(given, name)
        known_members(choices, *PER_PROJECT, "email")
        for category in PER_PROJECT:
            if category in choices:
                _choose(category, category, text(choices, category), place=by_name[name])
        if "email" in choices:
            _route(by_name[name], text(choices, "email"))


def _choose_for_organizations(given: Json) -> None:
    mine = {each.slug: each for each in tuning.organizations(db.session, me())} if given else {}
    for slug in given:
        if slug not in mine:
            raise Invalid(f"“{slug}” is no organization of yours.", "organizations")
        choices = member_object(given, slug)
        known_members(choices, DEPLOYS)
        if DEPLOYS in choices:
            _choose(DEPLOYS, DEPLOYS, text(choices, DEPLOYS), place=mine[slug])


def _choose(member: str, category: str, value: str, *, place: Place | None = None, kind: str = "") -> None:
    """Null and "default" take a choice back."""
    chosen = None if value in ("", DEFAULT) else value
    if category == DEPLOYS:
        chosen = _stored(member, chosen)
    project, organization = tuning.split(place)
    try:
        preferring.choose(
            db.session,
            me(),
            category,
            chosen,
            project=project,
            organization=organization,
            kind=kind,
            via="api",
            now=now(),
        )
    except Refused as error:
        raise Invalid(error.message, member) from None


def _stored(member: str, value: str | None) -> str | None:
    """What the database calls a choice for deploys."""
    if value not in (None, ALL, *VALUES[DEPLOYS]) or value == ALWAYS:
        raise Invalid(f"“{value}” is not a choice for deploys. Choose one of: all, mine, never.", member)
    return ALWAYS if value == ALL else value


def _switch(member: str, category: str, kind: str, wanted: bool, instance: Defaults) -> None:
    """To ask for what holds anyway is no choice: who sends back what they read has chosen nothing."""
    value = "on" if wanted else "off"
    inherited = instance.in_force(category, kind).value
    _choose(member, category, DEFAULT if value == inherited else value, kind=kind)


def _route(project: Project, address: str) -> None:
    """Null is the primary address."""
    mine = {each.address: each.id for each in addressing.verified(me())}
    if address and address.lower() not in mine:
        raise Invalid("That is none of your verified addresses.", "email")
    chosen = mine[address.lower()] if address else None
    addressing.choose_route(db.session, me(), project, chosen, via="api", now=now())


def _settings(user: User) -> Json:
    usual, projects = instance.defaults(db.session), tuning.projects(db.session, user)
    values = _of_account(user, usual)
    chosen, effective = _of_projects(user, projects, usual)
    return {
        **{member: _said(category, values[category, ""]) for member, category in CHOICES.items()},
        "workflowKinds": {kind: values[WORKFLOW, kind] == "on" for kind in WORKFLOW_SWITCHES},
        **{member: values[category, ""] == "on" for member, category in FLAGS.items()},
        "timezone": user.timezone,
        "projects": chosen,
        "organizations": _of_organizations(user, usual),
        "effective": effective,
    }


def _of_account(user: User, instance: Defaults) -> Mapping[tuple[str, str], str]:
    lines = [(category, "") for category in (*CHOICES.values(), *FLAGS.values())]
    lines += [(WORKFLOW, kind) for kind in WORKFLOW_SWITCHES]
    rows = preferring.account_rows(db.session, user, lines, instance)
    return {(row.category, row.kind): row.now.value for row in rows}


def _of_projects(user: User, projects: Sequence[Project], instance: Defaults) -> tuple[Json, Json]:
    """What is chosen for each project, and what is in force there and why."""
    names = {project.id: name for name, project in _by_name(projects).items()}
    chosen: dict[str, Any] = {name: {} for name in names.values()}
    effective: dict[str, Any] = {name: {} for name in names.values()}
    for category in PER_PROJECT:
        for row in preferring.place_rows(db.session, user, category, projects, instance):
            name = names[row.place.id] if row.place else ""
            chosen[name][category] = row.chosen or DEFAULT
            effective[name][category] = {"value": row.now.value, "source": row.now.source}
    addresses = {each.id: each.address for each in user.addresses}
    routes = addressing.routes(db.session, user)
    for id_, name in names.items():
        chosen[name]["email"] = addresses[routes[id_]] if id_ in routes else None
    return chosen, effective


def _of_organizations(user: User, instance: Defaults) -> Json:
    mine: Sequence[Organization] = tuning.organizations(db.session, user)
    rows = preferring.place_rows(db.session, user, DEPLOYS, mine, instance)
    return {row.place.slug: {DEPLOYS: _said(DEPLOYS, row.chosen or DEFAULT)} for row in rows if row.place}


def _said(category: str, value: str) -> str:
    return ALL if category == DEPLOYS and value == ALWAYS else value


def _by_name(projects: Sequence[Project]) -> Mapping[str, Project]:
    """By slug; by `organization/slug` where several organizations have one of that name."""
    count = Counter(project.slug for project in projects)
    return {
        project.slug if count[project.slug] == 1 else f"{project.organization.slug}/{project.slug}": project
        for project in projects
    }
