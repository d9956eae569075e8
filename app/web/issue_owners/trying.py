"""The tester: an issue, an event, or what somebody types as a path, a URL and a tag."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.db import db
from app.domain import ownership_suggestions
from app.domain.errors import NotFound, Refused
from app.domain.ids import parse_id
from app.models import Event, Issue, Project
from app.services import access
from app.services.events import event_body
from app.services.issues import issue_events
from app.services.owners import owner_checks
from app.services.owners.owner_checks import Trial
from app.services.preferences.preferring import Defaults
from app.web.identity import me
from app.web.issue_owners.typed import Typed


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of it, and patterns to begin a line with, where an event offers some."""

    trial: Trial | None = None
    patterns: Sequence[str] = ()
    problem: str = ""


def tried(project: Project, typed: Typed, instance: Defaults) -> Tried | None:
    """None where nothing is to be tried; `NotFound` for what is not of this project, `Refused` for no tag."""
    found = _found(project, typed)
    if found is None:
        return None
    called, data, tags = found
    trial = owner_checks.attempt(
        db.session, project, typed.draft, called=called, data=data, tags=tags, instance=instance
    )
    return Tried(trial, ownership_suggestions.patterns(data) if typed.tried else ())


def _found(project: Project, typed: Typed) -> tuple[str, Mapping[str, Any], Sequence[Sequence[str]]] | None:
    if typed.tried:
        called, data = _stored(project, typed.tried)
        return called, data, data.get("tags") or ()
    if not (typed.path or typed.url or typed.tag):
        return None
    key, _, value = map(str.strip, typed.tag.partition("="))
    if typed.tag and not (key and value):
        raise Refused(f"“{typed.tag}” is no tag: write key=value.", field="tag")
    data = {
        "stacktrace": {"frames": [{"filename": typed.path, "in_app": True}] if typed.path else []},
        "request": {"url": typed.url},
    }
    return "What you typed", data, [(key, value)] if value else []


def _stored(project: Project, name: str) -> tuple[str, Mapping[str, Any]]:
    """The latest event of the issue with this short id, or the event with this id."""
    event_id = name.replace("-", "").lower()
    if len(event_id) == 32 and (event := _event(project, event_id)):
        return f"Event {event_id[:8]}", event_body.unpack(event.body)
    shown = issue_events.show(db.session, _issue(project, name), issue_events.LATEST)
    if shown is None:
        raise NotFound
    return name.upper(), shown.data


def _event(project: Project, event_id: str) -> Event | None:
    return db.session.query(Event).filter_by(project_id=project.id, event_id=event_id).one_or_none()


def _issue(project: Project, name: str) -> Issue:
    id_ = parse_id(name)
    issue = (
        access.visible_issue_by_short_id(db.session, me(), project.organization, name)
        if id_ is None
        else access.visible_issue(db.session, me(), id_)
    )
    if issue.project_id != project.id:
        raise NotFound
    return issue
