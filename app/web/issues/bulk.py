"""One change to several issues of a list; each issue gets its own activity."""

from collections.abc import Callable, Sequence
from typing import Any

from flask import Response, flash, render_template, request, url_for

from app.clock import now
from app.db import db
from app.domain.errors import NotFound, Refused
from app.domain.ids import parse_id
from app.models import Issue
from app.services import access, assigning, finding, ignoring, reopening, resolving, subscribing
from app.web.filters import plural
from app.web.hypermedia import see_other, way_back
from app.web.identity import login_required, me
from app.web.issues.assignee import chosen
from app.web.issues.blueprint import bp
from app.web.issues.listing import scope_at

MOST = 1000


@bp.post("/issues/bulk")
@login_required
def change_many() -> Response:
    """`do` says what, `issue` to which, as often as there are; `assignee` to whom, where that is asked."""
    session = db.session
    issues = _selected()
    change = CHANGES.get(request.form.get("do", ""))
    if change is None:
        raise Refused("Choose what to do with the issues.")
    done = sum(1 for issue in issues if change[0](issue))
    session.commit()
    flash(_said(change[1], done, len(issues) - done))
    return see_other(way_back(otherwise=url_for("home.projects")))


@bp.get("/<org>/<slug>/people")
@login_required
def people(org: str, slug: str) -> str:
    """Names that complete what is typed into the Assign field of a list."""
    scope = scope_at(org, slug)
    if scope.project is None:
        return ""
    users, teams = access.assignable(db.session, scope.project)
    return render_template("issues/_people.html", users=users, teams=teams)


def _selected() -> Sequence[Issue]:
    numbers = {id_ for text in request.form.getlist("issue") if (id_ := parse_id(text)) is not None}
    if not numbers:
        raise Refused("Select an issue first.")
    if len(numbers) > MOST:
        raise Refused(f"Select at most {MOST} issues.")
    issues = finding.visible(db.session, me(), numbers)
    if len(issues) != len(numbers):
        raise NotFound
    return issues


def _said(what: str, done: int, left: int) -> str:
    unchanged = f" {plural(left, 'issue')} had nothing to change." if left else ""
    return f"{plural(done, 'issue')} {what}.{unchanged}"


def _moved(make: Callable[..., Any]) -> Callable[[Issue], bool]:
    return lambda issue: make(db.session, issue, by=me(), now=now()) is not None


def _assign(issue: Issue, name: str | None = None) -> bool:
    to = chosen(issue, request.form.get("assignee", "") if name is None else name)
    return assigning.assign(db.session, issue, to=to, by=me(), now=now()) is not None


def _subscription(change: Callable[..., bool]) -> Callable[[Issue], bool]:
    return lambda issue: change(db.session, issue, user=me(), now=now(), via="page")


CHANGES: dict[str, tuple[Callable[[Issue], bool], str]] = {
    "resolve": (_moved(resolving.resolve), "resolved"),
    "ignore": (_moved(ignoring.ignore), "ignored"),
    "reopen": (_moved(reopening.reopen), "reopened"),
    "assign": (_assign, "assigned"),
    "take": (lambda issue: _assign(issue, "me"), "assigned to you"),
    "unassign": (lambda issue: _assign(issue, ""), "assigned to nobody"),
    "subscribe": (_subscription(subscribing.subscribe), "subscribed to"),
    "unsubscribe": (_subscription(subscribing.unsubscribe), "unsubscribed from"),
}
