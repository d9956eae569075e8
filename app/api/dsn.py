"""Calls that take a project's DSN in place of a token: `Authorization: DSN https://KEY@host/7`.

Whoever has one may write, as an SDK may, within the limit of its key, and reads nothing.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import ParamSpec

from flask import Response, g, request
from sqlalchemy.orm import Session

from app.api.blueprint import Answer, Denied, bp
from app.api.credentials import NOT_ALLOWED, needs
from app.db import db, reading
from app.domain import authentication, origins
from app.domain.ratelimits import RateLimit, header
from app.domain.rejections import Rejected
from app.extensions import limiter
from app.models import Project, ProjectKey
from app.services.events.categories import FEEDBACK
from app.services.people import workspaces

P = ParamSpec("P")
NO_DSN = "Invalid DSN"
_DSN = re.compile(r"dsn\s+(\S+)\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Limited:
    """The key whose DSN was sent, as far as it has a limit; empty if not."""

    key: str = ""
    count: int = 0
    window: int = 0

    @property
    def limit(self) -> str:
        return f"{self.count} per {self.window} second" if self.count and self.window else ""


def is_sent() -> bool:
    return _sent() is not None


def or_dsn(*any_of: str) -> Callable[[Callable[P, Answer]], Callable[P, Answer]]:
    """The call is for tokens as `needs` has it, and for whoever sends a DSN."""

    def decorate(call: Callable[P, Answer]) -> Callable[P, Answer]:
        by_token = needs(*any_of)(call)

        @wraps(by_token)
        def checked(*args: P.args, **kwargs: P.kwargs) -> Answer:
            return call(*args, **kwargs) if is_sent() else by_token(*args, **kwargs)

        return checked

    return decorate


def project_at(org: str, proj: str) -> Project:
    """The project of the DSN, which has to be the one of the address.

    Whether another project exists is nobody's business who has a key.
    """
    key = _key(db.session)
    if key is None:
        raise Denied(401, NO_DSN)
    project, organization = key.project, key.project.organization
    here = (org in (organization.slug, str(organization.id)), proj in (project.slug, str(project.id)))
    origin = request.headers.get("Origin") or request.headers.get("Referer")
    if not all(here) or not origins.accepts(project.allowed_origins, origin):
        raise Denied(403, NOT_ALLOWED)
    return project


def _sent() -> str | None:
    match = _DSN.fullmatch(request.headers.get("Authorization", ""))
    return match[1] if match else None


def _key(session: Session) -> ProjectKey | None:
    try:
        named = authentication.parse_dsn(_sent())
    except Rejected:
        return None
    key = workspaces.find_key(session, named.project_id, named.public_key)
    return key if key and key.is_active else None


def _limited() -> Limited:
    """In a session of its own: the call takes SQLite's write lock before its first read."""
    if "limited" not in g:
        with reading() as own:
            key = _key(own) if is_sent() else None
            g.limited = (
                Limited(f"key {key.id}", key.rate_limit_count or 0, key.rate_limit_window or 0)
                if key
                else Limited()
            )
    found: Limited = g.limited
    return found


# Stands over `or_dsn`.
within_its_limit = limiter.limit(
    lambda: _limited().limit, key_func=lambda: _limited().key, override_defaults=False
)


@bp.after_request
def _say_which_limit(response: Response) -> Response:
    """SDKs read it in the words of ingest."""
    limit = limiter.current_limit
    if response.status_code == 429 and "limited" in g and limit and _limited().limit:
        wait = RateLimit(limit.reset_at - time.time(), _limited().window, "key", "key_quota", (FEEDBACK,))
        response.headers["X-Sentry-Rate-Limits"] = header([wait])
    return response
