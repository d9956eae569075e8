"""Handing an issue to a person, to a team or to nobody."""

from flask import Response, request

from app.clock import now
from app.db import db
from app.domain import assignees
from app.domain.errors import Refused
from app.models import Issue, Team, User
from app.services import access
from app.services.issues import assigning, naming
from app.web import limits
from app.web.identity import login_required, me
from app.web.issues.blueprint import bp
from app.web.issues.showing import changed, refused


@bp.post("/issues/<int:issue_id>/assignee")
@login_required
@limits.changes
def assign(issue_id: int) -> Response:
    session = db.session
    issue = access.visible_issue(session, me(), issue_id)
    try:
        to = chosen(issue, request.form.get("assignee", ""))
        activity = assigning.assign(session, issue, to=to, by=me(), now=now())
    except Refused as error:
        return refused(issue, error)
    session.commit()
    return changed(issue, said_of(to) if activity else "Nothing changed: it was so already.")


def chosen(issue: Issue, text: str) -> User | Team | None:
    """`me`, or whatever `assignees` reads; `Refused` for a name that none of those who can have it bears."""
    name = text.strip()
    if name == "me":
        return me()
    return naming.assignee(db.session, issue.project, assignees.read(name), field="assignee")


def said_of(to: User | Team | None) -> str:
    if to is None:
        return "Assigned to nobody."
    if isinstance(to, Team):
        return f"Assigned to #{to.slug}."
    return "Assigned to you." if to.id == me().id else f"Assigned to {to.name}."
