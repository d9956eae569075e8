"""An organization's repositories: those that commits came from, and the hooks that tell of pushes."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, current_app, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import outgoing
from app.clock import now
from app.db import db
from app.domain import pushes
from app.domain.errors import NotFound, Refused
from app.models import Organization, Project, PushHook
from app.services import access
from app.services.releases import pushing, repository_owners
from app.web.hypermedia import see_other
from app.web.identity import login_required, me

bp = Blueprint("repositories", __name__, url_prefix="/<org>/settings/repositories")
EDIT = "edit_organization"


@bp.get("/")
@login_required
def show(org: str) -> ResponseReturnValue:
    return _page(access.visible_organization(db.session, me(), org))


@bp.post("/")
@login_required
def add(org: str) -> ResponseReturnValue:
    """Answers with the page, for the secret is shown this once."""
    organization, form = _to_edit(org), request.form
    try:
        only = _project(organization, form.get("project", ""))
        row, secret = pushing.add(
            db.session, organization, form.get("provider", ""), outgoing.seal(), only=only, by=me(), now=now()
        )
    except Refused as error:
        return _page(organization, errors={error.field or "": error.message}), 422
    db.session.commit()
    return _page(organization, made=(row.id, secret))


@bp.post("/<int:hook_id>/secret")
@login_required
def renew(org: str, hook_id: int) -> ResponseReturnValue:
    organization = _to_edit(org)
    row = pushing.find(db.session, organization, hook_id)
    secret = pushing.renew(db.session, row, outgoing.seal())
    db.session.commit()
    return _page(organization, made=(row.id, secret))


@bp.post("/<int:hook_id>/delete")
@login_required
def delete(org: str, hook_id: int) -> ResponseReturnValue:
    organization = _to_edit(org)
    db.session.delete(pushing.find(db.session, organization, hook_id))
    db.session.commit()
    flash("Deleted. Pushes to its address are refused from now on.")
    return see_other(url_for("repositories.show", org=org))


@bp.post("/<int:repository_id>/sharing")
@login_required
def share(org: str, repository_id: int) -> ResponseReturnValue:
    """`project` is the one that it is for, none: all of the organization."""
    organization = _to_edit(org)
    row = repository_owners.find(db.session, me(), organization, repository_id)
    try:
        only = _project(organization, request.form.get("project", ""))
    except Refused as error:
        return _page(organization, errors={error.field or "": error.message}), 422
    repository_owners.share(db.session, row, only=only)
    db.session.commit()
    flash(f"Its commits are for {only.name if only else 'all projects'} from now on.")
    return see_other(url_for("repositories.show", org=org))


def _project(organization: Organization, slug: str) -> Project | None:
    if not slug:
        return None
    try:
        return access.visible_project(db.session, me(), organization.slug, slug)
    except NotFound:
        raise Refused("There is no such project.", field="project") from None


def _to_edit(org: str) -> Organization:
    organization = access.visible_organization(db.session, me(), org)
    if not access.can(db.session, me(), organization, EDIT):
        raise NotFound
    return organization


def _page(
    organization: Organization,
    *,
    made: tuple[int, str] | None = None,
    errors: Mapping[str, str] | None = None,
) -> str:
    may_edit = access.can(db.session, me(), organization, EDIT)
    hooks = pushing.of(db.session, organization) if may_edit else ()
    return render_template(
        "organization/repositories.html",
        org=organization,
        active_tab="settings",
        may_edit=may_edit,
        hooks=[_shown(row, made) for row in hooks],
        repositories=repository_owners.listed(db.session, organization, me()),
        projects=[("", "All projects"), *_projects(organization)] if may_edit else (),
        providers=[(each.name, each.label) for each in pushes.PROVIDERS.values()],
        errors=errors or {},
    )


def _projects(organization: Organization) -> list[tuple[str, str]]:
    seen = access.visible_projects(db.session, me())
    return [(each.slug, each.name) for each in seen if each.organization_id == organization.id]


def _shown(row: PushHook, made: tuple[int, str] | None) -> dict[str, Any]:
    base = current_app.config["SETTINGS"].tocsin_url.rstrip("/")
    return {
        "row": row,
        "provider": pushes.PROVIDERS[row.provider],
        "address": f"{base}/hooks/push/{row.key}",
        "secret": made[1] if made and made[0] == row.id else "",
    }
