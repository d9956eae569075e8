"""What a person is told, row by row. Each row saves by itself and answers with what is in force now."""

from flask import Response, current_app, flash, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest

from app.clock import now
from app.db import db
from app.domain import changes
from app.extensions import limiter
from app.models import Project
from app.services import preferring, previewing, testing_mail, tuning
from app.services.preferring import Defaults
from app.services.tuning import Stale, Tuned
from app.web.account.blueprint import bp
from app.web.account.typed import number
from app.web.hypermedia import is_htmx, page_or_fragment, see_other, varying
from app.web.identity import login_required, me

PER_PAGE = 25
STALE = "Changed in another window. This is what holds now."


@bp.get("/notifications/")
@login_required
def notifications() -> ResponseReturnValue:
    session, person = db.session, me()
    return render_template(
        "settings/overview.html",
        rows=tuning.overview(session, person, instance=_instance(), now=now()),
        last_try=testing_mail.last_try(session, person),
        projects=tuning.projects(session, person),
        situations=previewing.SITUATIONS,
    )


@bp.get("/notifications/<any(alerts, workflow):category>/")
@login_required
def fine_tune(category: str) -> ResponseReturnValue:
    session, person, instance = db.session, me(), _instance()
    rows = tuning.fine_tuned(session, person, category, instance=instance, now=now())
    shown = _filtered(rows)
    page = min(max(number(request.args.get("page", "1")), 1), max(-(-len(shown) // PER_PAGE), 1))
    return page_or_fragment(
        "settings/fine_tune.html",
        "settings/_projects.html",
        category=category,
        words=changes.CATEGORIES[category],
        note=changes.NOTES[category],
        account=Tuned(preferring.account_row(session, person, category, instance)),
        rows=shown[(page - 1) * PER_PAGE : page * PER_PAGE],
        found=len(shown),
        total=len(rows),
        differing=sum(tuned.row.chosen is not None for tuned in rows),
        number=page,
        has_more=page * PER_PAGE < len(shown),
    )


def _filtered(rows: list[Tuned]) -> list[Tuned]:
    wanted = request.args.get("q", "").strip().casefold()
    differing = request.args.get("differ") == "1"
    return [
        tuned
        for tuned in rows
        if tuned.row.project is not None
        and wanted in f"{tuned.row.project.name} {tuned.row.project.slug}".casefold()
        and (tuned.row.chosen is not None or not differing)
    ]


@bp.post("/notifications/choice")
@login_required
def choose() -> Response:
    form = request.form
    category, kind = form.get("category", ""), form.get("kind", "")
    where = _typed_project()
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


def _row(category: str, kind: str, where: Project | None, *, status: int) -> Response:
    """The row as it is now; for a browser without script, its page."""
    tuned = tuning.one(db.session, me(), category, kind=kind, where=where, instance=_instance(), now=now())
    saved = status == 200
    if is_htmx():
        page = render_template(
            "settings/_saved.html", tuned=tuned, saved=saved, stale=None if saved else STALE
        )
        return varying(make_response(page, status))
    said = f"{tuned.name}: {changes.value(tuned.row.now.value)}."
    flash(said if saved else f"{tuned.name}: {STALE}", "message" if saved else "warning")
    if where is None:
        return see_other(url_for("account.notifications", _anchor=f"row-{tuned.key}"))
    return see_other(url_for("account.fine_tune", category=category, _anchor=f"p-{where.slug}"))


def _typed_project() -> Project | None:
    chosen = request.form.get("project")
    return tuning.project(db.session, me(), number(chosen)) if chosen else None


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
        preview=previewing.preview(db.session, me(), project, kind, instance=_instance()),
        situation=previewing.SITUATIONS[kind],
        where=project,
    )


def _instance() -> Defaults:
    workflow = current_app.config["SETTINGS"].default_workflow_notifications
    return preferring.defaults(workflow=workflow)
