"""Name, handle, time zone and theme; password; what is to stop working."""

from flask import Response, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import now
from app.db import db
from app.domain.errors import Refused
from app.services.calm import quieting
from app.services.people import profile
from app.web import identity, limits
from app.web.account.blueprint import bp
from app.web.auth import guesses
from app.web.hypermedia import form_again, see_other
from app.web.identity import login_required, me
from app.web.timezones import timezones

PAGE = "settings/profile.html"


@bp.get("/")
@login_required
def show() -> ResponseReturnValue:
    return render_template(PAGE, errors={}, values={}, timezones=timezones())


@bp.post("/")
@login_required
@limits.handles
def save() -> Response:
    form = request.form
    try:
        profile.change_profile(
            db.session,
            me(),
            name=form.get("name", ""),
            handle=form.get("handle", ""),
            timezone=form.get("timezone", ""),
            theme=form.get("theme", "auto"),
        )
    except Refused as error:
        return _again(error)
    quieting.retime(db.session, me(), now=now())  # quiet hours are those of the time zone
    db.session.commit()
    flash("Saved.")
    return see_other(url_for("account.show"))


@bp.post("/password")
@login_required
@guesses
def change_password() -> Response:
    person, form = me(), request.form
    if not person.password_hash and not identity.is_proven():
        return see_other(url_for("account.confirmation"))
    try:
        profile.change_password(
            db.session, person, current=form.get("current", ""), new=form.get("password", "")
        )
    except Refused as error:
        return _again(error)
    db.session.commit()
    identity.sign_in(person)
    flash("The password is changed. Every other browser is signed out.")
    return see_other(url_for("account.show"))


@bp.post("/sessions")
@login_required
def sign_out_everywhere() -> Response:
    profile.sign_out_everywhere(db.session, me())
    db.session.commit()
    identity.sign_out()
    flash("You are signed out everywhere.")
    return see_other(url_for("auth.login"))


@bp.post("/mail-links")
@login_required
def revoke_mail_links() -> Response:
    profile.revoke_mail_links(db.session, me())
    db.session.commit()
    flash("The links in mail that you have received so far no longer work.")
    return see_other(url_for("account.show"))


def _again(error: Refused) -> Response:
    return form_again(PAGE, error, timezones=timezones())
