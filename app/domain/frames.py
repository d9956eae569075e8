"""Makes stack traces regular: file names, sizes, and which frames keep their source and variables."""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from app.domain.shapes import (
    Invalid,
    Reading,
    Rule,
    cut,
    flag,
    freeform_object,
    members,
    number,
    objects,
    text,
)

MAX_FRAMES = 250
MAX_FULL_FRAMES = 50
_MAX_LINE = 1024
_MAX_CONTEXT_LINES = 20
_URL_SCHEMES = ("http:", "https:", "file:", "applewebdata:")
_HEAVY = ("vars", "pre_context", "post_context")


def stacktrace(value: Any, reading: Reading) -> dict[str, Any] | None:
    """Frames, oldest first, in an object; without any usable frame there is no stack trace."""
    if isinstance(value, list):
        value = {"frames": value}
    if not isinstance(value, dict):
        raise Invalid
    regular = members(value, _STACKTRACE, reading)
    return regular if regular.get("frames") else None


def _frames(value: Any, reading: Reading) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        raise Invalid
    frames: list[dict[str, Any]] = objects(value, _frame, reading, newest=MAX_FRAMES)
    if len(frames) > MAX_FULL_FRAMES:
        lighten(frames)
    return frames


def lighten(frames: list[dict[str, Any]]) -> None:
    """Only so many frames keep all they have: the outermost, the innermost and those of the application."""
    middle = len(frames) / 2
    order = sorted(range(len(frames)), key=lambda i: (frames[i].get("in_app") is True, abs(i - middle)))
    for index in order[: len(frames) - MAX_FULL_FRAMES]:
        for name in _HEAVY:
            frames[index].pop(name, None)


def _frame(value: dict[str, Any], reading: Reading) -> dict[str, Any]:
    frame = members(value, _FRAME, reading)
    filename, abs_path = frame.get("filename"), frame.get("abs_path")
    if abs_path is None and filename is not None:
        frame["abs_path"], frame["filename"] = filename, _filename(filename)
    elif filename is None and abs_path is not None:
        frame["filename"] = _filename(abs_path)
    return frame


@lru_cache(maxsize=4096)
def _filename(location: str) -> str:
    """The path of a URL, and anything else as it is."""
    if not location.startswith(_URL_SCHEMES):
        return cut(location, 256)
    try:
        return cut(urlsplit(location).path, 256) or location[:256]
    except ValueError:
        return cut(location, 256)


def _source_line(value: Any, _reading: Reading) -> str:
    if not isinstance(value, str):
        raise Invalid
    return cut(value, _MAX_LINE)


def _source_lines(value: Any, _reading: Reading) -> list[str] | None:
    if not isinstance(value, list):
        raise Invalid
    lines = value[:_MAX_CONTEXT_LINES]
    return [line if type(line) is str and len(line) <= _MAX_LINE else _line(line) for line in lines] or None


def _line(value: Any) -> str:
    return cut(value, _MAX_LINE) if isinstance(value, str) else ""


def _variables(value: Any, reading: Reading) -> Any:
    """raven for some languages sends a list of pairs."""
    if isinstance(value, list):
        value = {str(pair[0]): pair[1] for pair in value if isinstance(pair, list) and len(pair) == 2}
    return _SMALL(value, reading)


_SMALL = freeform_object(2048)
_NAME = text(256)

_FRAME: dict[str, Rule] = {
    "filename": _NAME,
    "abs_path": text(2048),
    "module": _NAME,
    "function": _NAME,
    "raw_function": _NAME,
    "lineno": number,
    "colno": number,
    "context_line": _source_line,
    "pre_context": _source_lines,
    "post_context": _source_lines,
    "in_app": flag,
    "vars": _variables,
    "package": _NAME,
    "platform": text(64),
    "instruction_addr": text(64),
    "symbol_addr": text(64),
    "image_addr": text(64),
    "addr_mode": text(64),
    "source_link": text(1024),
    "lock": freeform_object(2048),
    "stack_start": flag,
}

_STACKTRACE: dict[str, Rule] = {"frames": _frames, "registers": freeform_object(2048)}

TEMPLATE: dict[str, Rule] = {
    name: _FRAME[name]
    for name in ("filename", "abs_path", "lineno", "colno", "context_line", "pre_context", "post_context")
}
