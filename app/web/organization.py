"""An organization's own address, and its settings: its name, and how much its mails may say."""

from collections.abc import Mapping

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.db import db
from app.domain import slugs
from app.domain.errors import NotFound, Refused
from app.models import Organization
from app.services import access
from app.services.people import configuring
from app.web import organization_pages
from app.web.hypermedia import form_again, see_other
from app.web.identity import login_required, me
from app.web.issues.blueprint import EVERYWHERE

bp = Blueprint("organization", __name__)
bp.add_app_template_global(organization_pages.of, "organization_pages")


@bp.get("/<org>/")
def front(org: str) -> ResponseReturnValue:
    """On to its issues, which ask who wants to see them; `robots.txt` and the like lead nowhere."""
    if not slugs.may_be_organization(org):
        raise NotFound
    return see_other(url_for("issues.stream", org=org, slug=EVERYWHERE))


@bp.get("/<org>/settings/")
@login_required
def general(org: str) -> ResponseReturnValue:
    organization = access.visible_organization(db.session, me(), org)
    return render_template(
        "organization/general.html", errors={}, values=_stored(organization), **_frame(organization)
    )


@bp.post("/<org>/settings/")
@login_required
def save(org: str) -> ResponseReturnValue:
    organization = access.visible_organization(db.session, me(), org)
    if not access.can(db.session, me(), organization, "edit_organization"):
        raise NotFound
    try:
        configuring.configure_organization(
            organization,
            name=request.form.get("name", ""),
            enhanced_privacy="enhanced_privacy" in request.form,
        )
    except Refused as error:
        return form_again("organization/general.html", error, **_frame(organization))
    db.session.commit()
    flash("Saved.")
    return see_other(url_for("organization.general", org=org))


def _stored(organization: Organization) -> Mapping[str, str]:
    boxes = {"enhanced_privacy": "1"} if organization.enhanced_privacy else {}
    return {"name": organization.name, **boxes}


def _frame(organization: Organization) -> Mapping[str, object]:
    may_edit = access.can(db.session, me(), organization, "edit_organization")
    return {"org": organization, "active_tab": "settings", "may_edit": may_edit}
