"""Who is asking: sign-in by cookie, and the person behind a request."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar, cast

import flask_login
from flask import Flask, Response, abort, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import OperationalError

from app.clock import now
from app.db import db, transaction
from app.extensions import login_manager
from app.models import User
from app.services import accounts
from app.web.hypermedia import hx_redirect, is_htmx

View = TypeVar("View", bound=Callable[..., Any])


def init_app(app: Flask) -> None:
    app.after_request(_note_activity)


def login_required(view: View) -> View:
    """For signed-in people only; others are asked to sign in, and come back."""
    return cast(View, flask_login.login_required(view))


@login_manager.user_loader  # type: ignore[untyped-decorator]
def _load(identity: str) -> User | None:
    """The person, unless they were switched off or signed out everywhere since they signed in."""
    number, _, version = identity.partition(":")
    user = db.session.get(User, int(number)) if number.isdecimal() else None
    return user if user and user.is_active and version == str(user.session_version) else None


@login_manager.unauthorized_handler  # type: ignore[untyped-decorator]
def ask_to_sign_in() -> ResponseReturnValue:
    """A page leads to the sign-in form and back; a part of a page takes the whole page there."""
    if is_htmx():
        return hx_redirect(url_for("auth.login"))
    if request.method != "GET":
        return redirect(url_for("auth.login"), 303)
    return redirect(url_for("auth.login", next=request.full_path.rstrip("?")), 303)


def me() -> User:
    """The person who is signed in: the row itself, not Flask-Login's proxy."""
    person = me_or_none()
    if person is None:
        abort(401)
    return person


def me_or_none() -> User | None:
    person: Any = flask_login.current_user
    return cast(User, person._get_current_object()) if person and person.is_authenticated else None


def sign_in(user: User) -> None:
    """Remember the person in this browser. What the session held before may be somebody else's planting."""
    session.clear()
    session.permanent = True
    flask_login.login_user(user)


def sign_out() -> None:
    flask_login.logout_user()
    session.clear()


def _note_activity(response: Response) -> Response:
    """When the person was last here, to within minutes.

    In a transaction of its own: a GET has only read so far, and SQLite would refuse it to begin writing.
    """
    person = me_or_none()
    if person is None or not accounts.activity_is_stale(person.last_active_at, now=now()):
        return response
    person_id = person.id
    db.session.rollback()  # the view has committed what it meant to keep; its lock is not needed any more
    with suppress(OperationalError), transaction() as own:  # the page matters more than this note
        accounts.note_activity(own, person_id, now=now())
    return response
