"""An event's exceptions with their frames as its page shows them, in plain text."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.domain import stacks
from app.web.issues.room import LONG, MOST_EXCEPTIONS, MOST_OPEN, Pairs, Room


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
    minified: str = ""  # what it was before its source map said more

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


def raised(data: Mapping[str, Any], room: Room) -> Sequence[Raised]:
    """The exception that reached the top first, its causes below it; else the stack of the event itself."""
    exceptions = list(reversed(data.get("exception") or []))
    if not exceptions:
        frames = stacks.event_frames(dict(data))
        return [_stack("", "", False, frames, room)] if frames else []
    return [
        _stack(
            str(each.get("type") or ""),
            room.text(each.get("value") or ""),
            stacks.mechanism(each).get("handled") is False,
            stacks.frames_of(each),
            room,
        )
        for each in room.some(exceptions, MOST_EXCEPTIONS)
    ]


def _stack(type_: str, value: str, unhandled: bool, found: Sequence[Mapping[str, Any]], room: Room) -> Raised:
    newest_first = list(reversed(found))
    shown = room.frames(newest_first)
    frames = [_frame(each) for each in shown]
    # The application's own frames have the first claim on the room there is.
    for frame, source in sorted(zip(frames, shown, strict=True), key=lambda pair: not pair[0].is_own):
        _unfold(frame, source, room)
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
        minified=_minified(frame.get("raw") or {}),
    )


def _minified(raw: Mapping[str, Any]) -> str:
    if not raw:
        return ""
    file = str(raw.get("abs_path") or raw.get("filename"))[-200:]
    return f"{file}:{raw.get('lineno')}:{raw.get('colno')} in {raw.get('function') or '?'}"


def _unfold(frame: Frame, source: Mapping[str, Any], room: Room) -> None:
    lines = list(_lines(source))
    found = source.get("vars") or {}
    variables = [(str(name), room.cut(value, LONG)) for name, value in found.items()]
    full = Frame(frame.place, frame.function, frame.is_own, lines=lines, variables=variables)
    if full.size and room.has_room_for_source(full.size):
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
