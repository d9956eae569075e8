"""What people wrote about errors (`web-api.md` 4): read with a token, written with a token or a DSN."""

from flask import jsonify

from app.api import dsn, shapes
from app.api.blueprint import Answer, Invalid, bp
from app.api.credentials import needs
from app.api.describing import Page, describes
from app.api.paging import page_of
from app.api.places import visible_project
from app.api.reading import Json, body, text
from app.api.types.feedback import FeedbackIssueJson, FeedbackJson, NewFeedbackJson
from app.clock import now
from app.db import db
from app.domain.envelope import event_id_from
from app.models import Feedback, Issue
from app.services.issues import feedback
from app.services.issues.feedback import Words


@bp.get("/projects/<org>/<proj>/user-feedback/")
@needs("event:read", "project:read")
@describes({200: Page[FeedbackJson]})
def feedback_of_project(org: str, proj: str) -> Answer:
    """What people wrote about errors of a project, newest first."""
    found = feedback.of_project(visible_project(org, proj))

    return page_of(found, lambda rows: [shape(row) for row in rows])


@bp.post("/projects/<org>/<proj>/user-feedback/")
@dsn.within_its_limit
@dsn.or_dsn("event:write", "project:write")
@describes({200: FeedbackJson}, body=NewFeedbackJson)
def write_feedback(org: str, proj: str) -> Answer:
    """Say what somebody wrote about an event.

    The event may have come in, or come later. With a token, or with `Authorization: DSN https://KEY@host/7`:
    then the key's rate limit holds. The same words sent again are kept once.
    """
    by_dsn = dsn.is_sent()
    project = dsn.project_at(org, proj) if by_dsn else visible_project(org, proj)
    given = body()
    event_id = event_id_from(given.get("event_id"))
    if event_id is None:
        raise Invalid("Name the event: 32 hexadecimal digits, with or without dashes.", "event_id")
    words = Words(comments=text(given, "comments"), name=_line(given, "name"), email=_line(given, "email"))
    row = feedback.keep(db.session, project, words, event_id=event_id, now=now())
    db.session.commit()
    return jsonify(shape(row, is_public=by_dsn))


def _line(given: Json, member: str) -> str:
    return "".join(character for character in text(given, member) if character.isprintable())


def shape(row: Feedback, *, is_public: bool = False) -> FeedbackJson:
    """`is_public`: for somebody who may write and not read."""
    issue = None if is_public else row.issue
    return {
        "id": str(row.id),
        "eventID": row.event_id,
        "name": row.name,
        "email": row.email,
        "comments": row.comments,
        "dateCreated": shapes.moment(row.created_at),
        "user": None,
        "event": {"id": row.event_id if issue else None, "eventID": row.event_id},
        "issue": _issue(issue) if issue else None,
    }


def _issue(row: Issue) -> FeedbackIssueJson:
    return {
        "id": str(row.id),
        "shortId": row.short_id,
        "title": row.title,
        "level": row.level,
        "status": row.status,
        "permalink": shapes.links().issue(row.project.organization.slug, row.project.slug, row.id),
    }
