"""The door: sign in, sign in by mail, sign out, the first account, accepting an invitation."""

from urllib.parse import urlsplit

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import now
from app.db import db
from app.domain.errors import NotFound, Refused
from app.extensions import limiter
from app.services import accounts, onboarding
from app.web import identity
from app.web.hypermedia import form_again, public_url, see_other
from app.web.timezones import timezones

bp = Blueprint("auth", __name__, url_prefix="/auth")

WRONG = "That address and password do not belong together."


def _typed_address() -> str:
    return request.form.get("email", "").strip().lower()


guesses = limiter.shared_limit("10 per minute; 100 per hour", scope="guesses", methods=["POST"])
# However many machines take part in it.
guesses_at_one = limiter.limit("50 per hour", key_func=_typed_address, methods=["POST"])


@bp.get("/login/")
def login() -> ResponseReturnValue:
    if identity.me_or_none():
        return see_other(_way_back())
    if not accounts.anybody(db.session):
        return render_template("auth/first_run.html")
    return render_template("auth/login.html", errors={}, values=request.args)


@bp.post("/login/")
@guesses
@guesses_at_one
def sign_in() -> ResponseReturnValue:
    user = accounts.check_password(db.session, _typed_address(), request.form.get("password", ""))
    if user is None:
        return form_again("auth/login.html", Refused(WRONG))
    db.session.commit()
    identity.sign_in(user)
    return see_other(_way_back())


@bp.post("/logout/")
def logout() -> ResponseReturnValue:
    identity.sign_out()
    flash("You are signed out.")
    return see_other(url_for("auth.login"))


@bp.post("/sign-in/")
@guesses
def mail_link() -> ResponseReturnValue:
    """The same answer for every address: who has an account here is nobody else's business."""
    onboarding.mail_sign_in_link(
        db.session,
        _typed_address(),
        address=lambda secret: public_url(url_for("auth.open_link", secret=secret)),
        now=now(),
    )
    db.session.commit()
    return see_other(url_for("auth.link_sent"))


@bp.get("/sign-in/")
def link_sent() -> ResponseReturnValue:
    return render_template("auth/link_sent.html")


@bp.get("/sign-in/<secret>/")
def open_link(secret: str) -> ResponseReturnValue:
    """Only a button: mail scanners follow links, and would sign in."""
    if accounts.find_link(db.session, "sign_in", secret, now=now()) is None:
        return _stale("sign-in")
    return render_template("auth/link.html", secret=secret)


@bp.post("/sign-in/<secret>/")
@guesses
def use_link(secret: str) -> ResponseReturnValue:
    try:
        user = onboarding.sign_in_by_link(db.session, secret, now=now())
    except NotFound:
        return _stale("sign-in")
    db.session.commit()
    identity.sign_in(user)
    return see_other(url_for("home.projects"))


@bp.get("/setup/<secret>/")
def set_up(secret: str) -> ResponseReturnValue:
    if accounts.find_link(db.session, "setup", secret, now=now()) is None:
        return _stale("set-up")
    return render_template("auth/set_up.html", errors={}, values={}, timezones=timezones())


@bp.post("/setup/<secret>/")
@guesses
def make_first_account(secret: str) -> ResponseReturnValue:
    try:
        user = onboarding.set_up(
            db.session, secret, email=request.form.get("email", ""), **_typed_person(), now=now()
        )
    except Refused as error:
        return form_again("auth/set_up.html", error, timezones=timezones())
    except NotFound:
        return _stale("set-up")
    db.session.commit()
    identity.sign_in(user)
    return see_other(url_for("welcome.bell"))


@bp.get("/invite/<secret>/")
def invitation(secret: str) -> ResponseReturnValue:
    link = accounts.find_link(db.session, "invite", secret, now=now())
    invited = accounts.owner_of(db.session, link)
    if invited is None:
        return _stale("invitation")
    return render_template(
        "auth/invitation.html",
        errors={},
        values={"name": invited.name},
        invited=invited,
        timezones=timezones(),
    )


@bp.post("/invite/<secret>/")
@guesses
def accept_invitation(secret: str) -> ResponseReturnValue:
    link = accounts.find_link(db.session, "invite", secret, now=now())
    invited = accounts.owner_of(db.session, link)
    try:
        user = onboarding.accept_invitation(db.session, secret, **_typed_person(), now=now())
    except Refused as error:
        return form_again("auth/invitation.html", error, invited=invited, timezones=timezones())
    except NotFound:
        return _stale("invitation")
    db.session.commit()
    identity.sign_in(user)
    flash(f"Welcome, {user.name}.")
    return see_other(url_for("home.projects"))


def _typed_person() -> dict[str, str]:
    form = request.form
    return {
        "name": form.get("name", ""),
        "password": form.get("password", ""),
        "timezone": form.get("timezone", "").strip() or "UTC",
    }


def _stale(what: str) -> ResponseReturnValue:
    return render_template("auth/stale.html", what=what), 410


def _way_back() -> str:
    """Where the person wanted to go: an address of ours, never one that leads elsewhere."""
    wanted = request.values.get("next", "")
    parts = urlsplit(wanted)
    ours = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and not parts.netloc
    return wanted if ours and not parts.scheme and wanted.isprintable() else url_for("home.projects")
