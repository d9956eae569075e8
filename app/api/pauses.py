"""A project's maintenance windows: the same service, checks and audit as the page.

To pause everything from now on: `POST {"scope": "all", "endsAt": …, "reason": …}`.
"""

from dataclasses import replace
from datetime import datetime

from flask import jsonify

from app.api import shapes
from app.api.blueprint import Answer, Invalid, bp
from app.api.credentials import may, me, needs
from app.api.describing import Page, describes
from app.api.paging import whole_list
from app.api.places import visible_project
from app.api.reading import Json, body, flag, known_members, moment, text
from app.api.types.alerts import PauseJson, PauseWish
from app.clock import now
from app.db import db
from app.domain import pauses
from app.domain.pauses import Window
from app.models import Pause, Project
from app.services.calm import maintaining, pausing
from app.services.people import accounts

VIA = "api"
PLACE = "/projects/<org>/<proj>/pauses/"
MEMBERS = ("startsAt", "endsAt", "weekly", "timezone", "environment", "scope", "reason")
# Shown and not written; taken, so that what was read can be sent back.
READ_ONLY = ("id", "sentence", "until", "next", "dateCreated", "createdBy")


@bp.get(PLACE)
@needs("alerts:read")
@describes({200: Page[PauseJson]})
def pauses_of(org: str, proj: str) -> Answer:
    """The maintenance windows of a project that hold, or will again.

    The first to come first.
    """
    rows = pausing.of_project(db.session, visible_project(org, proj), now=now())
    return whole_list([_shape(row) for row in rows])


@bp.post(PLACE)
@needs("alerts:write")
@describes({201: PauseJson}, body=PauseWish)
def create_pause(org: str, proj: str) -> Answer:
    """Make a maintenance window.

    Without `startsAt` it begins now.
    """
    project, given = _editable(org, proj), body()
    wanted = _read(given, Window(now(), now(), zone=me().timezone))
    reason = text(given, "reason")
    row = maintaining.create(db.session, project, wanted, reason=reason, by=me(), now=now(), via=VIA)
    db.session.commit()
    return jsonify(_shape(row)), 201


@bp.get(f"{PLACE}<int:pause>/")
@needs("alerts:read")
@describes({200: PauseJson})
def pause_of(org: str, proj: str, pause: int) -> Answer:
    """One maintenance window."""
    return jsonify(_shape(pausing.find(db.session, visible_project(org, proj), pause)))


@bp.put(f"{PLACE}<int:pause>/")
@needs("alerts:write")
@describes({200: PauseJson}, body=PauseWish)
def change_pause(org: str, proj: str, pause: int) -> Answer:
    """Change a maintenance window.

    What is absent stays.
    """
    project, given = _editable(org, proj), body()
    row = pausing.find(db.session, project, pause)
    wanted = _read(given, pausing.window(row))
    reason = text(given, "reason") if "reason" in given else row.reason
    maintaining.change(db.session, row, wanted, reason=reason, by=me(), now=now(), via=VIA)
    db.session.commit()
    return jsonify(_shape(row))


@bp.delete(f"{PLACE}<int:pause>/")
@needs("alerts:write")
@describes({204: None})
def delete_pause(org: str, proj: str, pause: int) -> Answer:
    """Delete a maintenance window.

    If it holds now, that ends.
    """
    row = pausing.find(db.session, _editable(org, proj), pause)
    maintaining.delete(db.session, row, by=me(), now=now(), via=VIA)
    db.session.commit()
    return "", 204


@bp.post(f"{PLACE}<int:pause>/end/")
@needs("alerts:write")
@describes({200: PauseJson})
def end_pause(org: str, proj: str, pause: int) -> Answer:
    """End a maintenance window now.

    A weekly one comes again next week.
    """
    row = pausing.find(db.session, _editable(org, proj), pause)
    maintaining.end(db.session, row, by=me(), now=now(), via=VIA)
    db.session.commit()
    return jsonify(_shape(row))


def _editable(org: str, proj: str) -> Project:
    project = visible_project(org, proj)
    may(project, "edit_project")
    return project


def _read(given: Json, before: Window) -> Window:
    """The window as it is to be, from what was sent and what it was."""
    sent = {name: value for name, value in given.items() if name not in READ_ONLY}
    known_members(sent, *MEMBERS)
    changes: Json = {}
    if "startsAt" in given:
        changes["starts_at"] = _moment(given, "startsAt")
    if "endsAt" in given:
        changes["ends_at"] = _moment(given, "endsAt")
    if "weekly" in given:
        changes["weekly"] = flag(given, "weekly")
    if "scope" in given:
        changes["scope"] = text(given, "scope")
    if "environment" in given:
        changes["environment"] = text(given, "environment") or None
    if "timezone" in given:
        changes["zone"] = accounts.checked_timezone(text(given, "timezone"))
    return replace(before, **changes)


def _moment(given: Json, member: str) -> datetime:
    at = moment(given, member)
    if at is None:
        raise Invalid("Must be a time such as 2026-11-23T15:00:00Z.", member)
    return at


def _shape(row: Pause) -> PauseJson:
    window, at = pausing.window(row), now()
    following = window.next_span(at)
    return {
        "id": str(row.id),
        "startsAt": shapes.moment(row.starts_at),
        "endsAt": shapes.moment(row.ends_at),
        "weekly": row.weekly,
        "timezone": row.timezone,
        "environment": row.environment,
        "scope": row.scope,
        "reason": row.reason,
        "sentence": pauses.words(window),
        "until": shapes.moment(pausing.ends_of(row, now=at)),
        "next": shapes.moment(following[0]) if following else None,
        "dateCreated": shapes.moment(row.created_at),
        "createdBy": shapes.person(row.created_by),
    }
