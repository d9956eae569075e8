"""Silence about an issue for the reader alone."""

from datetime import datetime

from flask import Response, request

from app.clock import now
from app.db import db
from app.domain import ignoring
from app.domain.errors import Refused
from app.models import Issue
from app.services import access, muting
from app.services.ignoring import until_worse
from app.web.identity import login_required, me
from app.web.issues.blueprint import bp
from app.web.issues.ignore_choice import end, number
from app.web.issues.showing import changed, refused

UNTIL, LIMIT = "mute_until", "mute_limit"


@bp.post("/issues/<int:issue_id>/mute")
@login_required
def mute(issue_id: int) -> Response:
    """`minutes`, `mute_until` (a date, or tomorrow), `mute_limit` or `worse` mute it; `unmute` ends that."""
    session = db.session
    issue = access.visible_issue(session, me(), issue_id)
    try:
        said = _unmute(issue) if "unmute" in request.form else _mute(issue)
    except Refused as error:
        return refused(issue, error)
    session.commit()
    return changed(issue, said)


def _unmute(issue: Issue) -> str:
    was_muted = muting.unmute(db.session, issue, user=me())
    return "You hear of this issue again." if was_muted else "It was not muted: nothing changed."


def _mute(issue: Issue) -> str:
    at, session = now(), db.session
    limit = number(request.form, LIMIT)
    if limit is None and "worse" in request.form:
        limit = until_worse(session, issue, now=at).worse_than
    until = end(request.form, me(), at, field=UNTIL)
    muting.mute(session, issue, user=me(), until=until, event_limit=limit, now=at)
    return f"Muted for you {ending(until, limit)}."


def ending(until: datetime | None, limit: int | None) -> str:
    """Until when, in the reader's words."""
    return ignoring.words(ignoring.of_mute(until, limit), zone=me().timezone)
