"""An organization's own tokens for the API: made, shown once, revoked by those who look after it."""

from functools import partial
from typing import Any

from flask import Blueprint, Response, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import now
from app.db import db
from app.domain.errors import NotFound, Refused
from app.models import Organization
from app.services import access
from app.services.people import tokens as giving
from app.web import limits, token_pages
from app.web.account.confirmation import proven
from app.web.hypermedia import form_again
from app.web.identity import login_required, me

bp = Blueprint("tokens", __name__, url_prefix="/<org>/settings/tokens")
PAGE = "organization/tokens.html"
EDIT = "edit_organization"


def _as_typed() -> str:
    view = request.view_args or {}
    return url_for("tokens.show", org=view["org"], name=token_pages.short_name())


@bp.get("/")
@login_required
def show(org: str) -> str:
    """A token that was just made is shown this once."""
    organization = access.visible_organization(db.session, me(), org)
    one = partial(giving.one_of_organization, db.session, organization)
    made = token_pages.just_made(_page_of(organization), one)
    return render_template(PAGE, errors={}, values=request.args, **_listed(organization), **made)


@bp.post("/")
@login_required
@proven(_as_typed)
@limits.changes
def make(org: str) -> ResponseReturnValue:
    organization = _to_edit(org)
    try:
        name, url = token_pages.name(), current_app.config["SETTINGS"].tocsin_url
        row, text = giving.give_organization(db.session, organization, name=name, url=url, by=me(), now=now())
    except Refused as error:
        return form_again(PAGE, error, **_listed(organization))
    address = url_for("tokens.show", org=org)
    return token_pages.hand_over(row, text, of=_page_of(organization), address=address)


def _page_of(organization: Organization) -> str:
    return f"tokens of {organization.slug} for {me().id}"


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
    return token_pages.revoke(row, address=url_for("tokens.show", org=org))


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
