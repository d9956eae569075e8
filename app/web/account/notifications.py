"""What a person is told, row by row. Each row saves by itself and answers with what is in force now."""

from flask import Response, flash, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest

from app import instance
from app.clock import now
from app.db import db
from app.domain import changes
from app.domain.errors import Stale
from app.domain.preferences import FATAL_RINGS
from app.extensions import limiter
from app.services.notices import previewing, testing_mail
from app.services.people import addressing
from app.services.preferences import following, tuning
from app.services.preferences.preferring import ORGANIZATION, PROJECT, Place
from app.web.account.blueprint import bp
from app.web.account.typed import number
from app.web.hypermedia import is_htmx, page_or_fragment, see_other, varying
from app.web.identity import login_required, me

STALE = "Changed in another window. This is what holds now."


@bp.get("/notifications/")
@login_required
def notifications() -> ResponseReturnValue:
    session, person = db.session, me()
    return render_template(
        "settings/overview.html",
        rows=tuning.overview(session, person, instance=instance.defaults(db.session), now=now()),
        last_answer=addressing.last_answer(session, person),
        elsewhere=len(addressing.routes(session, person)),
        issues=following.counts(session, person, now=now()),
        projects=tuning.projects(session, person),
        situations=previewing.SITUATIONS,
        shows_kinds=request.args.get("show") == "kinds",
    )


@bp.post("/notifications/choice")
@login_required
def choose() -> Response:
    form = request.form
    category, kind = form.get("category", ""), form.get("kind", "")
    where = typed_place()
    try:
        tuning.change(
            db.session,
            me(),
            category,
            form.get("value") or None,
            kind=kind,
            where=where,
            version=number(form.get("version", "0")),
            via="web",
            now=now(),
        )
    except Stale:
        db.session.rollback()
        return _row(category, kind, where, status=409)
    db.session.commit()
    return _row(category, kind, where, status=200)


def _row(category: str, kind: str, where: Place | None, *, status: int) -> Response:
    """The row as it is now; for a browser without script, its page."""
    tuned = tuning.one(
        db.session, me(), category, kind=kind, where=where, instance=instance.defaults(db.session), now=now()
    )
    saved = status == 200
    if is_htmx():
        page = render_template(
            "settings/_saved.html",
            tuned=tuned,
            saved=saved,
            stale=None if saved else STALE,
            routing=addressing.choice(db.session, me()) if where else None,
        )
        return varying(make_response(page, status))
    said = f"{tuned.name}: {changes.value(tuned.row.now.value)}."
    flash(said if saved else f"{tuned.name}: {STALE}", "message" if saved else "warning")
    if where is None:
        page = "account.quiet_hours" if category == FATAL_RINGS else "account.notifications"
        return see_other(url_for(page, _anchor=f"row-{tuned.key}"))
    return see_other(url_for("account.fine_tune", category=category, at=where.slug, _anchor=tuned.anchor))


def typed_place() -> Place | None:
    """The project or organization that the form names, of those that tell this person anything."""
    for scope in (PROJECT, ORGANIZATION):
        if chosen := request.form.get(scope):
            return tuning.place(db.session, me(), scope, number(chosen))
    return None


@bp.post("/notifications/test")
@login_required
@limiter.limit("6 per minute")
def send_test() -> Response:
    notice = testing_mail.send_test(db.session, me(), now=now())
    db.session.commit()
    flash("On its way. This page shows how far it has come.")
    return see_other(url_for("notices.show", public_id=notice.public_id))


@bp.get("/notifications/what-if")
@login_required
def what_if() -> ResponseReturnValue:
    """One sentence of the evaluator's own."""
    kind = request.args.get("kind", "")
    if kind not in previewing.SITUATIONS:
        raise BadRequest
    project = tuning.project(db.session, me(), number(request.args.get("project", "0")))
    return page_or_fragment(
        "settings/what_if.html",
        "settings/_what_if.html",
        preview=previewing.preview(
            db.session, me(), project, kind, instance=instance.defaults(db.session), now=now()
        ),
        situation=previewing.SITUATIONS[kind],
        where=project,
    )
