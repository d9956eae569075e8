"""Updates of one issue and of many (`web-api.md` 4): what sentry-cli's `issues resolve` and others send."""

from collections.abc import Sequence

from flask import jsonify, request
from sqlalchemy import select

from app.api import issue_removal, narrowing, shapes, status_details
from app.api.blueprint import Answer, Invalid, bp
from app.api.credentials import me, needs
from app.api.describing import describes
from app.api.issues import details
from app.api.places import visible_issue
from app.api.reading import body
from app.api.types.issues import (
    AppliedJson,
    DiscardedJson,
    IssueDetailsJson,
    IssueUpdate,
    MergedJson,
    StatusDetailsJson,
)
from app.clock import now
from app.db import db
from app.domain.errors import NotFound
from app.domain.issue_update import BadUpdate, Update, read
from app.models import Issue
from app.services.issues import matching, resolving, timeline, updating
from app.services.issues.finding import Scope

# One transaction, which others wait for.
MOST_AT_ONCE = 1000
MANY = {200: AppliedJson | MergedJson | DiscardedJson}


@bp.put("/issues/<issue>/")
@bp.put("/organizations/<org>/issues/<issue>/")
@needs("event:write")
@describes({200: IssueDetailsJson | MergedJson | DiscardedJson}, body=IssueUpdate, query=[narrowing.WHOSE])
def update_issue(issue: str, org: str | None = None) -> Answer:
    """Change an issue.

    Resolve, ignore, assign, follow: the answer is the issue as it then is.
    """
    row, asked = visible_issue(issue, org), _asked_for()
    if asked.fate:
        return issue_removal.meet([row], asked.fate)
    _apply([row], asked)
    return jsonify(details(row))


@bp.put("/projects/<org>/<proj>/issues/")
@needs("event:write")
@describes(MANY, body=IssueUpdate, query=narrowing.CHOSEN_OF_PROJECT)
def update_issues_of_project(org: str, proj: str) -> Answer:
    """Change many issues of a project.

    Those that the query string names, without any all of the project; at most 1,000 at once. The answer is
    what changed.
    """
    return _update_many(narrowing.scope_of_project(org, proj))


@bp.put("/organizations/<org>/issues/")
@needs("event:write")
@describes(MANY, body=IssueUpdate, query=narrowing.CHOSEN_OF_ORGANIZATION)
def update_issues_of_organization(org: str) -> Answer:
    """Change many issues of an organization.

    Those that `id`, `query` or `status` name; at most 1,000 at once. The answer is what changed.
    """
    scope = narrowing.scope_of_organization(org)
    if not any(request.args.get(name) for name in ("id", "query", "status")):
        raise Invalid("Name the issues: with id, query or status.")
    return _update_many(scope)


def _update_many(scope: Scope) -> Answer:
    asked = _asked_for()
    rows = chosen(scope, first_others_than=asked.status or "")
    if asked.fate:
        return issue_removal.meet(rows, asked.fate)
    _apply(rows, asked)
    return jsonify(_applied(rows, asked))


def _asked_for() -> Update:
    try:
        return read(body())
    except BadUpdate as error:
        raise Invalid(error.message, error.member) from None


def chosen(scope: Scope, *, first_others_than: str = "") -> list[Issue]:
    """The issues that the query string names; without id, search or status all of the project.

    Of more than fit, those first that do not have this status: asking again gets on with the rest.
    """
    found = select(Issue).where(scope.holds)
    for condition in (narrowing.ids(), narrowing.status()):
        if condition is not None:
            found = found.where(condition)
    if request.args.get("query"):
        found = found.where(matching.condition(db.session, narrowing.query(), scope.places, now=now()))
    done = Issue.status == first_others_than
    rows = db.session.scalars(found.order_by(done, Issue.id).limit(MOST_AT_ONCE)).all()
    if "id" in request.args and not rows:
        raise NotFound
    return sorted(rows, key=lambda row: row.id)  # two who change the same issues wait, and never deadlock


def _apply(rows: Sequence[Issue], asked: Update) -> None:
    resolving.refuse_several_projects([row.project_id for row in rows], asked.into)
    # Whoever hears of several changes by one call hears of them in one message.
    batch = timeline.together() if len(rows) > 1 else None
    for row in rows:
        updating.update(db.session, row, asked, by=me(), now=now(), via="api", batch=batch)
    db.session.commit()


def _details(rows: Sequence[Issue]) -> StatusDetailsJson:
    """Of the first: what it was asked for in words such as "latest", by its name."""
    return status_details.of(rows[:1]).get(rows[0].id, {}) if rows else {}


def _applied(rows: Sequence[Issue], asked: Update) -> AppliedJson:
    """The changes, in the words that an issue's own members have."""
    applied: AppliedJson = {}
    if asked.status:
        applied["status"], applied["statusDetails"] = asked.status, _details(rows)
    if asked.assignment:
        applied["assignedTo"] = shapes.assignee(rows[0]) if rows else None
    if asked.subscribed is not None:
        applied["isSubscribed"] = asked.subscribed
    if asked.bookmarked is not None:
        applied["isBookmarked"] = asked.bookmarked
    if asked.seen is not None:
        applied["hasSeen"] = asked.seen
    if asked.importance is not None:
        applied["priority"] = asked.importance or None
    return applied
