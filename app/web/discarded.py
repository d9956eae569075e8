"""What is discarded in a project: since when, by whom, and the way back."""

from flask import Blueprint, Response, render_template, url_for

from app.db import db
from app.domain.errors import NotFound
from app.models import Project
from app.services import access, removing
from app.web.hypermedia import say, see_other
from app.web.identity import login_required, me

bp = Blueprint("discarded", __name__, url_prefix="/<org>/<slug>/settings/discarded")


@bp.get("/")
@login_required
def show(org: str, slug: str) -> str:
    project = _mine_to_edit(org, slug)
    return render_template(
        "project_settings/discarded.html",
        project=project,
        org=project.organization,
        active_tab="settings",
        may_edit=True,
        tombstones=removing.tombstones(db.session, project),
    )


@bp.post("/<int:tombstone_id>/end")
@login_required
def end(org: str, slug: str, tombstone_id: int) -> Response:
    project = _mine_to_edit(org, slug)
    name = removing.restore_tombstone(db.session, project, tombstone_id, by=me())
    db.session.commit()
    say(f"{name} is no longer discarded. When its error happens again, it makes a new issue.")
    return see_other(url_for("discarded.show", org=org, slug=slug))


def _mine_to_edit(org: str, slug: str) -> Project:
    project = access.visible_project(db.session, me(), org, slug)
    if not access.can(db.session, me(), project, "discard"):
        raise NotFound
    return project
