"""The list of a project's monitors, and the page of one."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from flask import render_template, request, url_for

from app.db import db
from app.domain import check_ins, cursor
from app.domain.cursor import Cursor
from app.domain.ids import parse_id
from app.models import CheckIn, Monitor, Project
from app.services.monitors import monitor_pages, monitor_rows, monitoring
from app.web import project_pages, snippets
from app.web.identity import login_required, me
from app.web.monitors.blueprint import address, bp

EXAMPLE = "nightly-backup"
# A monitor or a check-in in a word, with its shape and the class of its colour.
STATES = {
    "ok": ("OK", "check", "resolved"),
    "failing": ("Failing", "diamond", "error"),
    "waiting": ("Waiting", "ring", "debug"),
    "paused": ("Paused", "slash", "ignored"),
    "not_set_up": ("Not set up", "half", "held"),
    "in_progress": ("Running", "half", "info"),
    "error": ("Failed", "diamond", "error"),
    "missed": ("Missed", "triangle", "warning"),
    "timeout": ("Timed out", "clock", "warning"),
}


@bp.get("/")
@login_required
def index(org: str, slug: str) -> str:
    project = project_pages.visible(org, slug)
    page = max(1, min(parse_id(request.args.get("page", "1")) or 1, 1000))
    found = monitor_pages.listed(db.session, [project.id], page=page)
    return render_template(
        "monitors/list.html",
        **project_pages.frame(project, tab="monitors"),
        found=found,
        states=STATES,
        summary=summary,
        most=monitor_rows.MOST_MONITORS,
        address=address,
        ways=[] if found.total else _ways(project, EXAMPLE),
    )


@bp.get("/<monitor>/")
@login_required
def show(org: str, slug: str, monitor: str) -> str:
    project = project_pages.visible(org, slug)
    row = monitoring.find(db.session, project, monitor)
    [shown] = monitor_pages.shown(db.session, [row])
    environment = request.args.get("environment", "")
    newest = monitor_pages.check_ins(db.session, row, environment=environment, before=_before())
    return render_template(
        "monitors/show.html",
        **project_pages.frame(project, tab="monitors"),
        monitor=row,
        shown=shown,
        states=STATES,
        summary=summary,
        length=check_ins.length,
        environment=environment,
        environments=[
            ("All", address(row), ""),
            *((each.row.name, _in(row, each.row.name), each.row.name) for each in shown.places),
        ],
        check_ins=newest[: monitor_pages.CHECK_INS],
        older=_older(org, slug, monitor, environment, newest),
        issues=monitor_pages.issues(db.session, row, me()),
        address=address,
        ways=_ways(project, row.slug, row),
    )


def _ways(project: Project, slug: str, monitor: Monitor | None = None) -> snippets.Steps:
    """How a job checks in; none while every key of the project is switched off."""
    dsn = snippets.dsn_of(project)
    return snippets.of_monitor(dsn, slug, monitor) if dsn else []


def _in(row: Monitor, environment: str) -> str:
    return f"{address(row)}?{urlencode({'environment': environment})}#check-ins"


def summary(strip: list[CheckIn]) -> str:
    """What the picture of the last check-ins shows, in words."""
    if not strip:
        return "No check-ins"
    counts = {name: sum(each.status == name for each in strip) for name in STATES}
    said = ", ".join(f"{count} {STATES[name][0].lower()}" for name, count in counts.items() if count)
    return f"Last {len(strip)}: {said}" if len(strip) > 1 else f"Last: {said}"


def _before() -> tuple[datetime, int] | None:
    """Where the page before this one ended; nonsense is the beginning."""
    place = cursor.decode(request.args.get("cursor"))
    return (cursor.moment(place.value), place.id) if place else None


def _older(org: str, slug: str, monitor: str, environment: str, newest: Any) -> str | None:
    if len(newest) <= monitor_pages.CHECK_INS:
        return None
    last = newest[monitor_pages.CHECK_INS - 1]
    return url_for(
        "monitors.show",
        org=org,
        slug=slug,
        monitor=monitor,
        environment=environment or None,
        cursor=Cursor(cursor.value_of(last.started_at), last.id).encode(),
    )
