"""What is discarded in a project: since when, by whom, and the way back."""

from flask import Blueprint, Response, render_template, url_for

from app.db import db
from app.services.issues import removing
from app.web import project_pages
from app.web.hypermedia import say, see_other
from app.web.identity import login_required, me

bp = Blueprint("discarded", __name__, url_prefix="/<org>/<slug>/settings/discarded")


@bp.get("/")
@login_required
def show(org: str, slug: str) -> str:
    project = project_pages.to_edit(org, slug, "discard")
    return render_template(
        "project_settings/discarded.html",
        **project_pages.frame(project),
        tombstones=removing.tombstones(db.session, project),
    )


@bp.post("/<int:tombstone_id>/end")
@login_required
def end(org: str, slug: str, tombstone_id: int) -> Response:
    project = project_pages.to_edit(org, slug, "discard")
    name = removing.restore_tombstone(db.session, project, tombstone_id, by=me())
    db.session.commit()
    say(f"{name} is no longer discarded. When its error happens again, it makes a new issue.")
    return see_other(url_for("discarded.show", org=org, slug=slug))
