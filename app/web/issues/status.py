"""Resolving, ignoring and reopening an issue."""

from collections.abc import Callable
from typing import Any

from flask import Response

from app.clock import now
from app.db import db
from app.models import Activity, Issue
from app.services import access, ignoring, reopening, resolving
from app.web.identity import login_required, me
from app.web.issues.blueprint import bp
from app.web.issues.showing import changed

# The state that a move leads to → what is said about it.
SAID = {
    "resolved": "Resolved.",
    "ignored": "Ignored: no alerts while ignored.",
    "unresolved": "Unresolved again.",
}


@bp.post("/issues/<int:issue_id>/resolution")
@login_required
def resolve(issue_id: int) -> Response:
    return _move(issue_id, resolving.resolve)


@bp.post("/issues/<int:issue_id>/ignore")
@login_required
def ignore(issue_id: int) -> Response:
    return _move(issue_id, ignoring.ignore)


@bp.post("/issues/<int:issue_id>/reopening")
@login_required
def reopen(issue_id: int) -> Response:
    return _move(issue_id, reopening.reopen)


def _move(issue_id: int, make: Callable[..., Activity | None]) -> Response:
    session = db.session
    issue = access.visible_issue(session, me(), issue_id)
    activity = make(session, issue, by=me(), now=now())
    session.commit()
    return changed(issue, said_of(issue, activity))


def said_of(issue: Issue, activity: Any) -> str:
    return SAID[issue.status] if activity else f"It was {issue.status} already: nothing changed."
