"""The issue's Events tab: all its events that are kept, newest first."""

from flask import Response, request

from app.db import db
from app.domain import cursor
from app.services import access
from app.services.issues import issue_events
from app.web.identity import login_required, me
from app.web.issues import tabs
from app.web.issues.blueprint import bp


@bp.get("/<org>/<slug>/issues/<int:issue_id>/events/")
@login_required
def events(org: str, slug: str, issue_id: int) -> Response:
    issue = access.visible_issue(db.session, me(), issue_id)
    begins_at = cursor.decode(request.args.get("cursor"))
    return tabs.elsewhere("events", issue) or tabs.shown(
        "events",
        issue,
        found=issue_events.listed(db.session, issue, cursor=begins_at),
        turned=begins_at is not None,
    )
