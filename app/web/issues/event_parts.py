"""An event's regular data as the parts of its page: exceptions with frames, and sections of names and values.

Plain text throughout; the templates escape it. What a page has no room for is left out and said to be.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.domain import stacks

# Characters of source and variables, and how much of everything else, that a page of 60 KB has room for.
ROOM_FOR_FRAMES = 14_000
MOST_EXCEPTIONS, MOST_FRAMES, MOST_OPEN, MOST_BREADCRUMBS, MOST_VALUES = 5, 30, 5, 12, 12
LONGEST_VALUE, LONGEST_IN_FULL = 400, 20_000
PLAIN_CONTEXT = ("type",)

Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Line:
    number: int | None
    text: str
    is_hit: bool


@dataclass(slots=True)
class Frame:
    """Where the code was. Without `lines` and `variables` there is nothing to unfold."""

    place: str
    function: str
    is_own: bool
    is_open: bool = False
    lines: Sequence[Line] = ()
    variables: Pairs = ()

    @property
    def size(self) -> int:
        shown = sum(len(line.text) + 40 for line in self.lines)
        return shown + sum(len(name) + len(value) + 20 for name, value in self.variables)


@dataclass(frozen=True, slots=True)
class Raised:
    """An exception or a bare stack; `frames` newest first, `left_out` says how many more there are."""

    type: str
    value: str
    unhandled: bool
    frames: Sequence[Frame]
    left_out: int


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
    is_cut: bool = False
    tabs: Sequence[tuple[str, str, str]] = field(default_factory=list)


class _Cutter:
    """Cuts what is long, and remembers that it did."""

    def __init__(self, *, in_full: bool) -> None:
        self.in_full = in_full
        self.has_cut = False
        self.room = ROOM_FOR_FRAMES

    def text(self, value: Any) -> str:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
        limit = LONGEST_IN_FULL if self.in_full else LONGEST_VALUE
        if len(text) <= limit:
            return text
        self.has_cut = True
        return f"{text[:limit]}… {len(text) - limit} more characters"

    def some(self, values: Sequence[Any], most: int, *, newest: bool = False) -> Sequence[Any]:
        if self.in_full or len(values) <= most:
            return values
        self.has_cut = True
        return values[-most:] if newest else values[:most]

    def fits(self, size: int) -> bool:
        if self.in_full or size <= self.room:
            self.room -= size
            return True
        self.has_cut = True
        return False

    def pairs(self, values: Mapping[str, Any]) -> Pairs:
        shown = self.some(list(values.items()), MOST_VALUES * 3)
        return [(str(name), self.text(value)) for name, value in shown]


def parts_of(data: Mapping[str, Any], *, in_full: bool) -> Parts:
    """`in_full` leaves nothing out."""
    cutter = _Cutter(in_full=in_full)
    raised = _raised(data, cutter)
    parts = Parts(
        message=cutter.text((data.get("logentry") or {}).get("formatted", "")),
        raised=raised,
        breadcrumbs=_breadcrumbs(data.get("breadcrumbs") or [], cutter),
        tags=_tags(data.get("tags"), cutter),
        sections=[section for section in _sections(data, cutter) if section.groups],
    )
    parts.is_cut = cutter.has_cut
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


# Stack traces


def _raised(data: Mapping[str, Any], cutter: _Cutter) -> Sequence[Raised]:
    """The exception that reached the top first, its causes below it; else the stack of the event itself."""
    exceptions = list(reversed(data.get("exception") or []))
    if not exceptions:
        frames = stacks.event_frames(dict(data))
        return [_stack("", "", False, frames, cutter)] if frames else []
    return [
        _stack(
            str(each.get("type") or ""),
            cutter.text(each.get("value") or ""),
            stacks.mechanism(each).get("handled") is False,
            stacks.frames_of(each),
            cutter,
        )
        for each in cutter.some(exceptions, MOST_EXCEPTIONS)
    ]


def _stack(
    type_: str, value: str, unhandled: bool, found: Sequence[Mapping[str, Any]], cutter: _Cutter
) -> Raised:
    newest_first = list(reversed(found))
    shown = cutter.some(newest_first, MOST_FRAMES)
    frames = [_frame(each) for each in shown]
    # The application's own frames have the first claim on the room there is.
    for frame, source in sorted(zip(frames, shown, strict=True), key=lambda pair: not pair[0].is_own):
        _unfold(frame, source, cutter)
    own = [frame for frame in frames if frame.is_own and frame.lines] or frames[:1]
    for frame in own[:MOST_OPEN]:
        frame.is_open = True
    return Raised(type_, value, unhandled, frames, len(newest_first) - len(shown))


def _frame(frame: Mapping[str, Any]) -> Frame:
    place = str(frame.get("filename") or frame.get("module") or frame.get("package") or "?")
    number = frame.get("lineno")
    return Frame(
        place=f"{place}:{number}" if number is not None else place,
        function=str(
            frame.get("function") or frame.get("raw_function") or frame.get("instruction_addr") or "?"
        ),
        is_own=frame.get("in_app") is True,
    )


def _unfold(frame: Frame, source: Mapping[str, Any], cutter: _Cutter) -> None:
    lines = list(_lines(source))
    variables = cutter.pairs(source.get("vars") or {})
    full = Frame(frame.place, frame.function, frame.is_own, lines=lines, variables=variables)
    if full.size and cutter.fits(full.size):
        frame.lines, frame.variables = lines, variables


def _lines(frame: Mapping[str, Any]) -> Iterable[Line]:
    """The source around the line that was running, each line with its number where that is known."""
    running = frame.get("context_line")
    if running is None:
        return
    number = frame.get("lineno")
    before, after = frame.get("pre_context") or [], frame.get("post_context") or []
    for at, text in enumerate([*before, running, *after], start=-len(before)):
        yield Line(number + at if isinstance(number, int) else None, str(text), at == 0)


# The rest


def _breadcrumbs(found: Sequence[Mapping[str, Any]], cutter: _Cutter) -> Sequence[Breadcrumb]:
    """Newest first."""
    shown = cutter.some(found, MOST_BREADCRUMBS, newest=True)
    return [
        Breadcrumb(
            at=_moment(each.get("timestamp")),
            category=str(each.get("category") or each.get("type") or "default"),
            level=str(each.get("level") or "info"),
            message=cutter.text(each.get("message") or ""),
            data=cutter.text(each["data"]) if each.get("data") else "",
        )
        for each in reversed(shown)
    ]


def _moment(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None


def _tags(found: Any, cutter: _Cutter) -> Pairs:
    pairs = found.items() if isinstance(found, Mapping) else found or []
    return [(str(key), cutter.text(value)) for key, value in pairs]


def _sections(data: Mapping[str, Any], cutter: _Cutter) -> Iterable[Section]:
    yield Section("request", "Request", list(_request(data.get("request") or {}, cutter)))
    yield Section("user", "User", _group("", data.get("user"), cutter))
    contexts = (data.get("contexts") or {}).items()
    groups = [(name, _context(context, cutter)) for name, context in contexts if isinstance(context, Mapping)]
    yield Section("contexts", "Context", groups)
    yield Section("extra", "Extra", _group("", data.get("extra"), cutter))
    yield Section("sdk", "SDK and packages", list(_origin(data, cutter)))
    yield Section("notes", "Processing notes", _notes(data.get("errors") or [], cutter))


def _group(heading: str, values: Any, cutter: _Cutter) -> list[tuple[str, Pairs]]:
    return [(heading, cutter.pairs(values))] if isinstance(values, Mapping) and values else []


def _request(request: Mapping[str, Any], cutter: _Cutter) -> Iterable[tuple[str, Pairs]]:
    first = {
        name: request[name] for name in ("method", "url", "query_string", "fragment") if request.get(name)
    }
    yield from _group("", first, cutter)
    for name in ("headers", "cookies", "data", "env"):
        value = request.get(name)
        if isinstance(value, list) and all(isinstance(pair, list) and len(pair) == 2 for pair in value):
            value = {str(pair[0]): pair[1] for pair in value}
        if value:
            yield (
                name.capitalize(),
                _group("", value, cutter)[0][1] if isinstance(value, Mapping) else [("", cutter.text(value))],
            )


def _context(context: Mapping[str, Any], cutter: _Cutter) -> Pairs:
    return cutter.pairs({name: value for name, value in context.items() if name not in PLAIN_CONTEXT})


def _origin(data: Mapping[str, Any], cutter: _Cutter) -> Iterable[tuple[str, Pairs]]:
    sdk = data.get("sdk") or {}
    yield from _group("", {name: sdk[name] for name in ("name", "version") if sdk.get(name)}, cutter)
    if cutter.in_full:
        yield from _group("Packages", data.get("modules"), cutter)


def _notes(found: Sequence[Mapping[str, Any]], cutter: _Cutter) -> list[tuple[str, Pairs]]:
    pairs = [(str(note.get("type", "note")), cutter.text(note.get("name") or note)) for note in found]
    return [("", cutter.some(pairs, MOST_VALUES))] if pairs else []
