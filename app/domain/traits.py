"""What searches ask of an event beyond its tags: its user, its address, its frames, the machine it ran on.

They are kept by issue, name and value, so that issues are found by them without reading events.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from app.domain.event import Event
from app.domain.shapes import cut
from app.domain.stacks import frames_of, in_app

MAX_LENGTH, MAX_FRAMES = 200, 10

# Members of the event under the names that are searched for.
_USER = {"user.id": "id", "user.email": "email", "user.username": "username", "user.ip": "ip_address"}
_GEO = {"geo.city": "city", "geo.country_code": "country_code", "geo.region": "region"}
_CONTEXTS: Mapping[str, Mapping[str, str]] = {
    "device": {f"device.{name}": name for name in ("arch", "brand", "family", "model", "name")},
    "os": {f"os.{name}": name for name in ("build", "kernel_version", "name", "version")},
    "browser": {f"browser.{name}": name for name in ("name", "version")},
    "runtime": {f"runtime.{name}": name for name in ("name", "version")},
}
_FRAME = {f"stack.{name}": name for name in ("abs_path", "filename", "function", "module", "package")}
KEYS: Sequence[str] = (
    *_USER,
    *_GEO,
    *(name for names in _CONTEXTS.values() for name in names),
    *_FRAME,
    "transaction",
    "url",
    "error.type",
)


def named(family: str) -> tuple[str, ...]:
    """Those whose names begin so."""
    return tuple(key for key in KEYS if key.startswith(f"{family}."))


def of(event: Event, *, is_first: bool) -> set[tuple[str, str]]:
    """Name and value of all that the event has; values are as long as an index can take.

    Events of one issue were grouped by their own frames, so those of the first one stand for all of them,
    unless the client chose the fingerprint.
    """
    found = [*_said(event.data), *(_frames(event.data) if is_first or event.fingerprint else ())]
    return {(name, cut(value, MAX_LENGTH)) for name, value in found if value}


def _said(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    person = data.get("user")
    yield from _members(person, _USER)
    yield from _members(person.get("geo") if isinstance(person, dict) else None, _GEO)
    contexts = data.get("contexts") or {}
    for name, wanted in _CONTEXTS.items():
        yield from _members(contexts.get(name), wanted)
    yield from _members(data, {"transaction": "transaction"})
    yield from _members(data.get("request"), {"url": "url"})
    for exception in data.get("exception") or ():
        yield from _members(exception, {"error.type": "type"})


def _frames(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for holder in data.get("exception") or (dict(data),):
        for frame in in_app(frames_of(holder))[-MAX_FRAMES:]:
            yield from _members(frame, _FRAME)


def _members(holder: Any, wanted: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if isinstance(holder, dict):
        for name, member in wanted.items():
            value = holder.get(member)
            if isinstance(value, str):
                yield name, value
            elif isinstance(value, int | float) and not isinstance(value, bool):
                yield name, str(value)
