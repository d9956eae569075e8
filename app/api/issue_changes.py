"""Updates of one issue and of many (`web-api.md` 4): what sentry-cli's `issues resolve` and others send."""

from collections.abc import Sequence

from flask import jsonify, request
from sqlalchemy import select

from app.api import narrowing, shapes
from app.api.blueprint import Answer, Invalid, bp
from app.api.credentials import me, needs
from app.api.issues import details
from app.api.places import visible_issue
from app.api.reading import Json, body
from app.clock import now
from app.db import db
from app.domain.errors import NotFound
from app.domain.issue_update import BadUpdate, Update, read
from app.models import Issue
from app.services import matching, updating
from app.services.finding import Scope

# One transaction, which others wait for.
MOST_AT_ONCE = 1000


@bp.put("/issues/<issue>/")
@bp.put("/organizations/<org>/issues/<issue>/")
@needs("event:write")
def update_issue(issue: str, org: str | None = None) -> Answer:
    row = visible_issue(issue, org)
    _apply([row], _asked_for())
    return jsonify(details(row))


@bp.put("/projects/<org>/<proj>/issues/")
@needs("event:write")
def update_issues_of_project(org: str, proj: str) -> Answer:
    return _update_many(narrowing.scope_of_project(org, proj))


@bp.put("/organizations/<org>/issues/")
@needs("event:write")
def update_issues_of_organization(org: str) -> Answer:
    scope = narrowing.scope_of_organization(org)
    if not any(request.args.get(name) for name in ("id", "query", "status")):
        raise Invalid("Name the issues: with id, query or status.")
    return _update_many(scope)


def _update_many(scope: Scope) -> Answer:
    asked = _asked_for()
    rows = _chosen(scope, asked)
    _apply(rows, asked)
    return jsonify(_applied(rows, asked))


def _asked_for() -> Update:
    try:
        return read(body())
    except BadUpdate as error:
        raise Invalid(error.message, error.member) from None


def _chosen(scope: Scope, asked: Update) -> list[Issue]:
    """The issues that the query string names; without id, search or status all of the project."""
    found = select(Issue).where(scope.holds)
    for condition in (narrowing.ids(), narrowing.status()):
        if condition is not None:
            found = found.where(condition)
    if request.args.get("query"):
        found = found.where(matching.condition(narrowing.query(), now=now()))
    # Of more than fit, those first that are not yet as they should be: asking again gets on with the rest.
    done = Issue.status == (asked.status or "")
    rows = db.session.scalars(found.order_by(done, Issue.id).limit(MOST_AT_ONCE)).all()
    if "id" in request.args and not rows:
        raise NotFound
    return sorted(rows, key=lambda row: row.id)  # two who change the same issues wait, and never deadlock


def _apply(rows: Sequence[Issue], asked: Update) -> None:
    for row in rows:
        updating.update(db.session, row, asked, by=me(), now=now(), via="api")
    db.session.commit()


def _applied(rows: Sequence[Issue], asked: Update) -> Json:
    """The changes, in the words that an issue's own members have."""
    applied: Json = {}
    if asked.status:
        applied |= {"status": asked.status, "statusDetails": {}}
    if asked.assignment:
        applied["assignedTo"] = shapes.assignee(rows[0]) if rows else None
    if asked.subscribed is not None:
        applied["isSubscribed"] = asked.subscribed
    return applied
