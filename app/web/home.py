"""The projects' home: every project at a glance, and what is yours to do."""

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from app.clock import now
from app.db import db
from app.services import access
from app.services.issues import overview
from app.web.hypermedia import see_other
from app.web.identity import login_required, me

bp = Blueprint("home", __name__)


@bp.get("/")
@login_required
def projects() -> ResponseReturnValue:
    session = db.session
    seen = access.visible_projects(session, me())
    if not seen and not access.visible_organizations(session, me()):
        return see_other(url_for("welcome.bell"))
    return render_template(
        "home/projects.html",
        projects=seen,
        at_a_glance=overview.of_projects(session, [project.id for project in seen], now=now()),
        yours=overview.yours(session, me()),
        build_in=access.organizations_where(session, me(), "create_project"),
    )
