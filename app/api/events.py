"""Events of an issue and of a project, and their attachments (`web-api.md` 4)."""

from flask import Response, jsonify, request
from sqlalchemy import Select, select
from sqlalchemy.orm import lazyload, undefer

from app.api import shapes
from app.api.blueprint import bp, needs
from app.api.issues import visible_issue
from app.api.organizations import Answer, visible_organization, visible_project
from app.api.paging import linked, offset, size
from app.api.shapes import Json
from app.db import db
from app.domain.errors import NotFound
from app.models import Attachment, Event, Issue, Project
from app.services import event_body, issue_events

NAMED = {"latest": "latest", "recommended": "latest", "oldest": "oldest"}


@bp.get("/issues/<issue>/events/", strict_slashes=False)
@bp.get("/organizations/<org>/issues/<issue>/events/", strict_slashes=False)
@needs("event:read")
def events_of_issue(issue: str, org: str | None = None) -> Answer:
    return _page(select(Event).where(Event.issue_id == visible_issue(issue, org).id))


@bp.get("/projects/<org>/<proj>/events/", strict_slashes=False)
@needs("event:read")
def events_of_project(org: str, proj: str) -> Answer:
    return _page(select(Event).where(Event.project_id == visible_project(org, proj).id))


def _page(found: Select[Event]) -> Answer:
    """Newest first. Bodies are read for the rows of this page only: their tags and users stand there."""
    start, count = offset(), size()
    rows = db.session.scalars(
        found.order_by(Event.timestamp.desc(), Event.id.desc())
        .offset(start)
        .limit(count + 1)
        .options(undefer(Event.body), lazyload(Event.issue))
    ).all()
    shape = _full if request.args.get("full") in ("1", "true") else _line
    previous, following = f"0:{max(start - count, 0)}:1", f"0:{start + count}:0"
    lines = [shape(row) for row in rows[:count]]
    return linked(lines, previous, following, before=start > 0, after=len(rows) > count)


def _line(row: Event) -> Json:
    data = event_body.unpack(row.body)
    tags = [{"key": key, "value": value} for key, value in data.get("tags") or ()]
    return {**shapes.event_line(row), "tags": tags, "user": data.get("user")}


def _full(row: Event) -> Json:
    return shapes.event(row, event_body.unpack(row.body), None, None)


@bp.get("/issues/<issue>/events/<event_id>/", strict_slashes=False)
@bp.get("/organizations/<org>/issues/<issue>/events/<event_id>/", strict_slashes=False)
@needs("event:read")
def event_of_issue(issue: str, event_id: str, org: str | None = None) -> Answer:
    return jsonify(_shown(visible_issue(issue, org), NAMED.get(event_id, _plain(event_id))))


@bp.get("/projects/<org>/<proj>/events/<event_id>/", strict_slashes=False)
@needs("event:read")
def event_of_project(org: str, proj: str, event_id: str) -> Answer:
    row = _find(visible_project(org, proj), event_id)
    return jsonify(_shown(row.issue, row.event_id))


def _shown(issue: Issue, which: str) -> Json:
    shown = issue_events.show(db.session, issue, which)
    if shown is None:
        raise NotFound
    return shapes.event(shown.event, shown.data, shown.older, shown.newer)


@bp.get("/organizations/<org>/eventids/<event_id>/", strict_slashes=False)
@needs("event:read")
def by_event_id(org: str, event_id: str) -> Answer:
    """Where an event of this organization is, if this person sees its project."""
    organization = visible_organization(org)
    found = (
        select(Event)
        .join(Project, Project.id == Event.project_id)
        .where(Project.organization_id == organization.id, Event.event_id == _plain(event_id))
    )
    for row in db.session.scalars(found):
        project = visible_project(org, str(row.project_id))
        return jsonify(
            organizationSlug=organization.slug,
            projectSlug=project.slug,
            groupId=str(row.issue_id),
            eventId=row.event_id,
            event=_shown(row.issue, row.event_id),
        )
    raise NotFound


@bp.get("/projects/<org>/<proj>/events/<event_id>/attachments/", strict_slashes=False)
@needs("event:read")
def attachments(org: str, proj: str, event_id: str) -> Answer:
    row = _find(visible_project(org, proj), event_id)
    found = select(Attachment).where(
        Attachment.project_id == row.project_id, Attachment.event_id == row.event_id
    )
    return jsonify([_attachment(each) for each in db.session.scalars(found.order_by(Attachment.id))])


@bp.get("/projects/<org>/<proj>/events/<event_id>/attachments/<int:attachment_id>/", strict_slashes=False)
@needs("event:read")
def attachment(org: str, proj: str, event_id: str, attachment_id: int) -> Answer:
    """The attachment's facts; its bytes with `?download`, never shown in place."""
    event = _find(visible_project(org, proj), event_id)
    row = db.session.get(Attachment, attachment_id)
    if row is None or (row.project_id, row.event_id) != (event.project_id, event.event_id):
        raise NotFound
    if "download" not in request.args:
        return jsonify(_attachment(row))
    response = Response(row.body, mimetype="application/octet-stream")
    response.headers.set("Content-Disposition", "attachment", filename=row.name)
    return response


def _attachment(row: Attachment) -> Json:
    return {
        "id": str(row.id),
        "event_id": row.event_id,
        "name": row.name,
        "mimetype": row.content_type,
        "size": row.size,
        "sha1": row.sha1,
        "type": row.type,
        "dateCreated": shapes.moment(row.created_at),
    }


def _find(project: Project, event_id: str) -> Event:
    row = db.session.scalar(
        select(Event).where(Event.project_id == project.id, Event.event_id == _plain(event_id))
    )
    if row is None:
        raise NotFound
    return row


def _plain(event_id: str) -> str:
    return event_id.replace("-", "").lower()
