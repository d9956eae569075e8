"""How often a project sends alerts to one person: one number, or two for those who want them."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.db import db
from app.domain import pacing
from app.domain.errors import Refused
from app.domain.pacing import Pace
from app.models import Project
from app.services.calm import pacing as paces
from app.services.rules import alert_delivery
from app.web import project_pages
from app.web.hypermedia import form_again, page_or_fragment, see_other
from app.web.identity import login_required

PAGE, MEANING = "project_settings/alert_delivery.html", "project_settings/_pace.html"
# The one number stands for both.
EVERY, BOTH = ("every", "every"), ("minimum", "maximum")

bp = Blueprint("alert_delivery", __name__, url_prefix="/<org>/<slug>/settings/alerts/delivery")


@bp.get("/")
@login_required
def show(org: str, slug: str) -> str:
    project = project_pages.visible(org, slug)
    pace = paces.of_project(project)
    return render_template(PAGE, errors={}, values=_stored(pace), **_page(project, pacing.sentence(pace)))


@bp.post("/")
@login_required
def save(org: str, slug: str) -> ResponseReturnValue:
    """With `preview` nothing is saved: the page says what the numbers would mean."""
    project = project_pages.to_edit(org, slug)
    if "preview" in request.form:
        return render_template(PAGE, errors={}, values=request.form, **_page(project, _meant(request.form)))
    try:
        alert_delivery.choose(db.session, project, _typed(request.form))
    except Refused as error:
        return form_again(PAGE, error, **_page(project, pacing.sentence(paces.of_project(project))))
    db.session.commit()
    flash("Saved.")
    return see_other(url_for("alert_delivery.show", org=org, slug=slug))


@bp.get("/meaning")
@login_required
def meaning(org: str, slug: str) -> ResponseReturnValue:
    """What numbers would mean, before they are saved."""
    project = project_pages.to_edit(org, slug)
    said = _meant(request.args)
    return page_or_fragment(PAGE, MEANING, errors={}, values=request.args, **_page(project, said))


def _typed(form: Mapping[str, str]) -> Pace:
    fields = EVERY if "every" in form else BOTH
    shortest, longest = (_number(form.get(name, "")) for name in fields)
    return pacing.checked(shortest, longest, fields=fields)


def _meant(form: Mapping[str, str]) -> str:
    try:
        return pacing.sentence(_typed(form))
    except Refused as error:
        return error.message


def _number(text: str) -> int | None:
    text = text.strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else None


def _stored(pace: Pace) -> dict[str, str]:
    return {"every": str(pace.minimum), "minimum": str(pace.minimum), "maximum": str(pace.maximum)}


def _page(project: Project, meaning: str) -> dict[str, Any]:
    pace = paces.of_project(project)
    return {
        **project_pages.frame(project),
        "meaning": meaning,
        "stored": _stored(pace),
        "stretches": pace.minimum != pace.maximum,
        "longest": pacing.LONGEST,
        "most": paces.MOST_IN_AN_HOUR,
        "cap_minutes": paces.CAP_WINDOW.seconds // 60,
    }
