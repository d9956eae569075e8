"""Ignoring an issue, for everyone."""

from flask import Response, request

from app.clock import now
from app.db import db
from app.domain import ignoring as rules
from app.domain.errors import Refused
from app.services import access
from app.services.issues import ignoring
from app.web.identity import login_required, me
from app.web.issues import ignore_choice
from app.web.issues.blueprint import bp
from app.web.issues.showing import changed, refused


@bp.post("/issues/<int:issue_id>/ignore")
@login_required
def ignore(issue_id: int) -> Response:
    session = db.session
    issue = access.visible_issue(session, me(), issue_id)
    try:
        until = ignore_choice.read(request.form, me(), issue)
        activity = ignoring.ignore(session, issue, by=me(), now=now(), until=until)
    except Refused as error:
        return refused(issue, error)
    session.commit()
    if activity is None:
        return changed(issue, "It was ignored already: nothing changed.")
    return changed(issue, f"Ignored {rules.words(until, zone=me().timezone)}: no alerts.")
