"""Monitors and their check-ins (`web-api.md` 2): read with a token, written by checking in."""

import uuid
from collections.abc import Sequence

from flask import jsonify, request

from app.api import narrowing
from app.api.blueprint import Answer, Invalid, bp
from app.api.credentials import needs, viewer
from app.api.describing import Page, Query, describes
from app.api.paging import page_of
from app.api.places import visible_organization, visible_project, visible_projects
from app.api.shapes import moment
from app.api.types.monitors import (
    ENVIRONMENT_STATUSES,
    CheckInJson,
    MonitorEnvironmentJson,
    MonitorJson,
)
from app.db import db
from app.domain import monitors
from app.models import CheckIn, Monitor, MonitorEnvironment
from app.services import access
from app.services.monitors import monitor_pages, monitor_rows, monitoring

ENVIRONMENT = Query("environment", "Those of this environment.", example="production")


@bp.get("/organizations/<org>/monitors/")
@needs("org:read")
@describes({200: Page[MonitorJson]}, query=[narrowing.PROJECT])
def monitors_of_organization(org: str) -> Answer:
    """The jobs that check in; those that fail come first."""
    return _list(_projects(org))


@bp.get("/projects/<org>/<proj>/monitors/")
@needs("org:read")
@describes({200: Page[MonitorJson]})
def monitors_of_project(org: str, proj: str) -> Answer:
    """The jobs of one project."""
    return _list([visible_project(org, proj).id])


@bp.get("/organizations/<org>/monitors/<monitor>/")
@needs("org:read")
@describes({200: MonitorJson}, query=[narrowing.PROJECT])
def monitor_of_organization(org: str, monitor: str) -> Answer:
    """One job. Where several projects have one of this slug, name the project too."""
    return jsonify(shape(_named(org, monitor)))


@bp.get("/projects/<org>/<proj>/monitors/<monitor>/")
@needs("org:read")
@describes({200: MonitorJson})
def monitor_of_project(org: str, proj: str, monitor: str) -> Answer:
    """One job of a project."""
    return jsonify(shape(_in_project(org, proj, monitor)))


@bp.get("/organizations/<org>/monitors/<monitor>/checkins/")
@needs("org:read")
@describes({200: Page[CheckInJson]}, query=[narrowing.PROJECT, ENVIRONMENT])
def check_ins_of_monitor(org: str, monitor: str) -> Answer:
    """The check-ins of a job, newest first."""
    return _check_ins(_named(org, monitor))


@bp.get("/projects/<org>/<proj>/monitors/<monitor>/checkins/")
@needs("org:read")
@describes({200: Page[CheckInJson]}, query=[ENVIRONMENT])
def check_ins_of_monitor_of_project(org: str, proj: str, monitor: str) -> Answer:
    """The check-ins of a job of a project, newest first."""
    return _check_ins(_in_project(org, proj, monitor))


def _list(project_ids: Sequence[int]) -> Answer:
    found = monitor_pages.in_order(Monitor.project_id.in_(project_ids))

    return page_of(found, lambda rows: [shape(row) for row in rows])


def _check_ins(monitor: Monitor) -> Answer:
    found = monitor_pages.newest_of(monitor, request.args.get("environment", ""))

    return page_of(found, lambda rows: [check_in(row) for row in rows])


def _projects(org: str) -> list[int]:
    """What the caller sees of the organization, or of it those that `project=` names."""
    organization = visible_organization(org)
    if wanted := narrowing.named_projects():
        return [row.id for row in visible_projects(wanted, org)]
    seen = access.visible_projects(db.session, viewer())
    return [row.id for row in seen if row.organization_id == organization.id]


def _named(org: str, name: str) -> Monitor:
    found = monitoring.named(db.session, _projects(org), name)
    if len(found) > 1:
        raise Invalid(f"Several projects have a monitor {name}. Name one with project=.")
    return found[0]


def _in_project(org: str, proj: str, name: str) -> Monitor:
    return monitoring.named(db.session, [visible_project(org, proj).id], name)[0]


def shape(row: Monitor) -> MonitorJson:
    config = monitor_rows.config_of(row)
    kind, schedule = monitors.sent_schedule(config.schedule)
    project = row.project
    return {
        "id": str(row.id),
        "slug": row.slug,
        "name": row.name,
        "status": "disabled" if row.is_paused else "active",
        "isMuted": row.is_muted,
        "isUpserting": row.is_sent,
        "config": {
            "schedule_type": kind,
            "schedule": schedule,
            "timezone": row.timezone,
            "checkin_margin": config.margin,
            "max_runtime": config.max_runtime,
            "failure_issue_threshold": config.failures,
            "recovery_threshold": config.recoveries,
        },
        "environments": [_environment(row, each) for each in row.environments if each.last_check_in_at],
        "project": {
            "id": str(project.id),
            "slug": project.slug,
            "name": project.name,
            "platform": project.platform,
        },
        "dateCreated": moment(row.created_at),
    }


def _environment(monitor: Monitor, row: MonitorEnvironment) -> MonitorEnvironmentJson:
    return {
        "name": row.name,
        "status": ENVIRONMENT_STATUSES[row.status],
        "isMuted": monitor.is_muted,
        "lastCheckIn": moment(row.last_check_in_at),
        "nextCheckIn": moment(row.expected_at),
        "nextCheckInLatest": moment(monitor_rows.wake_at(row, None)),
    }


def check_in(row: CheckIn) -> CheckInJson:
    return {
        "id": str(uuid.UUID(row.key)),
        "environment": row.environment.name,
        "status": row.status,
        "duration": row.duration,
        "dateAdded": moment(row.started_at),
        "dateUpdated": moment(row.finished_at or row.started_at),
        "expectedTime": moment(row.expected_at),
        "release": row.release or None,
        "eventID": row.event_id,
    }
