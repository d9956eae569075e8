"""Events of an issue and of a project, and their attachments (`web-api.md` 4)."""

from collections.abc import Sequence
from typing import Any

from flask import Response, jsonify, request
from sqlalchemy import Select, select
from sqlalchemy.orm import lazyload, undefer

from app.api import event_shapes
from app.api.blueprint import Answer, bp
from app.api.credentials import me, needs
from app.api.paging import page
from app.api.places import visible_issue, visible_organization, visible_project
from app.api.shapes import Json
from app.db import db
from app.domain.errors import NotFound
from app.domain.ids import parse_id
from app.models import Attachment, Event, Issue, Project
from app.services import access, event_body, issue_events

NAMED = {"latest": "latest", "recommended": "latest", "oldest": "oldest"}


@bp.get("/issues/<issue>/events/")
@bp.get("/organizations/<org>/issues/<issue>/events/")
@needs("event:read")
def events_of_issue(issue: str, org: str | None = None) -> Answer:
    return _page(select(Event).where(Event.issue_id == visible_issue(issue, org).id))


@bp.get("/projects/<org>/<proj>/events/")
@needs("event:read")
def events_of_project(org: str, proj: str) -> Answer:
    here = Event.project_id == visible_project(org, proj).id
    return _page(select(Event).where(here, access.IS_OF_AN_ISSUE))


@bp.get("/organizations/<org>/events/")
@needs("event:read")
def logs(org: str) -> Answer:
    """What sentry-cli asks for structured logs, which are not kept."""
    visible_organization(org)
    return jsonify(data=[])


def _page(found: Select[Event]) -> Answer:
    """Newest first. Bodies are read for the rows of this page only: their tags and users stand there."""
    newest_first = found.order_by(Event.timestamp.desc(), Event.id.desc())
    with_bodies = newest_first.options(undefer(Event.body), lazyload(Event.issue))

    def fetch(start: int, count: int) -> Sequence[Event]:
        return db.session.scalars(with_bodies.offset(start).limit(count)).all()

    shape = event_shapes.full if request.args.get("full") in ("1", "true") else event_shapes.line
    return page(fetch, lambda rows: [shape(row, event_body.unpack(row.body)) for row in rows])


@bp.get("/issues/<issue>/events/<event_id>/")
@bp.get("/organizations/<org>/issues/<issue>/events/<event_id>/")
@needs("event:read")
def event_of_issue(issue: str, event_id: str, org: str | None = None) -> Answer:
    return jsonify(_shown(visible_issue(issue, org), NAMED.get(event_id, _plain(event_id))))


@bp.get("/projects/<org>/<proj>/events/<event_id>/")
@needs("event:read")
def event_of_project(org: str, proj: str, event_id: str) -> Answer:
    row = _find(visible_project(org, proj), event_id)
    return jsonify(_shown(row.issue, row.event_id))


@bp.get("/organizations/<org>/eventids/<event_id>/")
@needs("event:read")
def by_event_id(org: str, event_id: str) -> Answer:
    """Where in this organization an event is."""
    organization = visible_organization(org)
    found = (
        select(Event)
        .join(Project, Project.id == Event.project_id)
        .where(Project.organization_id == organization.id, Event.event_id == _plain(event_id))
        .where(access.sees_project(me()), access.IS_OF_AN_ISSUE)
        .order_by(Event.id.desc())
    )
    row = db.session.scalar(found.limit(1))
    if row is None:
        raise NotFound
    return jsonify(
        organizationSlug=organization.slug,
        projectSlug=row.issue.project.slug,
        groupId=str(row.issue_id),
        eventId=row.event_id,
        event=_shown(row.issue, row.event_id),
    )


@bp.get("/projects/<org>/<proj>/events/<event_id>/attachments/")
@needs("event:read")
def attachments(org: str, proj: str, event_id: str) -> Answer:
    event = _find(visible_project(org, proj), event_id)
    found = select(Attachment).where(_of(event)).order_by(Attachment.id)

    def fetch(start: int, count: int) -> Sequence[Attachment]:
        return db.session.scalars(found.offset(start).limit(count)).all()

    return page(fetch, lambda rows: [event_shapes.attachment(row) for row in rows])


@bp.get("/projects/<org>/<proj>/events/<event_id>/attachments/<attachment_id>/")
@needs("event:read")
def attachment(org: str, proj: str, event_id: str, attachment_id: str) -> Answer:
    """The attachment's facts; its bytes with `?download`, never shown in place."""
    event = _find(visible_project(org, proj), event_id)
    row = db.session.scalar(select(Attachment).where(_of(event), Attachment.id == parse_id(attachment_id)))
    if row is None:
        raise NotFound
    if "download" not in request.args:
        return jsonify(event_shapes.attachment(row))
    response = Response(row.body, mimetype="application/octet-stream")
    response.headers.set("Content-Disposition", "attachment", filename=_printable(row.name))
    return response


def _printable(name: str) -> str:
    """What a header can hold."""
    return "".join(character for character in name if character.isprintable())


def _of(event: Event) -> Any:
    return (Attachment.project_id == event.project_id) & (Attachment.event_id == event.event_id)


def _find(project: Project, event_id: str) -> Event:
    named = (Event.project_id == project.id) & (Event.event_id == _plain(event_id))
    row = db.session.scalar(select(Event).where(named, access.IS_OF_AN_ISSUE))
    if row is None:
        raise NotFound
    return row


def _shown(issue: Issue, which: str) -> Json:
    shown = issue_events.show(db.session, issue, which)
    if shown is None:
        raise NotFound
    return event_shapes.full(shown.event, shown.data, older=shown.older, newer=shown.newer)


def _plain(event_id: str) -> str:
    """Ids are accepted with and without dashes."""
    return event_id.replace("-", "").lower()
