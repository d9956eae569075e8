"""Resolving and reopening an issue, saying that a commit does not fix it, and taking that back."""

from flask import Response, request

from app.clock import now
from app.db import db
from app.domain import commits
from app.domain.errors import Refused
from app.models import Activity
from app.services import access
from app.services.issues import reopening, resolving
from app.services.releases import fixing
from app.web import limits
from app.web.identity import login_required, me
from app.web.issues import resolve_choice
from app.web.issues.blueprint import bp
from app.web.issues.showing import changed, refused


@bp.post("/issues/<int:issue_id>/resolution")
@login_required
def resolve(issue_id: int) -> Response:
    session = db.session
    issue = access.visible_issue(session, me(), issue_id)
    try:
        into = resolve_choice.read(request.form)
        activity = resolving.resolve(session, issue, by=me(), now=now(), into=into)
    except Refused as error:
        return refused(issue, error)
    session.commit()
    if activity is None:
        return changed(issue, f"It was {issue.status} already: nothing changed.")
    return changed(issue, said_of(activity))


@bp.post("/issues/<int:issue_id>/reopening")
@login_required
def reopen(issue_id: int) -> Response:
    session = db.session
    issue = access.visible_issue(session, me(), issue_id)
    activity = reopening.reopen(session, issue, by=me(), now=now())
    session.commit()
    return changed(issue, "Unresolved again." if activity else "It was unresolved already: nothing changed.")


@bp.post("/issues/<int:issue_id>/fixes/<int:commit_id>/refutation")
@login_required
@limits.changes
def refute(issue_id: int, commit_id: int) -> Response:
    """A commit does not fix the issue after all."""
    session = db.session
    issue = access.visible_issue(session, me(), issue_id)
    activity = fixing.refute(session, issue, commit_id, by=me(), now=now())
    session.commit()
    if activity is None:
        return changed(issue, "No commit is said to fix it that way any more: nothing changed.")
    said = f"Commit {commits.short(activity.data['commit'])} does not fix it"
    if activity.type == "set_unresolved":
        return changed(issue, f"{said}: unresolved again.")
    return changed(issue, f"{said}. It stays {issue.status}.")


@bp.post("/issues/<int:issue_id>/fixes/<int:commit_id>/refutation/withdrawal")
@login_required
@limits.changes
def withdraw_refutation(issue_id: int, commit_id: int) -> Response:
    """The commit is said to fix the issue again."""
    session = db.session
    issue = access.visible_issue(session, me(), issue_id)
    activity = fixing.withdraw(session, issue, commit_id, by=me(), now=now())
    session.commit()
    if activity is None:
        return changed(issue, "Nobody says any more that this commit does not fix it: nothing changed.")
    commit = commits.short(activity.data["commit"])
    return changed(issue, f"Commit {commit} is said to fix it again. It stays {issue.status}.")


def said_of(activity: Activity) -> str:
    """How it was resolved, for the message that confirms it."""
    data = activity.data
    if activity.type == "set_resolved_in_commit":
        return f"Resolved by commit {commits.short(data['commit'])}."
    if activity.type == "set_resolved_in_release":
        return f"Resolved in {data['version']}." if data["version"] else "Resolved in the next release."
    return "Resolved."
