"""The blueprint of the JSON API: who is asking, what they may do, and how errors are answered."""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from flask import Blueprint, Response, g, jsonify, request
from werkzeug.exceptions import HTTPException

from app.clock import now
from app.db import db
from app.domain import scopes
from app.domain.errors import NotFound, Refused
from app.models import ApiToken, User
from app.services import accounts

bp = Blueprint("api", __name__, url_prefix="/api/0")
P, T = ParamSpec("P"), TypeVar("T")
_BEARER = re.compile(r"bearer\s+(\S+)\s*", re.IGNORECASE)
USE_IS_NOTED_EVERY = 300  # seconds


class Invalid(Exception):
    """A body or query with errors, by member: answered 400."""

    def __init__(self, **errors: str) -> None:
        super().__init__(str(errors))
        self.errors = {name: [text] for name, text in errors.items()}


class Denied(Exception):
    """Asked without a token, or with one that does not reach."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


def token_or_none() -> ApiToken | None:
    """The token of this request; `Denied` when there is one and it is no good."""
    if "token" not in g:
        match = _BEARER.fullmatch(request.headers.get("Authorization", ""))
        g.token = accounts.find_token(db.session, match[1]) if match else None
        if match and g.token is None:
            raise Denied(401, "Invalid token")
        _note_use(g.token)
    token: ApiToken | None = g.token
    return token


def _note_use(token: ApiToken | None) -> None:
    """Only where the request writes anyway: a read takes no write lock for it."""
    stale = token and (
        token.last_used_at is None or (now() - token.last_used_at).total_seconds() > USE_IS_NOTED_EVERY
    )
    if token and stale and request.method != "GET":
        accounts.note_token_use(db.session, token.id, now=now())


def me() -> User:
    """Whose token it is."""
    token = token_or_none()
    if token is None:
        raise Denied(401, "Authentication credentials were not provided.")
    return token.user


def needs(scope: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """The call is for tokens with this scope, or one that includes it."""

    def decorate(call: Callable[P, T]) -> Callable[P, T]:
        @wraps(call)
        def checked(*args: P.args, **kwargs: P.kwargs) -> T:
            me()
            token = token_or_none()
            if token is None or not scopes.allow(token.scopes, scope):
                raise Denied(403, "You do not have permission to perform this action.")
            return call(*args, **kwargs)

        return checked

    return decorate


def body() -> dict[str, Any]:
    """The JSON object that was sent."""
    value = request.get_json(force=True, silent=True)
    if not isinstance(value, dict):
        raise Invalid(detail="The body must be a JSON object.")
    return value


def known_members(given: dict[str, Any], *names: str) -> None:
    """Refuse members that mean nothing here: a misspelt one would be lost in silence."""
    unknown = sorted(set(given) - set(names))
    if unknown:
        raise Invalid(**{unknown[0]: f"Unknown. There are: {', '.join(names)}."})


@bp.errorhandler(Denied)
def _denied(error: Denied) -> tuple[Response, int]:
    return jsonify(detail=error.detail), error.status


@bp.errorhandler(NotFound)
def _not_found(_error: NotFound) -> tuple[Response, int]:
    return jsonify(detail="The requested resource does not exist"), 404


@bp.errorhandler(Invalid)
def _invalid(error: Invalid) -> tuple[Response, int]:
    db.session.rollback()
    detail = error.errors.get("detail")
    return jsonify({"detail": detail[0]} if detail else error.errors), 400


@bp.errorhandler(Refused)
def _refused(error: Refused) -> tuple[Response, int]:
    db.session.rollback()
    return jsonify({error.field: [error.message]} if error.field else {"detail": error.message}), 400


@bp.errorhandler(HTTPException)
def _http(error: HTTPException) -> tuple[Response, int]:
    return jsonify(detail=error.description or error.name), error.code or 500


@bp.route("/<path:_path>", methods=["GET", "POST", "PUT", "DELETE", "PATCH"])
def nothing_here(_path: str) -> tuple[Response, int]:
    """Unknown calls are answered in JSON too."""
    return jsonify(detail="The requested resource does not exist"), 404
