"""Events of an issue and of a project, and their attachments (`web-api.md` 4)."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

from flask import Response, jsonify, request
from sqlalchemy import Select, select
from sqlalchemy.orm import InstrumentedAttribute, lazyload, undefer

from app.api import event_shapes, narrowing
from app.api.blueprint import Answer, bp
from app.api.credentials import me, needs
from app.api.describing import File, Page, Query, describes
from app.api.feedback import shape as feedback_shape
from app.api.paging import Line, page_of
from app.api.places import visible_issue, visible_organization, visible_project
from app.api.types.events import AttachmentJson, EventDetailsJson, EventJson, EventPlaceJson, LogsJson
from app.api.types.feedback import FeedbackJson
from app.db import db
from app.domain.errors import NotFound
from app.domain.ids import parse_id
from app.models import Attachment, Event, Issue, Project
from app.services import access
from app.services.events import event_body
from app.services.issues import feedback, issue_events

FULL = Query("full", "`1`: all of each event.", Literal["1", "true"])
NAMED = {"latest": "latest", "recommended": "latest", "oldest": "oldest"}


@bp.get("/issues/<issue>/events/")
@bp.get("/organizations/<org>/issues/<issue>/events/")
@needs("event:read")
@describes({200: Page[EventJson] | Page[EventDetailsJson]}, query=[FULL, narrowing.WHOSE])
def events_of_issue(issue: str, org: str | None = None) -> Answer:
    """The events of an issue, newest first."""
    return _page(select(Event).where(Event.issue_id == visible_issue(issue, org).id))


@bp.get("/projects/<org>/<proj>/events/")
@needs("event:read")
@describes({200: Page[EventJson] | Page[EventDetailsJson]}, query=[FULL])
def events_of_project(org: str, proj: str) -> Answer:
    """The events of a project, newest first."""
    here = Event.project_id == visible_project(org, proj).id
    found = select(Event).where(here, access.IS_OF_AN_ISSUE)
    return _page(found, order=(Event.received_at, Event.id))  # as the index of a project's events has them


@bp.get("/organizations/<org>/events/")
@needs("event:read")
@describes({200: LogsJson})
def logs(org: str) -> Answer:
    """Structured logs, of which there are none.

    sentry-cli asks for them.
    """
    visible_organization(org)
    return jsonify(data=[])


def _page(
    found: Select[Event], *, order: Sequence[InstrumentedAttribute[Any]] = (Event.timestamp, Event.id)
) -> Answer:
    """Newest first. Bodies are read for the rows of this page only: their tags and users stand there."""
    newest_first = found.order_by(*(column.desc() for column in order))
    with_bodies = newest_first.options(undefer(Event.body), lazyload(Event.issue))

    shape: Callable[[Sequence[Event]], Sequence[Line]]
    shape = _in_full if request.args.get("full") in ("1", "true") else _lines
    return page_of(with_bodies, shape)


def _lines(rows: Sequence[Event]) -> list[EventJson]:
    return [event_shapes.line(row, event_body.unpack(row.body)) for row in rows]


def _in_full(rows: Sequence[Event]) -> list[EventDetailsJson]:
    reports = _reports(rows)
    return [
        event_shapes.full(row, event_body.unpack(row.body), report=reports.get(row.event_id)) for row in rows
    ]


def _reports(rows: Sequence[Event]) -> dict[str, FeedbackJson]:
    """What was written about events of one project, by their ids."""
    found = feedback.of_events(db.session, rows)
    return {event_id: feedback_shape(row) for (_, event_id), row in found.items()}


@bp.get("/issues/<issue>/events/<event_id>/")
@bp.get("/organizations/<org>/issues/<issue>/events/<event_id>/")
@needs("event:read")
@describes({200: EventDetailsJson}, query=[narrowing.WHOSE])
def event_of_issue(issue: str, event_id: str, org: str | None = None) -> Answer:
    """One event of an issue.

    `latest`, `oldest` and `recommended` are ids too.
    """
    return jsonify(_shown(visible_issue(issue, org), NAMED.get(event_id, _plain(event_id))))


@bp.get("/projects/<org>/<proj>/events/<event_id>/")
@needs("event:read")
@describes({200: EventDetailsJson})
def event_of_project(org: str, proj: str, event_id: str) -> Answer:
    """One event of a project."""
    row = _find(visible_project(org, proj), event_id)
    return jsonify(_shown(row.issue, row.event_id))


@bp.get("/organizations/<org>/eventids/<event_id>/")
@needs("event:read")
@describes({200: EventPlaceJson})
def by_event_id(org: str, event_id: str) -> Answer:
    """Where in an organization an event is."""
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
@describes({200: Page[AttachmentJson]})
def attachments(org: str, proj: str, event_id: str) -> Answer:
    """The files that came with an event."""
    event = _find(visible_project(org, proj), event_id)
    found = select(Attachment).where(_of(event)).order_by(Attachment.id)

    return page_of(found, lambda rows: [event_shapes.attachment(row) for row in rows])


@bp.get("/projects/<org>/<proj>/events/<event_id>/attachments/<attachment_id>/")
@needs("event:read")
@describes({200: AttachmentJson | File}, query=[Query("download", "Present: the file itself.")])
def attachment(org: str, proj: str, event_id: str, attachment_id: str) -> Answer:
    """A file that came with an event.

    Its facts; with `?download` its bytes.
    """
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


def _shown(issue: Issue, which: str) -> EventDetailsJson:
    shown = issue_events.show(db.session, issue, which)
    if shown is None:
        raise NotFound
    report = _reports([shown.event]).get(shown.event.event_id)
    return event_shapes.full(shown.event, shown.data, older=shown.older, newer=shown.newer, report=report)


def _plain(event_id: str) -> str:
    """Ids are accepted with and without dashes."""
    return event_id.replace("-", "").lower()
