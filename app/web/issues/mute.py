"""Silence about an issue for the reader alone."""

from collections.abc import Mapping
from datetime import datetime

from flask import Response, request, url_for

from app.clock import now
from app.db import db
from app.domain import ignoring
from app.domain.errors import Refused
from app.models import Issue
from app.services import access
from app.services.issues.ignoring import until_worse
from app.services.preferences import muting
from app.web import limits
from app.web.identity import login_required, me
from app.web.issues.blueprint import bp
from app.web.issues.ignore_choice import end, number
from app.web.issues.showing import changed, refused

UNTIL, LIMIT, AS_BEFORE = "mute_until", "mute_limit", "as_before"
UNCHANGED = "Nothing changed: it was so already."


@bp.post("/issues/<int:issue_id>/mute")
@login_required
@limits.changes
def mute(issue_id: int) -> Response:
    """`minutes`, `mute_until` (a date, or tomorrow), `mute_limit` or `worse` mute it; `unmute` ends that.

    `as_before` takes the last of these back.
    """
    session = db.session
    issue = access.visible_issue(session, me(), issue_id)
    try:
        said, can_undo = change(issue, request.form)
    except Refused as error:
        return refused(issue, error)
    session.commit()
    undo = {"url": url_for("issues.mute", issue_id=issue.id), "fields": {AS_BEFORE: "1"}}
    return changed(issue, said, undo=undo if can_undo else None)


def change(issue: Issue, form: Mapping[str, str]) -> tuple[str, bool]:
    """Do what the form asks for: what was done, and whether that can be taken back."""
    session, at = db.session, now()
    if AS_BEFORE in form:
        has_changed = muting.restore(session, issue, user=me(), now=at)
        return ("Undone: everything is as it was before." if has_changed else UNCHANGED), False
    if "unmute" in form:
        was_muted = muting.unmute(session, issue, user=me(), now=at)
        return ("You hear of this issue again." if was_muted else UNCHANGED), was_muted
    return _mute(issue, form), True


def _mute(issue: Issue, form: Mapping[str, str]) -> str:
    at, session = now(), db.session
    limit = number(form, LIMIT)
    if limit is None and "worse" in form:
        limit = until_worse(session, issue, now=at).worse_than
    until = end(form, me(), at, field=UNTIL)
    muting.mute(session, issue, user=me(), until=until, event_limit=limit, now=at)
    return f"Muted for you {ending(until, limit)}."


def ending(until: datetime | None, limit: int | None) -> str:
    """Until when, in the reader's words."""
    return ignoring.words(ignoring.of_mute(until, limit), zone=me().timezone)
