"""Bookmarking an issue, and taking the bookmark away."""

from flask import Response, request

from app.clock import now
from app.db import db
from app.domain.errors import Refused
from app.services import access
from app.services.issues import bookmarking
from app.web.identity import login_required, me
from app.web.issues.blueprint import bp
from app.web.issues.showing import changed, refused

ADDED, REMOVED = "added", "removed"
SAID = {
    ADDED: "Bookmarked: is:bookmarked finds it.",
    REMOVED: "No longer bookmarked. Your subscription stays as it is.",
}


@bp.post("/issues/<int:issue_id>/bookmark")
@login_required
def bookmark(issue_id: int) -> Response:
    """`bookmark` is what is wanted: added or removed."""
    session = db.session
    issue = access.visible_issue(session, me(), issue_id)
    wanted = request.form.get("bookmark", "")
    if wanted not in SAID:
        return refused(issue, Refused("Choose whether to bookmark it or not.", field="bookmark"))
    if wanted == ADDED:
        has_changed = bookmarking.add(session, issue, user=me(), now=now())
    else:
        has_changed = bookmarking.remove(session, issue, user=me())
    session.commit()
    return changed(issue, SAID[wanted] if has_changed else "Nothing changed: it was so already.")
