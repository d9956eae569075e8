"""The list of a project's monitors, and the page of one."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from flask import render_template, request, url_for

from app.db import db
from app.domain import check_ins
from app.domain.ids import parse_id
from app.models import CheckIn, Monitor
from app.services.monitors import monitor_pages, monitor_rows, monitoring
from app.web import project_pages
from app.web.identity import login_required, me
from app.web.monitors.blueprint import address, bp, snippets

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
        told=summary,
        most=monitor_rows.MOST_MONITORS,
        address=address,
        snippets=snippets(project, "nightly-backup") if not found.total else [],
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
        told=summary,
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
        snippets=snippets(project, row.slug, row),
    )


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
    moment, _, number = request.args.get("before", "").partition(",")
    try:
        at, key = datetime.fromisoformat(moment), parse_id(number)
    except ValueError:
        return None
    return (at, key) if at.tzinfo and key else None


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
        before=f"{last.started_at.isoformat()},{last.id}",
    )
