"""Makes exceptions and threads regular, and brings stray stacks to the exceptions they belong to."""

from __future__ import annotations

from typing import Any

from app.domain.frames import stacktrace
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
from app.domain.trimming import as_json

MAX_EXCEPTIONS = 50
MAX_THREADS = 250


def exceptions(value: Any, reading: Reading) -> list[dict[str, Any]] | None:
    """Oldest first. What has neither a type nor a value says nothing and is left out."""
    return objects(value, _exception, reading, newest=MAX_EXCEPTIONS) or None


def threads(value: Any, reading: Reading) -> list[dict[str, Any]] | None:
    return objects(value, _thread, reading, newest=MAX_THREADS) or None


def unite(data: dict[str, Any]) -> None:
    """One exception without a stack gets the event's own, or that of the only thread that crashed."""
    raised = data.get("exception")
    if not raised or len(raised) != 1 or "stacktrace" in raised[0]:
        return
    if "stacktrace" in data:
        raised[0]["stacktrace"] = data.pop("stacktrace")
        return
    crashed = [
        each["stacktrace"] for each in data.get("threads", ()) if each.get("crashed") and "stacktrace" in each
    ]
    if len(crashed) == 1:
        raised[0]["stacktrace"] = crashed[0]


def _exception(value: dict[str, Any], reading: Reading) -> dict[str, Any] | None:
    regular = members(value, _EXCEPTION, reading)
    return regular if "type" in regular or "value" in regular else None


def _thread(value: dict[str, Any], reading: Reading) -> dict[str, Any]:
    return members(value, _THREAD, reading)


def _value(value: Any, reading: Reading) -> str | None:
    if not isinstance(value, (str, int, float)):
        value = as_json(reading.scrubber.clean(value, 8192))
    return cut(reading.scrubber.prose(str(value)), 8192) or None


def _mechanism(value: Any, reading: Reading) -> dict[str, Any] | None:
    if not isinstance(value, dict):
        raise Invalid
    return members(value, _MECHANISM, reading) or None


_MECHANISM: dict[str, Rule] = {
    "type": text(256),
    "handled": flag,
    "synthetic": flag,
    "description": text(1024),
    "help_link": text(1024),
    "data": freeform_object(4096),
    "meta": freeform_object(4096),
    "exception_id": number,
    "parent_id": number,
    "source": text(256),
    "is_exception_group": flag,
}

_EXCEPTION: dict[str, Rule] = {
    "type": text(256),
    "value": _value,
    "module": text(256),
    "thread_id": text(64),
    "mechanism": _mechanism,
    "stacktrace": stacktrace,
}

_THREAD: dict[str, Rule] = {
    "id": text(64),
    "name": text(256),
    "crashed": flag,
    "current": flag,
    "main": flag,
    "state": text(64),
    "stacktrace": stacktrace,
}
