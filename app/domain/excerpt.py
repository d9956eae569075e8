"""The few lines of an event that a mail has room for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.domain import stacks

MOST_FRAMES = 8
LONGEST_LINE = 140
LONGEST_MESSAGE = 500


@dataclass(frozen=True, slots=True)
class Frame:
    """Where the code was: `place` is file and line, `code` its source line, if known."""

    place: str
    function: str
    code: str


@dataclass(frozen=True, slots=True)
class Excerpt:
    """`frames` newest first; `left_out` counts the others."""

    message: str
    frames: tuple[Frame, ...]
    left_out: int
    handled: str


def excerpt(data: dict[str, Any]) -> Excerpt:
    """Of an event's regular data; empty parts where the event has none."""
    exceptions = data.get("exception") or []
    last = exceptions[-1] if exceptions else {}
    main = next((each for each in reversed(exceptions) if stacks.frames_of(each)), last)
    frames = stacks.frames_of(main) or stacks.event_frames(data)
    shown = tuple(_frame(frame) for frame in list(reversed(stacks.in_app(frames)))[:MOST_FRAMES])
    message = main.get("value") or (data.get("logentry") or {}).get("formatted") or ""
    handled = (main.get("mechanism") or {}).get("handled")
    return Excerpt(
        message=cut(str(message)),
        frames=shown,
        left_out=len(frames) - len(shown),
        handled="" if handled is None else ("yes" if handled else "no"),
    )


def cut(text: str) -> str:
    """At most 500 characters, and how many more there are."""
    more = len(text) - LONGEST_MESSAGE
    return text if more <= 0 else f"{text[:LONGEST_MESSAGE]}… {more} more characters"


def _frame(frame: Mapping[str, Any]) -> Frame:
    place = str(frame.get("filename") or frame.get("module") or "?")
    line = f":{frame['lineno']}" if frame.get("lineno") else ""
    return Frame(
        place=f"{place}{line}"[-LONGEST_LINE:],
        function=str(frame.get("function") or "")[:LONGEST_LINE],
        code=str(frame.get("context_line") or "").strip()[:LONGEST_LINE],
    )
