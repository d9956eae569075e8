"""The issue's Users tab: all users whom it met, whoever it met last first."""

from flask import Response, request

from app.db import db
from app.domain import cursor
from app.services import access
from app.services.issues import issue_users
from app.web.identity import login_required, me
from app.web.issues import tabs
from app.web.issues.blueprint import bp


@bp.get("/<org>/<slug>/issues/<int:issue_id>/users/")
@login_required
def users(org: str, slug: str, issue_id: int) -> Response:
    issue = access.visible_issue(db.session, me(), issue_id)
    begins_at = cursor.decode_named(request.args.get("cursor"))
    return tabs.elsewhere("users", issue) or tabs.shown(
        "users",
        issue,
        found=issue_users.listed(db.session, issue, cursor=begins_at),
        turned=begins_at is not None,
        most_counted=issue_users.COUNTED,
    )
