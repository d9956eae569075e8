"""Maintenance windows of a project: once, every week, or all notifications from now on for a while."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import now
from app.db import db
from app.domain import pauses
from app.domain.clocks import Clock
from app.domain.errors import Refused
from app.domain.pauses import Window
from app.models import Pause, Project, User
from app.services import access
from app.services.calm import maintaining, pausing
from app.web import project_pages
from app.web.hypermedia import form_again, say, see_other, way_back
from app.web.identity import login_required, me, me_or_none

PAGE = "project_settings/pauses.html"
WEEKLY, ONCE = "weekly", "once"
TYPED = "%Y-%m-%dT%H:%M"

bp = Blueprint("pauses", __name__, url_prefix="/<org>/<slug>/settings/alerts/pauses")


@bp.get("/")
@login_required
def show(org: str, slug: str) -> str:
    project = project_pages.visible(org, slug)
    return render_template(PAGE, errors={}, values={}, **_page(project))


@bp.post("/")
@login_required
def add(org: str, slug: str) -> ResponseReturnValue:
    """Without a beginning it begins now: that is how everything is paused."""
    project = project_pages.to_edit(org, slug)

    def save(wanted: Window) -> Pause:
        reason = request.form.get("reason", "")
        return maintaining.create(db.session, project, wanted, reason=reason, by=me(), now=now(), via="web")

    return _saved(project, save, me().timezone)


@bp.post("/<int:pause_id>")
@login_required
def change(org: str, slug: str, pause_id: int) -> ResponseReturnValue:
    project = project_pages.to_edit(org, slug)
    row = pausing.find(db.session, project, pause_id)

    def save(wanted: Window) -> Pause:
        reason = request.form.get("reason", "")
        maintaining.change(db.session, row, wanted, reason=reason, by=me(), now=now(), via="web")
        return row

    return _saved(project, save, row.timezone, at_fault=row.id)


def _saved(
    project: Project, save: Callable[[Window], Pause], zone: str, *, at_fault: int = 0
) -> ResponseReturnValue:
    try:
        row = save(_typed(zone))
    except Refused as error:
        where = {f"{error.field}-{at_fault}": error.message}
        return form_again(PAGE, error, at_fault=at_fault, errors_at=where, **_page(project))
    db.session.commit()
    flash(f"Paused: {pauses.words(pausing.window(row))}.")
    return see_other(_address(project))


@bp.post("/<int:pause_id>/end")
@login_required
def end(org: str, slug: str, pause_id: int) -> ResponseReturnValue:
    """From its banner on any page of the project, and back to that page."""
    project = project_pages.to_edit(org, slug)
    row = pausing.find(db.session, project, pause_id)
    maintaining.end(db.session, row, by=me(), now=now(), via="web")
    db.session.commit()
    say("The maintenance is over. What it held is on its way.")
    return see_other(way_back(otherwise=_address(project)))


@bp.post("/<int:pause_id>/deletion")
@login_required
def delete(org: str, slug: str, pause_id: int) -> ResponseReturnValue:
    project = project_pages.to_edit(org, slug)
    row = pausing.find(db.session, project, pause_id)
    said, fields = pauses.words(pausing.window(row)), _fields(row)
    maintaining.delete(db.session, row, by=me(), now=now(), via="web")
    db.session.commit()
    here = _address(project)
    undo = {"url": here, "fields": fields} if row.timezone == me().timezone else None
    say(f"Deleted: {said}.", undo=undo)
    return see_other(here)


def _typed(zone: str) -> Window:
    form = request.form
    start = form.get("starts_at", "").strip()
    begins = _moment(start, "starts_at", zone) if start else now()
    return Window(
        starts_at=begins,
        ends_at=_moment(form.get("ends_at", ""), "ends_at", zone),
        weekly=form.get("repeats") == WEEKLY,
        zone=zone,
        environment=form.get("environment") or None,
        scope=form.get("scope", ""),
    )


def _moment(text: str, field: str, zone: str) -> datetime:
    """What a clock of the zone shows, as browsers write it."""
    try:
        return datetime.strptime(text.strip()[:16], TYPED).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Refused("Enter a date and a time, such as 2026-11-23T22:00.", field=field) from error


def _fields(row: Pause) -> dict[str, str]:
    """A window as its form is filled in."""
    zone = ZoneInfo(row.timezone)
    return {
        "reason": row.reason,
        "starts_at": row.starts_at.astimezone(zone).strftime(TYPED),
        "ends_at": row.ends_at.astimezone(zone).strftime(TYPED),
        "repeats": WEEKLY if row.weekly else ONCE,
        "environment": row.environment or "",
        "scope": row.scope,
    }


@dataclass(frozen=True, slots=True)
class Shown:
    """One window of the list."""

    row: Pause
    words: str
    scope: str
    until: str  # if it holds now
    begins: str  # else
    fields: Mapping[str, str]


def _shown(row: Pause, clock: Clock) -> Shown:
    window = pausing.window(row)
    ends, upcoming = pausing.ends_of(row, now=clock.now), window.next_span(clock.now)
    return Shown(
        row=row,
        words=pauses.words(window),
        scope=pauses.SCOPES[row.scope],
        until=clock.short(ends) if ends else "",
        begins=clock.short(upcoming[0]) if upcoming and not ends else "",
        fields=_fields(row),
    )


def _page(project: Project) -> dict[str, Any]:
    at = now()
    clock = Clock(at, me().timezone)
    rows = pausing.of_project(db.session, project, now=at)
    named = {*pausing.environments(db.session, project), *(row.environment for row in rows)}
    places = sorted(name for name in named if name)
    return {
        **project_pages.frame(project),
        "pauses": [_shown(row, clock) for row in rows],
        "environments": [("", "All environments"), *((name, name) for name in places)],
        "scopes": list(pauses.SCOPES.items()),
        "held": pausing.waiting(db.session, project),
        "changes": pausing.changes(db.session, project),
    }


def _address(project: Project) -> str:
    return url_for("pauses.show", org=project.organization.slug, slug=project.slug)


# On every page of the project


@dataclass(frozen=True, slots=True)
class Banner:
    """What a project's pages say while it is paused."""

    row: Pause
    until: str
    what: str
    by: str
    may_end: bool


def banners(project: Project) -> list[Banner]:
    person, at = me_or_none(), now()
    rows = pausing.current(project, now=at) if person else []
    if not rows or person is None:
        return []
    may_end = access.can(db.session, person, project, "edit_project")
    return [_banner(row, person, at, may_end=may_end) for row in rows]


def _banner(row: Pause, person: User, at: datetime, *, may_end: bool) -> Banner:
    ends = pausing.ends_of(row, now=at) or row.ends_at
    what = "All notifications are held" if row.scope == "all" else "Alerts and regressions are held"
    where = f" in {row.environment}" if row.environment else ""
    by = row.created_by.name if row.created_by else ""
    return Banner(row, Clock(at, person.timezone).short(ends), f"{what}{where}", by, may_end)
