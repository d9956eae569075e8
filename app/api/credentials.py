"""Who is asking, and what their token and their role let them do."""

import re
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import Response, g, request
from redis import RedisError
from sqlalchemy.exc import OperationalError

from app import visitors
from app.api.blueprint import RATE, Denied, bp
from app.clock import now
from app.db import db, reading, transaction
from app.domain import scopes
from app.extensions import limiter
from app.models import ApiToken, Organization, Project, User
from app.services import access
from app.services.access import Viewer
from app.services.people import accounts, tokens

P = ParamSpec("P")
T = TypeVar("T")
_BEARER = re.compile(r"bearer\s+(\S+)\s*", re.IGNORECASE)
NOT_ALLOWED = "You do not have permission to perform this action."


def whose() -> str:
    """Whose requests are counted together: those of a token that works, else those of an address.

    In a session of its own: a call that changes something takes SQLite's write lock before its first read.
    """
    return _counted()[0]


def person() -> str:
    """The same of all that are one person's, as their pages count them."""
    return _counted()[1]


def _counted() -> tuple[str, str]:
    if "counted" not in g:
        match = _BEARER.fullmatch(request.headers.get("Authorization", ""))
        with reading() as own:
            found = tokens.find(own, match[1]) if match else None
        where = visitors.address()
        g.counted = (f"token {found.id}", _owner(found)) if found else (where, where)
    counted: tuple[str, str] = g.counted
    return counted


def _owner(row: ApiToken) -> str:
    return f"user {row.user_id}" if row.user_id else f"organization {row.organization_id}"


limiter.shared_limit(RATE, scope="api", key_func=whose)(bp)


@bp.after_request
def _say_what_is_left(response: Response) -> Response:
    """How often one may ask, how often still, and when that begins anew, in seconds since 1970."""
    limit = limiter.current_limit
    if limit:
        with suppress(RedisError):  # it went away since it counted
            told = {"Limit": limit.limit.amount, "Remaining": limit.remaining, "Reset": limit.reset_at}
            response.headers.update({f"X-Sentry-Rate-Limit-{name}": str(each) for name, each in told.items()})
    return response


def token_or_none() -> ApiToken | None:
    """The token of this request; `Denied` when there is one and it is no good."""
    if "token" not in g:
        match = _BEARER.fullmatch(request.headers.get("Authorization", ""))
        g.token = tokens.find(db.session, match[1]) if match else None
        if match and g.token is None:
            raise Denied(401, "Invalid token")
    found: ApiToken | None = g.token
    return found


def token() -> ApiToken:
    found = token_or_none()
    if found is None:
        raise Denied(401, "Authentication credentials were not provided.")
    return found


def me() -> User:
    """Whose token it is; `Denied` for an organization's own: what takes a person is not for it."""
    person = token().user
    if person is None:
        raise Denied(403, NOT_ALLOWED)
    return person


def viewer() -> Viewer:
    """Who looks: an organization, if the token is its own, else the person."""
    return token().organization or me()


def actor() -> User | None:
    """Who does this; None is the organization itself, for the services of releases."""
    return token().user


def needs(*any_of: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """The call is for tokens with one of these scopes, or one that includes it."""

    def decorate(call: Callable[P, T]) -> Callable[P, T]:
        @wraps(call)
        def checked(*args: P.args, **kwargs: P.kwargs) -> T:
            reaches(*any_of)
            return call(*args, **kwargs)

        vars(checked)["scopes"] = any_of  # for the call's description
        return checked

    return decorate


def reaches(*any_of: str) -> None:
    """`Denied` unless the token has one of these scopes, or one that includes it."""
    if not any(grants(scope) for scope in any_of):
        raise Denied(403, NOT_ALLOWED)


def grants(scope: str) -> bool:
    """Whether the token has this scope, or one that includes it."""
    return scopes.allow(token().scopes, scope)


def may(where: Project | Organization, permission: str) -> None:
    """`Denied` unless this person's role there has the permission."""
    if not access.can(db.session, me(), where, permission):
        raise Denied(403, NOT_ALLOWED)


@bp.after_request
def _note_use(response: Response) -> Response:
    """When the token was last of use, to within minutes.

    In a transaction of its own: a GET has only read so far, and SQLite would refuse it to begin writing.
    """
    used: ApiToken | None = g.get("token")
    if used is None or not accounts.activity_is_stale(used.last_used_at, now=now()):
        return response
    token_id = used.id
    db.session.rollback()  # the call has committed what it meant to keep
    with suppress(OperationalError), transaction() as own:  # the answer matters more than this note
        tokens.note_use(own, token_id, now=now())
    return response
