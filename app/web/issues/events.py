"""The issue's Events tab: all its events that are kept, newest first."""

from typing import Any

from flask import Response, request, url_for

from app.db import db
from app.domain import cursor
from app.services import access
from app.services.issues import issue_events
from app.web.hypermedia import page_or_fragment, see_other
from app.web.identity import login_required, me
from app.web.issues.blueprint import bp


@bp.get("/<org>/<slug>/issues/<int:issue_id>/events/")
@login_required
def events(org: str, slug: str, issue_id: int) -> Response:
    issue = access.visible_issue(db.session, me(), issue_id)
    project = issue.project
    place: dict[str, Any] = {"org": project.organization.slug, "slug": project.slug, "issue_id": issue.id}
    if place != {"org": org, "slug": slug, "issue_id": issue_id}:
        return see_other(url_for("issues.events", **place))
    begins_at = cursor.decode(request.args.get("cursor"))
    return page_or_fragment(
        "issues/events.html",
        "issues/_events.html",
        issue=issue,
        org=project.organization,
        project=project,
        here=url_for("issues.events", **place),
        found=issue_events.listed(db.session, issue, cursor=begins_at),
        turned=begins_at is not None,
    )
