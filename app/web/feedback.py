"""What people who met an error wrote about it: a list for a project, or for one issue of it."""

from flask import Blueprint, current_app, render_template, request

from app.db import db
from app.domain import cursor
from app.domain.errors import NotFound
from app.domain.ids import parse_id
from app.models import Issue, Project
from app.services import access
from app.services.issues import feedback
from app.web import project_pages, snippets
from app.web.identity import login_required, me

bp = Blueprint("feedback", __name__)


@bp.get("/<org>/<slug>/feedback/")
@login_required
def of_project(org: str, slug: str) -> str:
    """With `issue=` only what is about that one."""
    project = project_pages.visible(org, slug)
    issue = _issue(project)
    place = cursor.decode(request.args.get("cursor"))
    return render_template(
        "feedback/list.html",
        org=project.organization,
        project=project,
        active_tab="feedback",
        issue=issue,
        found=feedback.listed(db.session, project, issue=issue, cursor=place),
        ways=_ways(project),
    )


def _issue(project: Project) -> Issue | None:
    if "issue" not in request.args:
        return None
    id_ = parse_id(request.args["issue"])
    issue = access.visible_issue(db.session, me(), id_) if id_ is not None else None
    if issue is None or issue.project_id != project.id:
        raise NotFound
    return issue


def _ways(project: Project) -> snippets.Steps:
    """How to send some, in the words of the project's own DSN; nothing without a key that works."""
    dsn, url = snippets.dsn_of(project), current_app.config["TOCSIN_URL"]
    here = f"{url}/api/0/projects/{project.organization.slug}/{project.slug}/user-feedback/"
    return snippets.of_feedback(dsn, here) if dsn else []
