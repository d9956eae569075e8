"""A project's issue owners (`web-api.md` 6): the same service, checks and versions as the page."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import jsonify

from app.api import shapes
from app.api.blueprint import Answer, Invalid, bp
from app.api.credentials import may, me, needs, person, reaches
from app.api.describing import describes
from app.api.places import visible_project
from app.api.reading import Json, body, flag, known_members, member_object
from app.api.types.alerts import (
    MatchedJson,
    MatchedLineJson,
    MatchQuestion,
    OwnershipChange,
    OwnershipJson,
)
from app.clock import now
from app.db import db
from app.domain import event as events
from app.domain import ownership, ownership_sights
from app.domain.event import Receipt
from app.domain.ownership import Rules
from app.domain.ownership_lines import Match, OwnershipErrors
from app.extensions import limiter
from app.limits import QUESTIONS, QUESTIONS_SCOPE
from app.models import Event, Ownership, Project
from app.services.events import event_body
from app.services.issues import auto_assigning
from app.services.owners import entrusting, owner_checks, owning
from app.services.owners.entrusting import Wishes

FLAGS = {"fallthrough": "fallthrough", "autoAssignment": "auto_assign", "onlyAssignee": "only_assignee"}
# Of an event that is only tried: it is never stored.
NO_ID = "0" * 32
# Beside the limit of all calls, and with what the pages ask.
asking = limiter.shared_limit(QUESTIONS, scope=QUESTIONS_SCOPE, key_func=person, override_defaults=False)
MOST_PROBLEMS = 200
Found = tuple[Mapping[str, Any], Sequence[Sequence[str]]]


@bp.get("/projects/<org>/<proj>/ownership/")
@needs("project:read")
@describes({200: OwnershipJson})
def ownership_of(org: str, proj: str) -> Answer:
    """The issue owners of a project."""
    return jsonify(_shape(entrusting.stored(db.session, visible_project(org, proj))))


@bp.put("/projects/<org>/<proj>/ownership/")
@needs("project:write")
@describes({200: OwnershipJson}, body=OwnershipChange)
def change_ownership(org: str, proj: str) -> Answer:
    """Change the issue owners of a project.

    What is absent stays. A text with a mistake is refused, and every mistake named.
    """
    project, given = visible_project(org, proj), body()
    may(project, "edit_project")
    known_members(given, "raw", *FLAGS, "dateUpdated")
    chosen = {column: flag(given, member) for member, column in FLAGS.items() if member in given}
    wishes = Wishes(
        raw=_raw(given) if "raw" in given else None,
        fallthrough=chosen.get("fallthrough"),
        auto_assign=chosen.get("auto_assign"),
        only_assignee=chosen.get("only_assignee"),
    )
    try:
        entrusting.save(db.session, project, wishes, by=me(), via="api", now=now())
    except OwnershipErrors as error:
        db.session.rollback()
        return _wrong(error)
    db.session.commit()
    return jsonify(_shape(entrusting.stored(db.session, project)))


@bp.post("/projects/<org>/<proj>/ownership/match/")
@asking
@needs("project:read")
@describes({200: MatchedJson}, body=MatchQuestion)
def match_ownership(org: str, proj: str) -> Answer:
    """Which lines an event matches.

    A stored event or one sent along; the lines in force, or those of a text sent along.
    """
    project, given = visible_project(org, proj), body()
    known_members(given, "raw", "event", "eventId")
    try:
        rules = _rules(project, given)
    except OwnershipErrors as error:
        return _wrong(error)
    data, tags = _event(project, given)
    matches = ownership.match(rules, data, tags)
    owners = [owner for match in matches for owner in match.line.owners]
    known = owning.directory(db.session, project.id, owners)
    chosen = auto_assigning.choice(matches, known)
    to = auto_assigning.whom(db.session, chosen[1], known) if chosen else None
    return jsonify(
        {
            "lines": [_line(match) for match in matches],
            "assignee": shapes.assigned_to(to),
            "isWhole": not ownership_sights.is_beyond_limits(data),
        }
    )


def _wrong(error: OwnershipErrors) -> Answer:
    said = [str(problem) for problem in error.problems[:MOST_PROBLEMS]]
    more = len(error.problems) - MOST_PROBLEMS
    return jsonify({"raw": [*said, f"and {more:,} more"] if more > 0 else said}), 400


def _raw(given: Json) -> str:
    if not isinstance(given["raw"], str):
        raise Invalid("Must be text.", "raw")
    return given["raw"]


def _rules(project: Project, given: Json) -> Rules:
    if "raw" not in given:
        return owning.rules_of(db.session, project.id).rules
    rules, problems = owner_checks.drafted(db.session, project, _raw(given))
    if problems:
        raise OwnershipErrors(problems)
    return rules


def _event(project: Project, given: Json) -> Found:
    if "event" in given:
        sent = events.regular(member_object(given, "event"), Receipt(NO_ID, now()))
        return sent.data, sent.tags
    event_id = given.get("eventId")
    if not isinstance(event_id, str):
        raise Invalid("Name a stored event, or send one as `event`.", "eventId")
    reaches("event:read")
    wanted = event_id.replace("-", "").lower()
    row = db.session.query(Event).filter_by(project_id=project.id, event_id=wanted).one_or_none()
    if row is None:
        raise Invalid("There is no such event in this project.", "eventId")
    data = event_body.unpack(row.body)
    return data, data.get("tags") or ()


def _line(match: Match) -> MatchedLineJson:
    return {
        "line": match.number,
        "text": match.text,
        "owners": list(match.owners),
        "source": "codeowners" if match.line.is_imported else "rules",
        "matched": match.what,
    }


def _shape(row: Ownership) -> OwnershipJson:
    return {
        "raw": row.raw,
        "fallthrough": row.fallthrough,
        "autoAssignment": row.auto_assign,
        "onlyAssignee": row.only_assignee,
        "dateUpdated": shapes.moment(row.updated_at) if row.version else None,
    }
