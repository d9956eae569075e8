"""An event's regular data as the parts of its page: exceptions with frames, and sections of names and values.

Plain text throughout; the templates escape it. What a page has no room for is left out and said to be.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.domain import source_maps
from app.web.issues.room import MOST_BREADCRUMBS, MOST_VALUES, Pairs, Room
from app.web.issues.stack_parts import Raised, raised


@dataclass(frozen=True, slots=True)
class Breadcrumb:
    at: datetime | None
    category: str
    level: str
    message: str
    data: str


@dataclass(frozen=True, slots=True)
class Section:
    """Names and values under a heading; `groups` have headings of their own where there are several."""

    anchor: str
    title: str
    groups: Sequence[tuple[str, Pairs]]


@dataclass(slots=True)
class Parts:
    """Everything of an event that its page shows."""

    message: str
    raised: Sequence[Raised]
    breadcrumbs: Sequence[Breadcrumb]
    tags: Pairs
    sections: Sequence[Section]
    map_problems: Sequence[tuple[str, Sequence[str]]] = ()  # what to do, and for which files
    is_cut: bool = False
    tabs: Sequence[tuple[str, str, str]] = field(default_factory=list)


def parts_of(data: Mapping[str, Any], *, in_full: bool) -> Parts:
    """`in_full` leaves nothing out."""
    room = Room(in_full=in_full)
    parts = Parts(
        message=room.text((data.get("logentry") or {}).get("formatted", "")),
        raised=raised(data, room),
        breadcrumbs=_breadcrumbs(data.get("breadcrumbs") or [], room),
        tags=_tags(data.get("tags"), room),
        sections=[section for section in _sections(data, room) if section.groups],
    )
    parts.map_problems = _map_problems(data.get("errors") or [], room)
    parts.is_cut = room.has_cut
    parts.tabs = list(_tabs(parts))
    return parts


def _tabs(parts: Parts) -> Iterable[tuple[str, str, str]]:
    if parts.raised:
        yield ("Stack trace", "#stack", "stack")
    if parts.breadcrumbs:
        yield ("Breadcrumbs", "#breadcrumbs", "breadcrumbs")
    if parts.tags:
        yield ("Tags", "#tags", "tags")
    for section in parts.sections:
        yield (section.title, f"#{section.anchor}", section.anchor)


def _breadcrumbs(found: Sequence[Mapping[str, Any]], room: Room) -> Sequence[Breadcrumb]:
    """Newest first."""
    shown = room.some(found, MOST_BREADCRUMBS, newest=True)
    return [
        Breadcrumb(
            at=_moment(each.get("timestamp")),
            category=str(each.get("category") or each.get("type") or "default"),
            level=str(each.get("level") or "info"),
            message=room.text(each.get("message") or ""),
            data=room.text(each["data"]) if each.get("data") else "",
        )
        for each in reversed(shown)
    ]


def _moment(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None


def _tags(found: Any, room: Room) -> Pairs:
    pairs = found.items() if isinstance(found, Mapping) else found or []
    return [(str(key), room.text(value)) for key, value in pairs]


def _sections(data: Mapping[str, Any], room: Room) -> Iterable[Section]:
    yield Section("request", "Request", list(_request(data.get("request") or {}, room)))
    yield Section("user", "User", _group("", data.get("user"), room))
    contexts = (data.get("contexts") or {}).items()
    groups = [(name, _context(context, room)) for name, context in contexts if isinstance(context, Mapping)]
    yield Section("contexts", "Context", groups)
    yield Section("extra", "Extra", _group("", data.get("extra"), room))
    yield Section("sdk", "SDK and packages", list(_origin(data, room)))
    yield Section("notes", "Processing notes", _notes(data.get("errors") or [], room))


def _group(heading: str, values: Any, room: Room) -> list[tuple[str, Pairs]]:
    return [(heading, room.pairs(values))] if isinstance(values, Mapping) and values else []


def _request(request: Mapping[str, Any], room: Room) -> Iterable[tuple[str, Pairs]]:
    plain = ("method", "url", "query_string", "fragment")
    yield from _group("", {name: request[name] for name in plain if request.get(name)}, room)
    for name in ("headers", "cookies", "data", "env"):
        value = _unpaired(request.get(name))
        if isinstance(value, Mapping):
            yield from _group(name.capitalize(), value, room)
        elif value:
            yield (name.capitalize(), [("", room.text(value))])


def _unpaired(value: Any) -> Any:
    """SDKs send headers and the like as an object, as pairs or as text."""
    if isinstance(value, list) and all(isinstance(pair, list) and len(pair) == 2 for pair in value):
        return {str(name): text for name, text in value}
    return value


def _context(context: Mapping[str, Any], room: Room) -> Pairs:
    return room.pairs({name: value for name, value in context.items() if name != "type"})


def _origin(data: Mapping[str, Any], room: Room) -> Iterable[tuple[str, Pairs]]:
    sdk = data.get("sdk") or {}
    yield from _group("", {name: sdk[name] for name in ("name", "version") if sdk.get(name)}, room)
    if room.in_full:
        yield from _group("Packages", data.get("modules"), room)


def _map_problems(found: Sequence[Mapping[str, Any]], room: Room) -> Sequence[tuple[str, Sequence[str]]]:
    """What keeps source maps from being applied, once each."""
    files: dict[str, list[str]] = {}
    for note in filter(source_maps.is_problem, found):
        files.setdefault(str(note["type"]), []).extend([room.text(note["name"])] if note.get("name") else [])
    return [(source_maps.PROBLEMS[problem], names) for problem, names in files.items()]


def _notes(found: Sequence[Mapping[str, Any]], room: Room) -> list[tuple[str, Pairs]]:
    rest = [note for note in found if not source_maps.is_problem(note)]
    pairs = [(str(note.get("type", "note")), room.text(note.get("name") or note)) for note in rest]
    return [("", room.some(pairs, MOST_VALUES))] if pairs else []
