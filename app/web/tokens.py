"""An organization's own tokens for the API: made, shown once, revoked by those who look after it."""

from typing import Any

from flask import Blueprint, Response, current_app, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import now
from app.db import db
from app.domain.errors import NotFound, Refused
from app.models import Organization
from app.services import access
from app.services.people import tokens as giving
from app.web import limits
from app.web.account.confirmation import proven
from app.web.hypermedia import form_again, see_other
from app.web.identity import login_required, me
from app.web.made import made_for, show_once

bp = Blueprint("tokens", __name__, url_prefix="/<org>/settings/tokens")
PAGE = "organization/tokens.html"
EDIT = "edit_organization"


def _as_typed() -> str:
    view = request.view_args or {}
    return url_for("tokens.show", org=view["org"], name=request.form.get("name", "")[:100])


@bp.get("/")
@login_required
def show(org: str) -> str:
    """A token that was just made is shown this once."""
    organization = access.visible_organization(db.session, me(), org)
    made = _just_made(organization)
    return render_template(PAGE, errors={}, values=request.args, **_listed(organization), **made)


@bp.post("/")
@login_required
@proven(_as_typed)
@limits.changes
def make(org: str) -> ResponseReturnValue:
    organization, name = _to_edit(org), request.form.get("name", "").strip()
    try:
        if not name:
            raise Refused("Say what it is for: you will want to know when you revoke it.", field="name")
        url = current_app.config["SETTINGS"].tocsin_url
        row, text = giving.give_organization(db.session, organization, name=name, url=url, by=me(), now=now())
    except Refused as error:
        return form_again(PAGE, error, **_listed(organization))
    giving.write_to_maker(db.session, row, by=me(), path=url_for("tokens.show", org=org), now=now())
    db.session.commit()
    show_once(_page_of(organization), {"id": row.id, "text": text}, now=now())
    return see_other(url_for("tokens.show", org=org))


def _page_of(organization: Organization) -> str:
    return f"tokens of {organization.slug} for {me().id}"


def _just_made(organization: Organization) -> dict[str, Any]:
    made = made_for(_page_of(organization), now=now())
    if not made:
        return {}
    row = giving.one_of_organization(db.session, organization, made["id"])
    return {"made": row, "text": made["text"]}


@bp.get("/<int:token_id>/revocation")
@login_required
def ask(org: str, token_id: int) -> str:
    organization = _to_edit(org)
    row = giving.one_of_organization(db.session, organization, token_id)
    return render_template(
        "organization/token_revocation.html", row=row, org=organization, active_tab="settings"
    )


@bp.post("/<int:token_id>/revocation")
@login_required
def revoke(org: str, token_id: int) -> Response:
    row = giving.one_of_organization(db.session, _to_edit(org), token_id)
    giving.revoke(db.session, row, by=me(), now=now())
    db.session.commit()
    flash(f"“{row.called}” is revoked. What uses it is answered 401 from now on.")
    return see_other(url_for("tokens.show", org=org))


def _to_edit(org: str) -> Organization:
    organization = access.visible_organization(db.session, me(), org)
    if not access.can(db.session, me(), organization, EDIT):
        raise NotFound
    return organization


def _listed(organization: Organization) -> dict[str, Any]:
    may_edit = access.can(db.session, me(), organization, EDIT)
    return {
        "org": organization,
        "active_tab": "settings",
        "may_edit": may_edit,
        "rows": giving.of_organization(db.session, organization) if may_edit else (),
    }
