"""Deleting, discarding and merging issues (`web-api.md` 4)."""

from collections.abc import Sequence

from flask import jsonify, request

from app.api import issue_changes, narrowing
from app.api.blueprint import Answer, Invalid, bp
from app.api.credentials import may, me, needs, reaches
from app.api.describing import describes
from app.api.places import visible_issue
from app.api.types.issues import NothingJson
from app.clock import now
from app.db import db
from app.domain.issue_update import MERGE
from app.models import Issue
from app.services.issues import merging, removing
from app.services.issues.finding import Scope


@bp.delete("/issues/<issue>/")
@bp.delete("/organizations/<org>/issues/<issue>/")
@needs("event:admin")
@describes({202: NothingJson}, query=[narrowing.WHOSE])
def delete_issue(issue: str, org: str | None = None) -> Answer:
    """Delete an issue and its events."""
    _delete([visible_issue(issue, org)])
    return jsonify({}), 202


@bp.delete("/projects/<org>/<proj>/issues/")
@needs("event:admin")
@describes({204: None}, query=narrowing.CHOSEN_OF_PROJECT)
def delete_issues_of_project(org: str, proj: str) -> Answer:
    """Delete many issues of a project.

    Those that `id`, `query` or `status` name; at most 1,000 at once.
    """
    return _delete_many(narrowing.scope_of_project(org, proj))


@bp.delete("/organizations/<org>/issues/")
@needs("event:admin")
@describes({204: None}, query=narrowing.CHOSEN_OF_ORGANIZATION)
def delete_issues_of_organization(org: str) -> Answer:
    """Delete many issues of an organization.

    Those that `id`, `query` or `status` name; at most 1,000 at once.
    """
    return _delete_many(narrowing.scope_of_organization(org))


def _delete_many(scope: Scope) -> Answer:
    """Nothing is deleted that was not named: to forget the query string must not empty a project."""
    if not any(request.args.get(name) for name in ("id", "query", "status")):
        raise Invalid("Name the issues: with id, query or status.")
    _delete(issue_changes.chosen(scope))
    return "", 204


def _delete(rows: Sequence[Issue]) -> None:
    removing.delete(db.session, rows, by=me(), now=now())
    db.session.commit()


def meet(rows: Sequence[Issue], fate: str) -> Answer:
    """Merge or discard the issues, as the body of an update asked."""
    return _merge(rows) if fate == MERGE else _discard(rows)


def _merge(rows: Sequence[Issue]) -> Answer:
    reaches("event:admin")
    primary = merging.merge(db.session, rows, by=me(), now=now())
    children = [row.id for row in rows if row is not primary]
    db.session.commit()
    return jsonify(merge={"parent": str(primary.id), "children": [str(child) for child in children]})


def _discard(rows: Sequence[Issue]) -> Answer:
    reaches("event:admin")
    for project in {row.project for row in rows}:
        may(project, "discard")
    removing.discard(db.session, rows, by=me(), now=now())
    db.session.commit()
    return jsonify(discard=True)
