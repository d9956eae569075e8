"""Setting a monitor up, muting, pausing and deleting it."""

from collections.abc import Mapping
from itertools import islice
from typing import Any

from flask import flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import now
from app.db import db
from app.domain import monitors, schedules
from app.domain.errors import Refused
from app.models import Monitor, Project
from app.services.monitors import monitor_rows, monitoring
from app.services.monitors.monitoring import Wishes
from app.web import project_pages
from app.web.hypermedia import form_again, say, see_other
from app.web.identity import login_required, me
from app.web.monitors.blueprint import address, bp
from app.web.timezones import timezones

FORM = "monitors/form.html"
UNITS = [(unit, f"{unit}s") for unit in schedules.UNITS]
NEXT = 5


@bp.get("/new/")
@login_required
def new(org: str, slug: str) -> str:
    project = project_pages.to_edit(org, slug)
    values = {
        "kind": schedules.CRONTAB,
        "unit": "hour",
        "timezone": me().timezone,
        **monitors.SUGGESTED.numbers,
    }
    return render_template(FORM, errors={}, values=values, **_page(project, values))


@bp.post("/new/")
@login_required
def create(org: str, slug: str) -> ResponseReturnValue:
    project = project_pages.to_edit(org, slug)
    try:
        row = monitoring.create(db.session, project, request.form.get("slug", ""), _typed(), now=now())
    except Refused as error:
        return form_again(FORM, error, **_page(project, request.form))
    db.session.commit()
    flash("Saved. It waits for its first check-in: have the job send one.")
    return see_other(address(row))


@bp.get("/new/due/")
@login_required
def due(org: str, slug: str) -> str:
    """While somebody types: what the schedule says, and when it is due."""
    project_pages.visible(org, slug)
    found = _due(request.args)
    is_said = "wrong" in found and found["wrong"] == request.args.get("said")
    return render_template("monitors/_due.html", due={} if is_said else found)


@bp.get("/<monitor>/edit/")
@login_required
def edit(org: str, slug: str, monitor: str) -> str:
    project, row = _to_edit(org, slug, monitor)
    values = _stored(row)
    return render_template(FORM, errors={}, values=values, **_page(project, values, row))


@bp.post("/<monitor>/edit/")
@login_required
def change(org: str, slug: str, monitor: str) -> ResponseReturnValue:
    project, row = _to_edit(org, slug, monitor)
    try:
        monitoring.change(db.session, row, _typed(), now=now())
    except Refused as error:
        db.session.rollback()
        return form_again(FORM, error, **_page(project, request.form, row))
    db.session.commit()
    flash("Saved.")
    return see_other(address(row))


@bp.post("/<monitor>/mute")
@login_required
def mute(org: str, slug: str, monitor: str) -> ResponseReturnValue:
    _, row = _to_edit(org, slug, monitor)
    muted = request.form.get("muted") == "yes"
    monitoring.mute(db.session, row, muted=muted)
    db.session.commit()
    said = "Muted: failures are listed and ring nothing." if muted else "Unmuted: the next failure rings."
    say(said)
    return see_other(address(row))


@bp.post("/<monitor>/pause")
@login_required
def pause(org: str, slug: str, monitor: str) -> ResponseReturnValue:
    _, row = _to_edit(org, slug, monitor)
    paused = request.form.get("paused") == "yes"
    monitoring.pause(db.session, row, paused=paused, now=now())
    db.session.commit()
    say("Paused: nothing is expected of it." if paused else "Watched again, from its next time on.")
    return see_other(address(row))


@bp.get("/<monitor>/removal/")
@login_required
def ask_removal(org: str, slug: str, monitor: str) -> str:
    project, row = _to_edit(org, slug, monitor)
    return render_template(
        "monitors/removal.html",
        **project_pages.frame(project, tab="monitors"),
        monitor=row,
        back=address(row),
    )


@bp.post("/<monitor>/removal/")
@login_required
def remove(org: str, slug: str, monitor: str) -> ResponseReturnValue:
    _, row = _to_edit(org, slug, monitor)
    name = row.name
    monitoring.remove(db.session, row)
    db.session.commit()
    flash(f"“{name}” is deleted. Its issues stay.")
    return see_other(url_for("monitors.index", org=org, slug=slug))


def _to_edit(org: str, slug: str, monitor: str) -> tuple[Project, Monitor]:
    project = project_pages.to_edit(org, slug)
    return project, monitoring.find(db.session, project, monitor)


def _typed() -> Wishes:
    form = request.form
    kind, text = _schedule(form)
    return Wishes(
        name=form.get("name", ""),
        kind=kind,
        schedule=text,
        zone=form.get("timezone", "").strip(),
        **{each.name: form.get(each.name, "") for each in monitors.MEMBERS},
        is_sent="is_sent" in form,
    )


def _schedule(values: Mapping[str, Any]) -> tuple[str, str]:
    kind = schedules.INTERVAL if values.get("kind") == schedules.INTERVAL else schedules.CRONTAB
    interval = f"{str(values.get('every', '')).strip()} {values.get('unit', '')}"
    return kind, interval if kind == schedules.INTERVAL else str(values.get("crontab", ""))


def _stored(row: Monitor) -> dict[str, Any]:
    is_interval = row.schedule_kind == schedules.INTERVAL
    every, _, unit = row.schedule_text.partition(" ") if is_interval else ("", "", "hour")
    return {
        "name": row.name,
        "kind": row.schedule_kind or schedules.CRONTAB,
        "crontab": "" if is_interval else row.schedule_text,
        "every": every,
        "unit": unit,
        "timezone": row.timezone,
        **monitor_rows.config_of(row).numbers,
        "is_sent": row.is_sent,
    }


def _due(values: Mapping[str, Any]) -> dict[str, Any]:
    """Words and the next times; or what is wrong, once there is something to be wrong."""
    kind, text = _schedule(values)
    zone = str(values.get("timezone", "")).strip()
    if not text.strip() or (kind == schedules.INTERVAL and not str(values.get("every", "")).strip()):
        return {"empty": True}
    try:
        found = monitoring.schedule(kind, text, zone)
    except Refused as error:
        return {"wrong": error.message}
    return {"words": found.words, "times": list(islice(found.following(now()), NEXT)), "zone": zone}


def _page(project: Project, values: Mapping[str, Any], row: Monitor | None = None) -> dict[str, Any]:
    org, slug = project.organization.slug, project.slug
    due = _due(values)
    # What the form says at its field is not said again below it.
    said = due.get("wrong")
    return {
        **project_pages.frame(project, tab="monitors"),
        "monitor": row,
        "due": {} if said else due,
        "due_url": url_for("monitors.due", org=org, slug=slug, said=said),
        "back": address(row) if row else url_for("monitors.index", org=org, slug=slug),
        "units": UNITS,
        "timezones": timezones(),
    }
