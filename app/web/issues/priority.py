"""Choosing an issue's priority, or leaving it to its level."""

from flask import Response, request

from app.clock import now
from app.db import db
from app.domain import importance
from app.domain.errors import Refused
from app.services import access
from app.services.issues import prioritising
from app.web.identity import login_required, me
from app.web.issues.blueprint import bp
from app.web.issues.showing import changed, refused

FORM = "issues/_priority.html"


@bp.post("/issues/<int:issue_id>/priority")
@login_required
def prioritise(issue_id: int) -> Response:
    """`priority` is high, medium or low; empty: by its level."""
    session = db.session
    issue = access.visible_issue(session, me(), issue_id)
    wanted = request.form.get("priority", "")
    if wanted and wanted not in importance.CHOICES:
        refusal = Refused("Choose high, medium or low.", field="priority")
        return refused(issue, refusal, form=FORM)
    activity = prioritising.choose(session, issue, wanted or None, by=me(), now=now())
    session.commit()
    return changed(issue, _said(wanted) if activity else "Nothing changed: it was so already.", form=FORM)


def _said(chosen: str) -> str:
    return f"Priority: {chosen}." if chosen else "Its priority is that of its level again."
