"""The blueprint of the JSON API: its addresses, how often it may be asked, how errors are answered."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, jsonify, request
from sqlalchemy.exc import DataError, IntegrityError
from werkzeug.exceptions import HTTPException

from app.db import db
from app.domain.errors import NotFound, Refused

RATE = "100 per second; 2000 per minute"
NOTHING_HERE = "The requested resource does not exist"
# Form field at fault → what the API calls it.
MEMBERS = {
    "assignee": "assignedTo",
    "label": "name",
    "mail_detail": "mailDetail",
    "rate_limit_count": "rateLimit",
    "resolve_age_hours": "resolveAge",
    "starts_at": "startsAt",
    "ends_at": "endsAt",
    "subject_prefix": "subjectPrefix",
    "subject_template": "subjectTemplate",
}

Answer = Response | tuple[Response, int] | tuple[str, int]


class Api(Blueprint):
    """Addresses end in a slash and work without it: a redirected write would lose its body."""

    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: Callable[..., Any] | None = None,
        provide_automatic_options: bool | None = None,
        **options: Any,
    ) -> None:
        options.setdefault("strict_slashes", False)
        super().add_url_rule(rule, endpoint, view_func, provide_automatic_options, **options)


bp = Api("api", __name__, url_prefix="/api/0")


class Invalid(Exception):
    """A body or query that cannot be taken: answered 400, under the name of the member at fault.

    Without a member it is a `detail`, which sentry-cli shows to the person who typed the command.
    """

    def __init__(self, message: str, member: str = "detail") -> None:
        super().__init__(message)
        self.message = message
        self.member = member


class Denied(Exception):
    """Asked without a token, or with one that does not reach."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


@bp.before_request
def _refuse_nul() -> None:
    """No name contains NUL, and PostgreSQL will not even compare with it."""
    if "\x00" in request.path:
        raise NotFound
    if any("\x00" in value for value in request.args.values()):
        raise Invalid("NUL characters are not allowed.")


@bp.errorhandler(Denied)
def _denied(error: Denied) -> Answer:
    return _refusal(error.status, error.detail)


@bp.errorhandler(NotFound)
def _not_found(_error: NotFound) -> Answer:
    return _refusal(404, NOTHING_HERE)


@bp.errorhandler(Invalid)
def _invalid(error: Invalid) -> Answer:
    return _refusal(400, error.message, error.member)


@bp.errorhandler(Refused)
def _refused(error: Refused) -> Answer:
    field = error.field or "detail"
    return _refusal(400, error.message, MEMBERS.get(field, field))


@bp.errorhandler(IntegrityError)
def _too_late(_error: IntegrityError) -> Answer:
    """Two asked for the same at once, and the database let one of them have it."""
    return _refusal(409, "Somebody else changed this at the same moment. Look again, then retry.")


@bp.errorhandler(DataError)
@bp.errorhandler(OverflowError)
def _out_of_range(_error: Exception) -> Answer:
    """A search or cursor may name numbers and dates that no column can hold."""
    return _refusal(400, "A number or date in the request is out of range.")


@bp.errorhandler(429)
def _too_often(error: HTTPException) -> Answer:
    return _refusal(429, f"Too many requests: at most {error.description} are answered.")


@bp.errorhandler(500)
@bp.errorhandler(HTTPException)
def _http(error: HTTPException) -> Answer:
    return _refusal(error.code or 500, error.description or error.name)


def _refusal(status: int, message: str, member: str = "detail") -> Answer:
    """`{"detail": "text"}`, or the errors of a member. What was begun is taken back."""
    db.session.rollback()
    return jsonify({member: message if member == "detail" else [message]}), status


@bp.route("/", methods=["POST", "PUT", "DELETE", "PATCH"])
@bp.route("/<path:_path>", methods=["GET", "POST", "PUT", "DELETE", "PATCH"])
def nothing_here(_path: str = "") -> Answer:
    """Unknown calls are answered in JSON too."""
    raise NotFound
