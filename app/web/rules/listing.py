"""All rules of a project."""

from flask import render_template
from flask.typing import ResponseReturnValue

from app.db import db
from app.services.rules import rule_listing
from app.web import project_pages
from app.web.identity import login_required
from app.web.rules.blueprint import ROOT, bp, frame, inquiry
from app.web.rules.mute_choice import context


@bp.get(f"{ROOT}/")
@login_required
def index(org: str, slug: str) -> ResponseReturnValue:
    project = project_pages.visible(org, slug)
    return render_template(
        "rules/list.html",
        **frame(project),
        **context(),
        rows=rule_listing.listed(db.session, project, inquiry(project)),
    )
