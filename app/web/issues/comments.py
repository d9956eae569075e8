"""Writing a comment on an issue."""

from flask import Response, request

from app.clock import now
from app.db import db
from app.domain.errors import Refused
from app.services import access, commenting
from app.web.identity import login_required, me
from app.web.issues.blueprint import bp
from app.web.issues.showing import COMMENT_FORM, changed, refused


@bp.post("/issues/<int:issue_id>/comments")
@login_required
def comment(issue_id: int) -> Response:
    session = db.session
    issue = access.visible_issue(session, me(), issue_id)
    try:
        commenting.comment(session, issue, text=request.form.get("text", ""), by=me(), now=now())
    except Refused as error:
        return refused(issue, error, form=COMMENT_FORM)
    session.commit()
    return changed(issue, "Comment added.", form=COMMENT_FORM)
