"""Who is asking: sign-in by cookie, and the person behind a request."""

import secrets
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any, TypeVar, cast

import flask_login
from flask import Flask, Response, abort, current_app, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import OperationalError

from app.clock import now
from app.db import db, in_passing
from app.extensions import login_manager
from app.models import User
from app.services.people import accounts
from app.web.hypermedia import hx_redirect, is_htmx

SESSION_ID = "session_id"
PROVEN_AT = "proven_at"  # when the person last showed that it is they who sit here, in seconds
RECENT = timedelta(minutes=10)
View = TypeVar("View", bound=Callable[..., Any])


def init_app(app: Flask) -> None:
    app.after_request(_note_activity)


def login_required(view: View) -> View:
    """For signed-in people only; others are asked to sign in, and come back."""
    return cast(View, flask_login.login_required(view))


@login_manager.user_loader  # type: ignore[untyped-decorator]
def _load(identity: str) -> User | None:
    """The person, unless they were switched off since they signed in, or signed out here or everywhere."""
    number, _, version = identity.partition(":")
    user = accounts.signed_in(db.session, int(number), session.get(SESSION_ID, ""))
    if user and version == str(user.session_version):
        return user
    session.clear()  # a cookie that lets nobody in is not renewed
    return None


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
    session[SESSION_ID] = secrets.token_hex(16)
    prove()
    flask_login.login_user(user)


def prove() -> None:
    """The person has just shown who they are, by a password or a link from their mailbox."""
    session[PROVEN_AT] = int(now().timestamp())


def is_proven() -> bool:
    """Whether that was a moment ago: what outlives a session is not for whoever finds a browser open."""
    at = session.get(PROVEN_AT)
    return at is not None and now().timestamp() - at < RECENT.total_seconds()


def sign_out() -> None:
    """End the session of this browser, and of everybody who has a copy of its cookie."""
    if session_id := session.get(SESSION_ID):
        # A request that was under way may have renewed the cookie a little later.
        forget_at = now() + current_app.permanent_session_lifetime + timedelta(days=1)
        accounts.end_session(db.session, session_id, forget_at=forget_at)
        db.session.commit()
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
    with suppress(OperationalError), in_passing() as own:  # the page matters more than this note
        accounts.note_activity(own, person_id, now=now())
    return response
