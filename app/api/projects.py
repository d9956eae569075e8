"""Projects: lists, details, making, changing and deleting them (`web-api.md` 4)."""

from collections.abc import Sequence
from dataclasses import replace

from flask import jsonify
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from app.api import shapes
from app.api.blueprint import Answer, Invalid, bp
from app.api.credentials import may, me, needs
from app.api.describing import Page, describes
from app.api.paging import page
from app.api.places import visible_organization, visible_project
from app.api.reading import Json, body, known_members, lines, text, whole_number
from app.api.types.workspaces import NewProjectJson, ProjectChange, ProjectDetailsJson, ProjectJson
from app.clock import now
from app.db import db
from app.domain import pacing, slugs
from app.domain.errors import NotFound
from app.domain.pacing import Pace
from app.models import Project
from app.services import access
from app.services.people import configuring, workspaces
from app.services.people.configuring import Wishes
from app.services.rules import alert_delivery

# Member of the API → field of the settings page.
SETTINGS = {
    "name": "name",
    "platform": "platform",
    "subjectPrefix": "subject_prefix",
    "subjectTemplate": "subject_template",
    "mailDetail": "mail_detail",
}
AGE = "resolveAge"  # hours
DELAYS = ("digestsMinDelay", "digestsMaxDelay")  # seconds
LISTS = {
    "sensitiveFields": "sensitive_fields",
    "safeFields": "safe_fields",
    "allowedDomains": "allowed_origins",
}


@bp.get("/projects/")
@needs("project:read")
@describes({200: Page[ProjectJson]})
def projects() -> Answer:
    """The projects that the token sees."""
    return _list(access.visible_projects(db.session, me()))


@bp.get("/organizations/<org>/projects/")
@needs("project:read")
@describes({200: Page[ProjectJson]})
def projects_of(org: str) -> Answer:
    """The projects of an organization that the token sees."""
    organization_id = visible_organization(org).id
    seen = access.visible_projects(db.session, me())
    return _list([row for row in seen if row.organization_id == organization_id])


def _list(seen: Sequence[Project]) -> Answer:
    mine = access.member_project_ids(db.session, me())

    def shape(rows: Sequence[Project]) -> list[ProjectJson]:
        _load_teams(rows)
        return [shapes.project(row, is_member=row.id in mine) for row in rows]

    return page(lambda start, count: seen[start : start + count], shape)


def _load_teams(rows: Sequence[Project]) -> None:
    """Of all these projects, with one query."""
    ids = [row.id for row in rows]
    db.session.scalars(select(Project).where(Project.id.in_(ids)).options(selectinload(Project.teams))).all()


@bp.post("/teams/<org>/<team>/projects/")
@needs("project:admin")
@describes({201: ProjectDetailsJson}, body=NewProjectJson)
def create_project(org: str, team: str) -> Answer:
    """Make a project for a team.

    It has a key at once.
    """
    organization = visible_organization(org)
    may(organization, "create_project")
    owner = workspaces.find_team(db.session, organization, team)
    if owner is None:
        raise NotFound
    given = body()
    known_members(given, "name", "slug", "platform")
    name = text(given, "name")
    if not name:
        raise Invalid("This field is required.", "name")
    slug = text(given, "slug") or slugs.suggest(name)
    if workspaces.find_project(db.session, organization, slug):
        return jsonify(detail="A project with this slug already exists."), 409
    made = workspaces.create_project(
        db.session,
        organization,
        slug=slug,
        name=name,
        platform=text(given, "platform"),
        teams=[owner],
        now=now(),
    )
    db.session.commit()
    return jsonify(_shown(made)), 201


@bp.get("/projects/<org>/<proj>/")
@needs("project:read")
@describes({200: ProjectDetailsJson})
def project(org: str, proj: str) -> Answer:
    """One project, with its settings."""
    return jsonify(_shown(visible_project(org, proj)))


@bp.put("/projects/<org>/<proj>/")
@needs("project:write")
@describes({200: ProjectDetailsJson}, body=ProjectChange)
def change_project(org: str, proj: str) -> Answer:
    """Change the settings of a project.

    What is absent stays.
    """
    row = visible_project(org, proj)
    may(row, "edit_project")
    given = body()
    known_members(given, *SETTINGS, *LISTS, AGE, *DELAYS)
    asked: Json = {field: text(given, member) for member, field in SETTINGS.items() if member in given}
    asked |= {field: lines(given, member) for member, field in LISTS.items() if member in given}
    if AGE in given:
        asked["resolve_age_hours"] = whole_number(given, AGE) or 0
    configuring.configure(db.session, row, replace(_as_it_is(row), **asked))
    if not given.keys().isdisjoint(DELAYS):
        alert_delivery.choose(db.session, row, _pace(given, row))
    db.session.commit()
    return jsonify(_shown(row))


def _pace(given: Json, row: Project) -> Pace:
    """What is absent stays."""
    kept = (row.digest_minimum, row.digest_maximum)
    shortest, longest = (
        _minutes(given, member) if member in given else minutes
        for member, minutes in zip(DELAYS, kept, strict=True)
    )
    return pacing.checked(shortest, longest, fields=DELAYS)


def _minutes(given: Json, member: str) -> int:
    seconds = whole_number(given, member) or 0
    if seconds % 60:
        raise Invalid("A whole number of minutes, in seconds.", member)
    return seconds // 60


def _as_it_is(row: Project) -> Wishes:
    return Wishes(
        name=row.name,
        platform=row.platform,
        subject_prefix=row.subject_prefix,
        subject_template=row.subject_template,
        mail_detail=row.mail_detail,
        resolve_age_hours=row.resolve_age_hours,
        last_resort=configuring.last_resort_of(row),
        scrub_data=row.scrub_data,
        store_ips=row.store_ips,
        sensitive_fields="\n".join(row.sensitive_fields),
        safe_fields="\n".join(row.safe_fields),
        allowed_origins="\n".join(row.allowed_origins),
        team_slugs=frozenset(team.slug for team in row.teams),
    )


@bp.delete("/projects/<org>/<proj>/")
@needs("project:admin")
@describes({204: None})
def delete_project(org: str, proj: str) -> Answer:
    """Delete a project with all that is in it."""
    row = visible_project(org, proj)
    may(row.organization, "edit_organization")
    db.session.delete(row)
    db.session.commit()
    return "", 204


def _shown(row: Project) -> ProjectDetailsJson:
    is_member = row.id in access.member_project_ids(db.session, me())
    return {
        **shapes.project(row, is_member=is_member),
        "subjectPrefix": row.subject_prefix,
        "subjectTemplate": row.subject_template,
        "mailDetail": row.mail_detail,
        "resolveAge": row.resolve_age_hours,
        "digestsMinDelay": row.digest_minimum * 60,
        "digestsMaxDelay": row.digest_maximum * 60,
        "sensitiveFields": row.sensitive_fields,
        "safeFields": row.safe_fields,
        "allowedDomains": row.allowed_origins,
    }
