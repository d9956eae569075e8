"""The door: sign in, sign in by mail, sign out, the first account, a first password, invitations."""

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import visitors
from app.clock import now
from app.db import begin_writing, db
from app.domain.errors import NotFound, Refused
from app.extensions import limiter
from app.models import Invitation, User
from app.services.people import accounts, inviting, onboarding
from app.web import identity
from app.web.hypermedia import form_again, public_url, see_other, way_back
from app.web.timezones import timezones

bp = Blueprint("auth", __name__, url_prefix="/auth")

WRONG = "That address and password do not belong together."


guesses = limiter.shared_limit("10 per minute; 100 per hour", scope="guesses", methods=["POST"])
# However many machines take part in it.
guesses_at_one = limiter.limit("50 per hour", key_func=visitors.typed_address, methods=["POST"])
# Whoever asks for more is told the same: that many wait in the mailbox, if it is one.
links_to_one = limiter.limit(
    "5 per hour",
    key_func=visitors.typed_address,
    methods=["POST"],
    on_breach=lambda _limit: see_other(url_for("auth.link_sent")),
)


@bp.get("/login/")
def login() -> ResponseReturnValue:
    if identity.me_or_none():
        return see_other(way_back(otherwise=url_for("home.projects")))
    if not accounts.anybody(db.session):
        return render_template("auth/first_run.html")
    return render_template("auth/login.html", errors={}, values=request.args)


@bp.post("/login/")
@guesses
@guesses_at_one
def sign_in() -> ResponseReturnValue:
    password = _typed("password")
    user = accounts.check_password(db.session, _typed("email"), password)
    if user is None:
        return form_again("auth/login.html", Refused(WRONG))
    if stronger := accounts.stronger_hash(user, password):
        begin_writing()
        user.password_hash = stronger
        db.session.commit()
    identity.sign_in(user)
    return see_other(way_back(otherwise=url_for("home.projects")))


@bp.post("/logout/")
def logout() -> ResponseReturnValue:
    identity.sign_out()
    flash("You are signed out.")
    return see_other(url_for("auth.login"))


@bp.post("/sign-in/")
@guesses
@links_to_one
def mail_link() -> ResponseReturnValue:
    """The same answer for every address: who has an account here is nobody else's business."""
    onboarding.mail_sign_in_link(
        db.session,
        _typed("email"),
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
    if not onboarding.can_set_up(db.session, secret, now=now()):
        return _stale("set-up")
    return render_template("auth/set_up.html", errors={}, values={}, timezones=timezones())


@bp.post("/setup/<secret>/")
@guesses
def make_first_account(secret: str) -> ResponseReturnValue:
    try:
        user = onboarding.set_up(db.session, secret, email=_typed("email"), **_typed_person(), now=now())
    except Refused as error:
        return form_again("auth/set_up.html", error, timezones=timezones())
    except NotFound:
        return _stale("set-up")
    db.session.commit()
    identity.sign_in(user)
    return see_other(url_for("welcome.bell"))


@bp.get("/password/<secret>/")
def first_password(secret: str) -> ResponseReturnValue:
    """For accounts that the command line made without one, and the link to here with them."""
    person = onboarding.in_need_of_password(db.session, secret, now=now())
    if person is None:
        return _stale("password")
    return render_template("auth/first_password.html", **_newcomer(person.email, person.name))


@bp.post("/password/<secret>/")
@guesses
def choose_password(secret: str) -> ResponseReturnValue:
    person = onboarding.in_need_of_password(db.session, secret, now=now())
    try:
        user = onboarding.choose_password(db.session, secret, **_typed_person(), now=now())
    except Refused as error:
        email = person.email if person else ""
        return form_again("auth/first_password.html", error, email=email, timezones=timezones())
    except NotFound:
        return _stale("password")
    return _welcome(user)


@bp.get("/invite/<secret>/")
def invitation(secret: str) -> ResponseReturnValue:
    invited = inviting.find(db.session, secret, now=now())
    if invited is None:
        return _stale("invitation")
    if not inviting.lacks_password(db.session, invited):
        return render_template("auth/join.html", invited=invited)
    return render_template("auth/invitation.html", invited=invited, **_newcomer(invited.address))


@bp.post("/invite/<secret>/")
@guesses
def accept_invitation(secret: str) -> ResponseReturnValue:
    invited = inviting.find(db.session, secret, now=now())
    try:
        if invited is None:
            raise NotFound
        if inviting.lacks_password(db.session, invited):
            return _come_in(invited, secret)
        organization = inviting.accept(db.session, secret, now=now())
    except NotFound:
        return _stale("invitation")
    db.session.commit()
    flash(f"{invited.address} is in {organization.name} now.")
    return see_other(url_for("home.projects"))


def _come_in(invited: Invitation, secret: str) -> ResponseReturnValue:
    try:
        user = inviting.accept_as_newcomer(db.session, secret, **_typed_person(), now=now())
    except Refused as error:
        return form_again("auth/invitation.html", error, invited=invited, timezones=timezones())
    return _welcome(user)


def _newcomer(email: str, name: str = "") -> dict[str, object]:
    values = {"name": name}
    return {"errors": {}, "values": values, "email": email, "timezones": timezones()}


def _welcome(user: User) -> ResponseReturnValue:
    db.session.commit()
    identity.sign_in(user)
    flash(f"Welcome, {user.name}.")
    return see_other(url_for("home.projects"))


def _typed_person() -> dict[str, str]:
    return {
        "name": _typed("name"),
        "password": _typed("password"),
        "timezone": _typed("timezone").strip() or "UTC",
    }


def _typed(field: str) -> str:
    return request.form.get(field, "")


def _stale(what: str) -> ResponseReturnValue:
    return render_template("auth/stale.html", what=what), 410
