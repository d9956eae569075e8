"""What paths and queries name, by slug, id or short id. What the person may not see does not exist."""

from flask import current_app, request
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import joinedload, lazyload

from app.api.blueprint import Invalid
from app.api.credentials import me, viewer
from app.db import db
from app.domain.errors import NotFound
from app.domain.ids import parse_id
from app.models import Issue, Organization, Project, Team, User
from app.services import access
from app.services.releases.shelf import Shelf


def shelf() -> Shelf:
    """Where uploaded files lie."""
    return Shelf(current_app.config["SETTINGS"].tocsin_data_dir)


def visible_organization(name: str) -> Organization:
    """By slug or id."""
    id_ = parse_id(name)
    row = db.session.get(Organization, id_) if id_ is not None else None
    return access.visible_organization(db.session, viewer(), row.slug if row else name)


def visible_project(org: str, name: str) -> Project:
    """By slug or id; with one query for the usual case, two slugs."""
    id_ = parse_id(name)
    if id_ is None and parse_id(org) is None:
        return access.visible_project(db.session, viewer(), org, name)
    organization = visible_organization(org)
    row = db.session.get(Project, id_) if id_ is not None else None
    slug = row.slug if row and row.organization_id == organization.id else name
    return access.visible_project(db.session, viewer(), organization.slug, slug)


def visible_projects(names: list[str], org: str | None = None) -> list[Project]:
    """Those named, by slugs or ids, with one query; `NotFound` if there is a name without a project."""
    seen = access.visible_projects(db.session, viewer())
    if org is not None:
        organization_id = visible_organization(org).id
        seen = [row for row in seen if row.organization_id == organization_id]
    found = [row for row in seen if row.slug in names or str(row.id) in names]
    if not set(names) <= {name for row in found for name in (row.slug, str(row.id))}:
        raise NotFound
    return found


def visible_issue(name: str, org: str | None = None) -> Issue:
    """By id or short id, with whose it is; one query for the usual case.

    The same short id in several organizations is ambiguous without naming one.
    """
    id_ = parse_id(name)
    named = access.named(name.strip().upper() if id_ is None else id_)
    found = select(Issue).join(Issue.project).where(named, access.sees_issue(me()))
    found = found.options(
        joinedload(Issue.assignee_user).joinedload(User.addresses),
        joinedload(Issue.assignee_team).options(lazyload(Team.organization)),
    )
    org = org or request.args.get("org")
    if org:
        found = found.where(_is_in(org))
    rows = db.session.scalars(found.order_by(Issue.id.desc())).unique().all()
    if len({row.project.organization_id for row in rows}) > 1:
        raise Invalid(f"Several organizations have an issue {name}. Name one with org=.")
    if not rows:
        raise NotFound
    return rows[0]


def _is_in(org: str) -> ColumnElement[bool]:
    """A condition on `Project` that the person sees: it is in the organization with this slug or id."""
    if parse_id(org) is None:
        return Project.organization.has(Organization.slug == org)
    return Project.organization_id == visible_organization(org).id
