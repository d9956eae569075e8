"""The few lines of an event that a mail has room for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from app.domain import phrases, stacks

MOST_FRAMES = 8
LONGEST_LINE = 140
LONGEST_MESSAGE = 500
LONGEST_TRAIT = 80


@dataclass(frozen=True, slots=True)
class Frame:
    """Where the code was: `place` is file and line, `code` its source line, if known."""

    place: str
    function: str
    code: str


@dataclass(frozen=True, slots=True)
class Excerpt:
    """`frames` newest first; `left_out` counts the others, `own_left_out` those of them that are your code.

    `traits` are what else tells one event from another, as name and value.
    """

    message: str
    frames: tuple[Frame, ...]
    left_out: int
    own_left_out: int = 0
    traits: tuple[tuple[str, str], ...] = ()

    def shortened(self, most: int) -> "Excerpt":
        """This excerpt with at most so many frames."""
        dropped = len(self.frames) - most
        if dropped <= 0:
            return self
        return replace(self, frames=self.frames[:most], left_out=self.left_out + dropped, own_left_out=0)


def excerpt(data: dict[str, Any]) -> Excerpt:
    """Of an event's regular data; empty parts where the event has none."""
    exceptions = data.get("exception") or []
    last = exceptions[-1] if exceptions else {}
    main = next((each for each in reversed(exceptions) if stacks.frames_of(each)), last)
    frames = stacks.frames_of(main) or stacks.event_frames(data)
    own = stacks.in_app(frames)
    shown = tuple(_frame(frame) for frame in list(reversed(own))[:MOST_FRAMES])
    message = main.get("value") or (data.get("logentry") or {}).get("formatted") or ""
    return Excerpt(
        message=cut(str(message)),
        frames=shown,
        left_out=len(frames) - len(shown),
        own_left_out=len(own) - len(shown) if len(own) < len(frames) else 0,
        traits=tuple((name, value) for name, value in _traits(data, main) if value),
    )


def _traits(data: Mapping[str, Any], main: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    tags = dict(data.get("tags") or ())
    handled = (main.get("mechanism") or {}).get("handled")
    user = data.get("user") or {}
    yield "Browser", _short(tags.get("browser"))
    yield "URL", _short(_path((data.get("request") or {}).get("url")))
    yield "User", _short(user.get("id") or user.get("username") or user.get("email"))
    monitor = (data.get("contexts") or {}).get("monitor") or {}
    yield "Expected", _short(monitor.get("expected"))
    yield "Schedule", _short(monitor.get("schedule"))
    yield "Handled", "" if handled is None else ("yes" if handled else "no")


def _path(url: object) -> str:
    """Without the query: what people typed is nobody's business in a mail."""
    try:
        parts = urlsplit(str(url or ""))
    except ValueError:
        return ""
    return parts.path or parts.netloc


def _short(value: object) -> str:
    text = phrases.one_line(str(value or ""))
    return text if len(text) <= LONGEST_TRAIT else f"{text[:LONGEST_TRAIT]}…"


def cut(text: str) -> str:
    """At most 500 characters, and how many more there are."""
    more = len(text) - LONGEST_MESSAGE
    return text if more <= 0 else f"{text[:LONGEST_MESSAGE]}… {more:,} more characters"


def _frame(frame: Mapping[str, Any]) -> Frame:
    place = phrases.one_line(str(frame.get("filename") or frame.get("module") or "?"))
    line = f":{frame['lineno']}" if frame.get("lineno") else ""
    return Frame(
        place=f"{place}{line}"[-LONGEST_LINE:],
        function=phrases.one_line(str(frame.get("function") or ""))[:LONGEST_LINE],
        code=_code(str(frame.get("context_line") or ""))[:LONGEST_LINE],
    )


def _code(line: str) -> str:
    """The first line of what stands there, its inner spaces as they are."""
    return next(iter(line.strip().splitlines()), "")
