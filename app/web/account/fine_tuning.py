"""Alerts and workflow project by project, deploys by organization: single rows, or many at once."""

from collections.abc import Sequence
from typing import Any

from flask import Response, flash, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import instance
from app.clock import now
from app.db import db
from app.domain import changes
from app.domain.errors import Refused, Stale
from app.domain.preferences import VALUES, WORKFLOW
from app.models import Project
from app.services.people import addressing
from app.services.preferences import applying, following, tuning
from app.services.preferences.preferring import Defaults
from app.services.preferences.tuning import Tuned
from app.web.account.blueprint import bp
from app.web.account.notifications import STALE, typed_place
from app.web.account.typed import number
from app.web.hypermedia import is_htmx, page_or_fragment, see_other, varying
from app.web.identity import login_required, me

PER_PAGE = 25
PAGE, LIST = "settings/fine_tune.html", "settings/_places.html"


@bp.get("/notifications/<any(alerts, workflow, deploys):category>/")
@login_required
def fine_tune(category: str) -> ResponseReturnValue:
    return page_or_fragment(PAGE, LIST, **_listed(category))


@bp.post("/notifications/<any(alerts, workflow, deploys):category>/all")
@login_required
def choose_for_all(category: str) -> Response:
    """One choice for every row that the filter shows, unless that is not what it showed before."""
    shown = _filtered(_rows(category, instance.defaults(db.session)))
    if len(shown) != number(request.form.get("count", "0")):
        return _changed(category, "The list has changed meanwhile: nothing was set. Look again.", status=409)
    value = request.form.get("value") or None
    places = [tuned.row.place for tuned in shown if tuned.row.place]
    count = applying.apply(db.session, me(), category, value, places, via="web", now=now())
    db.session.commit()
    return _changed(category, f"{changes.CATEGORIES[category]}: {changes.value(value)} for {count}. Saved.")


@bp.post("/notifications/<any(alerts, workflow, deploys):category>/all/undo")
@login_required
def undo_for_all(category: str) -> Response:
    batch = request.form.get("batch", "")
    count = applying.undo(db.session, me(), category, batch, via="web", now=now())
    db.session.commit()
    return _changed(category, f"{changes.CATEGORIES[category]}: {count} put back as before.")


def _changed(category: str, said: str, *, status: int = 200) -> Response:
    """The list as it is now."""
    if not is_htmx():
        flash(said, "message" if status == 200 else "warning")
        return see_other(url_for("account.fine_tune", category=category, **_filter()))
    page = render_template(LIST, said=said, is_stale=status != 200, **_listed(category))
    return varying(make_response(page, status))


@bp.post("/notifications/route")
@login_required
def choose_route() -> Response:
    """Where one project's mail goes."""
    where, form = typed_place(), request.form
    category = form.get("category", "")
    if not isinstance(where, Project) or category not in tuning.FINE_TUNED:
        raise Refused("There is no such setting here.")
    chosen, was = form.get("email", ""), form.get("was", "")
    status = 200
    try:
        addressing.route(
            db.session,
            me(),
            where,
            number(chosen) if chosen else None,
            was=number(was) if was else None,
            via="web",
            now=now(),
        )
    except Stale:
        db.session.rollback()
        status = 409
    db.session.commit()
    return _routed(category, where, status)


def _routed(category: str, where: Project, status: int) -> Response:
    tuned = tuning.one(
        db.session, me(), category, kind="", where=where, instance=instance.defaults(db.session), now=now()
    )
    routing = addressing.choice(db.session, me())
    said = f"Email for {where.name}: {routing.of(where.id)}. {'Saved.' if status == 200 else STALE}"
    if is_htmx():
        page = render_template(
            "settings/_routed.html", tuned=tuned, routing=routing, said=said, status=status
        )
        return varying(make_response(page, status))
    flash(said, "message" if status == 200 else "warning")
    return see_other(url_for("account.fine_tune", category=category, at=where.slug, _anchor=tuned.anchor))


def _listed(category: str) -> dict[str, Any]:
    """Everything that the list shows, and its page with it."""
    session, person, defaults = db.session, me(), instance.defaults(db.session)
    rows = _rows(category, defaults)
    shown = _filtered(rows)
    page = _page(shown)
    return {
        "category": category,
        "words": changes.CATEGORIES[category],
        "note": changes.NOTES[category],
        "account": tuning.account_row(session, person, category, defaults),
        "rows": shown[(page - 1) * PER_PAGE : page * PER_PAGE],
        "found": len(shown),
        "total": len(rows),
        "differing": sum(tuned.row.chosen is not None for tuned in rows),
        "number": page,
        "has_more": page * PER_PAGE < len(shown),
        "filter": _filter(),
        "values": [(value, changes.choice(value)) for value in VALUES[category]],
        "applied": applying.last(session, person, category, now=now()),
        "routing": addressing.choice(session, person),
        "issues": following.counts(session, person, now=now()) if category == WORKFLOW else None,
    }


def _rows(category: str, defaults: Defaults) -> list[Tuned]:
    return tuning.fine_tuned(db.session, me(), category, instance=defaults, now=now())


def _filter() -> dict[str, Any]:
    """What the person typed into the filter, wherever the request carries it."""
    return {name: request.values[name] for name in ("q", "differ") if request.values.get(name)}


def _filtered(rows: Sequence[Tuned]) -> list[Tuned]:
    wanted, differing = _filter().get("q", "").strip().casefold(), _filter().get("differ") == "1"
    return [
        tuned
        for tuned in rows
        if tuned.row.place is not None
        and wanted in f"{tuned.row.place.name} {tuned.row.place.slug}".casefold()
        and (tuned.row.chosen is not None or not differing)
    ]


def _page(shown: Sequence[Tuned]) -> int:
    """The page that was asked for, or the one with the row that a link points at."""
    last = max(-(-len(shown) // PER_PAGE), 1)
    at = request.args.get("at")
    for index, tuned in enumerate(shown):
        if at and tuned.row.place and tuned.row.place.slug == at:
            return index // PER_PAGE + 1
    return min(max(number(request.args.get("page", "1")), 1), last)
