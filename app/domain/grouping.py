"""Which events are one issue: a hash over what stays the same each time an error happens, and why.

The version goes up with every change that gives known events other hashes. Old hashes stay with their issues.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.domain.frame_parts import is_url, part_of
from app.domain.parameterising import parameterised
from app.domain.shapes import cut
from app.domain.stacks import (
    JAVASCRIPT,
    NATIVE,
    Data,
    Frame,
    event_frames,
    frames_of,
    gathered,
    in_app,
    is_synthetic,
)

VERSION = 1

_VARIABLE = re.compile(r"\{\{\s*([\w.\-:]{1,220})\s*\}\}")
_MAX_EXPLANATION = 500
_MAX_VALUE = 1024


@dataclass(frozen=True, slots=True)
class Grouping:
    hash: str
    explanation: str
    version: int = VERSION


@dataclass(frozen=True, slots=True)
class _Variant:
    """One way to recognise an event: its name in words, and the texts that are hashed."""

    name: str
    parts: tuple[str, ...]

    def grouping(self) -> Grouping:
        shown = "; ".join(part.replace("\n", " ") for part in self.parts)
        shown = f"{self.name}: {shown}" if shown else self.name
        return Grouping(_digest((self.name, *self.parts)), shown[:_MAX_EXPLANATION])


def group(data: Data) -> Grouping:
    """The client's fingerprint first, else the first variant that has anything to go by."""
    default = _default(data)
    fingerprint = data.get("fingerprint")
    return _by_fingerprint(fingerprint, default, data) if fingerprint else default


def main_exception(data: Data) -> Data | None:
    """The exception that names the issue: the last, or the one that an exception group is all about."""
    raised = data.get("exception") or []
    if not raised:
        return None
    distinct = {tuple(_exception_parts(each, data["platform"])): each for each in gathered(raised)}
    return next(iter(distinct.values())) if len(distinct) == 1 else raised[-1]


def crash_frame(data: Data, frames: list[Frame]) -> Frame | None:
    """The newest frame of the application that says where it is."""
    located = [frame for frame in in_app(frames) if frame.get("module") or frame.get("filename")]
    return located[-1] if located else None


def _default(data: Data) -> Grouping:
    variants = (variant for find in _VARIANTS if (variant := find(data)))
    return next(variants, _Variant("nothing to tell events apart", ())).grouping()


def _by_fingerprint(entries: list[str], default: Grouping, data: Data) -> Grouping:
    if len(entries) == 1 and _stands_for_default(entries[0]):
        return default
    values = _Values(data, default)
    filled, shown = [], []
    for entry in entries:
        text = _VARIABLE.sub(lambda match: values[match[1]] or match[0], entry)
        filled.append(default.hash if _stands_for_default(entry) else text)
        shown.append(default.explanation if _stands_for_default(entry) else text)
    explanation = "fingerprint of the client: " + "; ".join(shown)
    return Grouping(_digest(("fingerprint", *filled)), explanation[:_MAX_EXPLANATION])


def _stands_for_default(entry: str) -> bool:
    match = _VARIABLE.fullmatch(entry.strip())
    return match is not None and match[1] == "default"


class _Values(dict[str, str | None]):
    """What the variables of a fingerprint stand for, each looked for once; None for an unknown one."""

    def __init__(self, data: Data, default: Grouping) -> None:
        super().__init__({"default": default.hash})
        self._data = data

    def __missing__(self, name: str) -> str | None:
        self[name] = value = self._find(name)
        return value

    def _find(self, name: str) -> str | None:
        if name.startswith("tags."):
            tag: str | None = self._data.get("tags", {}).get(name[5:])
            return tag or f"<no-value-for-tag-{name[5:]}>"
        short = name.removeprefix("error.").removeprefix("stack.")
        if short not in _VARIABLES:
            return None
        return cut(str(_VARIABLES[short](self._data) or f"<no-{short.replace('_', '-')}>"), _MAX_VALUE)


def _of_exception(member: str) -> Callable[[Data], Any]:
    return lambda data: (main_exception(data) or {}).get(member)


def _of_frame(member: str) -> Callable[[Data], Any]:
    def find(data: Data) -> Any:
        main = main_exception(data)
        frame = crash_frame(data, frames_of(main) if main else event_frames(data))
        return (frame or {}).get(member)

    return find


def _of_event(member: str) -> Callable[[Data], Any]:
    return lambda data: data.get(member)


def _message(data: Data) -> str | None:
    formatted: str | None = data.get("logentry", {}).get("formatted")
    return formatted or (main_exception(data) or {}).get("value")


_VARIABLES: dict[str, Callable[[Data], Any]] = {
    **{name: _of_exception(name) for name in ("type", "value")},
    **{name: _of_frame(name) for name in ("function", "module", "package", "abs_path", "filename")},
    **{name: _of_event(name) for name in ("transaction", "level", "logger", "release", "environment")},
    "message": _message,
}


def _checksum(data: Data) -> _Variant | None:
    checksum = data.get("checksum")
    return _Variant("checksum of the client", (checksum,)) if checksum else None


def _exceptions(data: Data) -> _Variant | None:
    raised = data.get("exception")
    if not raised:
        return None
    platform = data["platform"]
    if leaves := gathered(raised):
        parts = sorted({"\n".join(_exception_parts(each, platform)) for each in leaves})
        return _Variant("exceptions of a group", tuple(parts))
    stacks = [_stack_parts(frames_of(each), platform) for each in raised]
    any_stack = any(stacks)
    parts = [
        part
        for each, stack in zip(raised, stacks, strict=True)
        for part in (
            [each["type"]] if any_stack and not stack and "type" in each else _told(each, stack, platform)
        )
    ]
    return _Variant("exception with its stack" if any_stack else "exception without a stack", tuple(parts))


def _stack(data: Data) -> _Variant | None:
    parts = _stack_parts(event_frames(data), data["platform"])
    if not parts:
        return None
    message = _message_template(data)
    return _Variant("message and stack" if message else "stack", (*([message] if message else ()), *parts))


def _template(data: Data) -> _Variant | None:
    template = data.get("template", {})
    parts = tuple(template[name].strip() for name in ("filename", "context_line") if template.get(name))
    return _Variant("template", parts) if parts else None


def _text(data: Data) -> _Variant | None:
    message = _message_template(data)
    return _Variant("message", (message,)) if message else None


_VARIANTS = (_checksum, _exceptions, _stack, _template, _text)


def _message_template(data: Data) -> str:
    entry = data.get("logentry", {})
    return parameterised(entry.get("message") or entry.get("formatted") or "")


def _exception_parts(exception: Data, platform: str) -> list[str]:
    return _told(exception, _stack_parts(frames_of(exception), platform), platform)


def _told(exception: Data, stack: list[str], platform: str) -> list[str]:
    """Type and stack; the value only where they would say too little."""
    synthetic = is_synthetic(exception)
    kind, value = exception.get("type"), exception.get("value")
    parts = [kind] if kind and not synthetic else []
    parts += stack
    weak = synthetic or not kind
    if value and (not stack or (weak and platform not in NATIVE)):
        parts.append(parameterised(value))
    return parts or [kind or ""]


def _stack_parts(frames: list[Frame], platform: str) -> list[str]:
    counting = _without_recursion(in_app(frames))
    if len(counting) == 1 and _is_nameless_script(counting[0], platform):
        return []
    return [str(part) for frame in counting if any(part := part_of(frame, platform))]


def _without_recursion(frames: list[Frame]) -> list[Frame]:
    kept: list[Frame] = []
    before = None
    for frame in frames:
        get = frame.get
        here = (
            get("lineno"),
            get("function"),
            get("filename"),
            get("module"),
            get("colno"),
            get("abs_path"),
        )
        if here != before:
            kept.append(frame)
        before = here
    return kept


def _is_nameless_script(frame: Frame, platform: str) -> bool:
    platform = frame.get("platform") or platform
    return (
        platform in JAVASCRIPT
        and is_url(frame.get("abs_path") or "")
        and not part_of(frame, platform).function
    )


def _digest(parts: tuple[str, ...]) -> str:
    text = "\0".join(parts).encode("utf-8", "replace")
    return hashlib.md5(text, usedforsecurity=False).hexdigest()
