"""What people wrote about errors (`web-api.md` 4): read with a token, written with a token or a DSN."""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import ParamSpec

from flask import Response, g, jsonify, request
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.api import shapes
from app.api.blueprint import Answer, Denied, Invalid, bp
from app.api.credentials import NOT_ALLOWED, needs
from app.api.describing import Page, describes
from app.api.paging import page
from app.api.places import visible_project
from app.api.reading import Json, body, text
from app.api.types.feedback import FeedbackIssueJson, FeedbackJson, NewFeedbackJson
from app.clock import now
from app.db import db, reading
from app.domain import authentication, origins
from app.domain.envelope import event_id_from
from app.domain.ratelimits import RateLimit, header
from app.domain.rejections import Rejected
from app.extensions import limiter
from app.models import Feedback, Issue, Project, ProjectKey
from app.services.events.categories import FEEDBACK
from app.services.issues import feedback
from app.services.issues.feedback import Words

P = ParamSpec("P")
_DSN = re.compile(r"dsn\s+(\S+)\s*", re.IGNORECASE)
NO_DSN = "Invalid DSN"
WRITING = "api.write_feedback"


@bp.get("/projects/<org>/<proj>/user-feedback/")
@needs("event:read", "project:read")
@describes({200: Page[FeedbackJson]})
def feedback_of_project(org: str, proj: str) -> Answer:
    """What people wrote about errors of a project, newest first."""
    found = feedback.of_project(visible_project(org, proj))

    def fetch(start: int, count: int) -> Sequence[Feedback]:
        return db.session.scalars(found.offset(start).limit(count)).all()

    return page(fetch, lambda rows: [shape(row) for row in rows])


def _or_dsn(*any_of: str) -> Callable[[Callable[P, Answer]], Callable[P, Answer]]:
    """The call is for tokens as `needs` has it, and for whoever sends a DSN."""

    def decorate(call: Callable[P, Answer]) -> Callable[P, Answer]:
        by_token = needs(*any_of)(call)

        @wraps(by_token)
        def checked(*args: P.args, **kwargs: P.kwargs) -> Answer:
            return call(*args, **kwargs) if _dsn() else by_token(*args, **kwargs)

        return checked

    return decorate


@dataclass(frozen=True, slots=True)
class Limited:
    """The key whose DSN was sent, as far as it has a limit; empty if not."""

    key: str = ""
    count: int = 0
    window: int = 0

    @property
    def limit(self) -> str:
        return f"{self.count} per {self.window} second" if self.count and self.window else ""


def _limited() -> Limited:
    """In a session of its own: the call takes SQLite's write lock before its first read."""
    if "limited" not in g:
        with reading() as own:
            key = _key(own) if _dsn() else None
            g.limited = (
                Limited(f"key {key.id}", key.rate_limit_count or 0, key.rate_limit_window or 0)
                if key
                else Limited()
            )
    found: Limited = g.limited
    return found


@bp.post("/projects/<org>/<proj>/user-feedback/")
@limiter.limit(lambda: _limited().limit, key_func=lambda: _limited().key, override_defaults=False)
@_or_dsn("event:write", "project:write")
@describes({200: FeedbackJson}, body=NewFeedbackJson)
def write_feedback(org: str, proj: str) -> Answer:
    """Say what somebody wrote about an event.

    The event may have come in, or come later. With a token, or with `Authorization: DSN https://KEY@host/7`:
    then the key's rate limit holds. The same words sent again are kept once.
    """
    by_dsn = _dsn() is not None
    project = _project_of_key(org, proj) if by_dsn else visible_project(org, proj)
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


def _dsn() -> str | None:
    match = _DSN.fullmatch(request.headers.get("Authorization", ""))
    return match[1] if match else None


def _key(session: Session) -> ProjectKey | None:
    try:
        named = authentication.parse_dsn(_dsn())
    except Rejected:
        return None
    found = select(ProjectKey).where(ProjectKey.public == named.public_key, ProjectKey.is_active)
    key = session.scalar(found)
    return key if key and key.project_id == named.project_id else None


def _project_of_key(org: str, proj: str) -> Project:
    """Whether another project exists is nobody's business who has a key."""
    key = _key(db.session)
    if key is None:
        raise Denied(401, NO_DSN)
    project, organization = key.project, key.project.organization
    here = (org in (organization.slug, str(organization.id)), proj in (project.slug, str(project.id)))
    origin = request.headers.get("Origin") or request.headers.get("Referer")
    if not all(here) or not origins.accepts(project.allowed_origins, origin):
        raise Denied(403, NOT_ALLOWED)
    return project


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


@bp.after_request
def _say_which_limit(response: Response) -> Response:
    """SDKs read it in the words of ingest."""
    limit = limiter.current_limit
    if response.status_code == 429 and request.endpoint == WRITING and limit and _limited().limit:
        wait = RateLimit(limit.reset_at - time.time(), _limited().window, "key", "key_quota", (FEEDBACK,))
        response.headers["X-Sentry-Rate-Limits"] = header([wait])
    return response
