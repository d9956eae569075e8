"""The issue's Users tab: all users whom it met, whoever it met last first."""

from typing import Any

from flask import Response, request, url_for

from app.db import db
from app.domain import cursor
from app.services import access
from app.services.issues import issue_users
from app.web.hypermedia import page_or_fragment, see_other
from app.web.identity import login_required, me
from app.web.issues.blueprint import bp


@bp.get("/<org>/<slug>/issues/<int:issue_id>/users/")
@login_required
def users(org: str, slug: str, issue_id: int) -> Response:
    issue = access.visible_issue(db.session, me(), issue_id)
    project = issue.project
    place: dict[str, Any] = {"org": project.organization.slug, "slug": project.slug, "issue_id": issue.id}
    if place != {"org": org, "slug": slug, "issue_id": issue_id}:
        return see_other(url_for("issues.users", **place))
    begins_at = cursor.decode_named(request.args.get("cursor"))
    return page_or_fragment(
        "issues/users.html",
        "issues/_users.html",
        issue=issue,
        org=project.organization,
        project=project,
        here=url_for("issues.users", **place),
        found=issue_users.listed(db.session, issue, cursor=begins_at),
        turned=begins_at is not None,
        most_counted=issue_users.COUNTED,
    )
