"""How events look in the API: the regular form in the names and lists that clients know (`web-api.md` 4)."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.api.shapes import Json, moment
from app.api.types.events import AttachmentJson, EntryJson, EventDetailsJson, EventJson, ProblemJson
from app.api.types.feedback import FeedbackJson
from app.domain import source_maps, titles
from app.models import Attachment, Event
from app.services.events import event_body

# Member of the regular form → type of the entry.
_OBJECTS = {"logentry": "message", "request": "request", "debug_meta": "debugmeta"}
_PERSON = ("id", "email", "username", "ip_address", "name")
_FRAME = {
    "filename": "filename",
    "absPath": "abs_path",
    "module": "module",
    "package": "package",
    "function": "function",
    "lineNo": "lineno",
    "colNo": "colno",
    "inApp": "in_app",
    "vars": "vars",
}


def line(row: Event, data: dict[str, Any]) -> EventJson:
    """An event as lists show it."""
    return {
        "id": row.event_id,
        "eventID": row.event_id,
        "groupID": str(row.issue_id),
        "projectID": str(row.project_id),
        "title": row.title,
        "message": data.get("logentry", {}).get("formatted", ""),
        "culprit": row.culprit,
        "location": titles.metadata(data).get("filename"),
        "platform": row.platform,
        "type": row.type,
        "dateCreated": moment(row.timestamp),
        "dateReceived": moment(row.received_at),
        "tags": [{"key": key, "value": value} for key, value in data.get("tags", ())],
        "user": _person(data.get("user")),
    }


def full(
    row: Event,
    data: dict[str, Any],
    *,
    older: str | None = None,
    newer: str | None = None,
    report: FeedbackJson | None = None,
) -> EventDetailsJson:
    return {
        **line(row, data),
        "entries": _entries(data),
        "contexts": data.get("contexts", {}),
        "context": data.get("extra", {}),
        "sdk": data.get("sdk"),
        "packages": data.get("modules", {}),
        "errors": [_problem(each) for each in data.get("errors", ())],
        "fingerprints": [row.hash],
        "release": {"version": row.release} if row.release else None,
        "dist": data.get("dist"),
        "size": event_body.size(row.body),
        "metadata": titles.metadata(data),
        "userReport": report,
        "nextEventID": newer,
        "previousEventID": older,
    }


def attachment(row: Attachment) -> AttachmentJson:
    return {
        "id": str(row.id),
        "event_id": row.event_id,
        "name": row.name,
        "mimetype": row.content_type,
        "size": row.size,
        "sha1": row.sha1,
        "type": row.type,
        "dateCreated": moment(row.created_at),
    }


def _person(user: Mapping[str, Any] | None) -> Json | None:
    return {**dict.fromkeys(_PERSON), **user} if user else None


def _problem(problem: Mapping[str, Any]) -> ProblemJson:
    return {"type": problem.get("type"), "data": {"name": problem.get("name")}}


def _entries(data: dict[str, Any]) -> list[EntryJson]:
    """Exceptions in the order received: the last one is the outermost."""
    lists = {
        "exception": [_raised(each) for each in data.get("exception", ())],
        "threads": [_with_stack(each) for each in data.get("threads", ())],
        "breadcrumbs": list(data.get("breadcrumbs", ())),
    }
    entries: list[EntryJson] = [
        {"type": name, "data": {"values": values}} for name, values in lists.items() if values
    ]
    return entries + [
        {"type": name, "data": data[member]} for member, name in _OBJECTS.items() if data.get(member)
    ]


def _raised(exception: Mapping[str, Any]) -> Json:
    return {**dict.fromkeys(("type", "value", "module", "mechanism")), **_with_stack(exception)}


def _with_stack(thing: Mapping[str, Any]) -> Json:
    """An exception or a thread; `rawStacktrace` is as the SDK sent it, where source maps changed it."""
    stack = thing.get("stacktrace")
    frames = stack["frames"] if stack else ()
    minified = [source_maps.as_sent(each) for each in frames] if any("raw" in each for each in frames) else ()
    return {**thing, "stacktrace": _stack(frames), "rawStacktrace": _stack(minified)}


def _stack(frames: Sequence[Mapping[str, Any]]) -> Json | None:
    return {"frames": [_frame(each) for each in frames]} if frames else None


def _frame(frame: Mapping[str, Any]) -> Json:
    shown: Json = {name: frame.get(member) for name, member in _FRAME.items()}
    return {**shown, "context": _context(frame)}


def _context(frame: Mapping[str, Any]) -> Sequence[tuple[int, str]]:
    """The source around the line that was reached, every line with its number."""
    number, reached = frame.get("lineno"), frame.get("context_line")
    if number is None or reached is None:
        return []
    before, after = frame.get("pre_context") or [], frame.get("post_context") or []
    return list(enumerate([*before, reached, *after], start=number - len(before)))
