"""What everybody starts out with. The effect of a change is shown before it is made."""

from flask import Response, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import instance
from app.clock import now
from app.db import db
from app.domain.errors import Stale
from app.services import access
from app.services.preferences import defaulting
from app.web.account.typed import number
from app.web.hypermedia import say, see_other
from app.web.identity import me
from app.web.manage.blueprint import bp

PAGE = "manage/notification_defaults.html"
STALE = "Somebody changed this default meanwhile. This is what holds now."


@bp.get("/notification-defaults/")
def notification_defaults() -> ResponseReturnValue:
    return _page()


@bp.get("/notification-defaults/effect")
def default_effect() -> ResponseReturnValue:
    """What a change would do, with the button that makes it."""
    category, kind = request.args.get("category", ""), request.args.get("kind", "")
    value = request.args.get("value") or None
    return _page(defaulting.effect(db.session, category, kind, value, workflow=instance.workflow()))


@bp.post("/notification-defaults/")
def save_default() -> Response:
    form = request.form
    category, kind, value = form.get("category", ""), form.get("kind", ""), form.get("value") or None
    version = number(form.get("version", "0"))
    if form.get("confirmed") != "yes":
        return see_other(url_for("manage.default_effect", category=category, kind=kind, value=value))
    try:
        old, changed = defaulting.choose(
            db.session, category, kind, value, version=version, by=me(), now=now()
        )
    except Stale:
        db.session.rollback()
        flash(STALE, "warning")
        return see_other(url_for("manage.notification_defaults"))
    db.session.commit()
    back = {"category": category, "kind": kind, "value": old or "", "version": changed, "confirmed": "yes"}
    undo = {"url": url_for("manage.save_default"), "fields": back}
    said = "The default is changed. Whoever chose for themselves keeps it."
    say(said, undo=undo if old != value else None)
    return see_other(url_for("manage.notification_defaults", _anchor=f"row-{_key(category, kind)}"))


def _key(category: str, kind: str) -> str:
    return f"{category}-{kind}" if kind else category


def _page(effect: defaulting.Effect | None = None) -> ResponseReturnValue:
    return render_template(
        PAGE,
        lines=defaulting.lines(db.session, workflow=instance.workflow()),
        effect=effect,
        log=defaulting.log(db.session),
        simulated=access.visible_projects(db.session, me()) if effect else (),
    )
