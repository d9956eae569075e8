"""Folds an SDK's payload into the one regular form in which events are stored.

Nothing here may fail an event: a member that is wrong is dropped, with a note that names it.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from app.domain import tags, timestamps
from app.domain.exceptions import exceptions, threads, unite
from app.domain.frames import TEMPLATE, stacktrace
from app.domain.logentries import logentry
from app.domain.requests import request, user
from app.domain.scrubbing import NO_SCRUBBER
from app.domain.shapes import (
    Invalid,
    Reading,
    Rule,
    as_text,
    cut,
    freeform_object,
    line,
    listed,
    members,
    message_text,
    objects,
    text,
)
from app.domain.trimming import fit

MAX_BREADCRUMBS = 100
LEVELS = ("fatal", "error", "warning", "info", "debug")

_LEVELS = {level: level for level in LEVELS} | {
    "critical": "fatal",
    "log": "info",
    "warn": "warning",
    "10": "debug",
    "20": "info",
    "30": "warning",
    "40": "error",
    "50": "fatal",
}
_DIST = re.compile(r"[A-Za-z0-9_.-]+", re.ASCII)
_NO_RELEASE = re.compile(r"\.{1,2}|latest|.*[\n\t/\\].*", re.IGNORECASE | re.DOTALL)

_LEGACY = {
    "sentry.interfaces.Exception": "exception",
    "sentry.interfaces.Message": "logentry",
    "sentry.interfaces.Stacktrace": "stacktrace",
    "sentry.interfaces.Http": "request",
    "sentry.interfaces.User": "user",
    "sentry.interfaces.Breadcrumbs": "breadcrumbs",
    "sentry.interfaces.Contexts": "contexts",
    "sentry.interfaces.Template": "template",
}


def normalise(payload: dict[str, Any], reading: Reading) -> dict[str, Any]:
    """The regular members of the event; tags as an object, times still to be judged."""
    data = members(_folded(payload), _EVENT, reading)
    data.setdefault("level", "error")
    data.setdefault("platform", "other")
    if "logentry" not in data and "message" in data:
        data["logentry"] = data["message"]
    data.pop("message", None)
    _adopt_environment(data, reading)
    unite(data)
    return data


def _folded(payload: dict[str, Any]) -> dict[str, Any]:
    """Legacy names under their present ones, where nothing stands there yet."""
    legacy = [name for name in _LEGACY if name in payload]
    if not legacy:
        return payload
    folded = dict(payload)
    for name in legacy:
        value = folded.pop(name)
        if folded.get(_LEGACY[name]) is None:
            folded[_LEGACY[name]] = value
    return folded


def _adopt_environment(data: dict[str, Any], reading: Reading) -> None:
    tagged = data.get("tags", {}).get("environment")
    if tagged and "environment" not in data:
        data |= members({"environment": tagged}, {"environment": _environment}, reading)


def _level(value: Any, _reading: Reading) -> str:
    level = _LEVELS.get(as_text(value).strip().lower())
    if level is None:
        raise Invalid
    return level


def _release(value: Any, _reading: Reading) -> str | None:
    release = as_text(value).strip()
    if _NO_RELEASE.fullmatch(release):
        raise Invalid
    return cut(release, 200) or None


def _environment(value: Any, _reading: Reading) -> str | None:
    environment = as_text(value).strip()
    if "\n" in environment or "/" in environment:
        raise Invalid
    return cut(environment, 64) or None


def _dist(value: Any, _reading: Reading) -> str | None:
    dist = as_text(value).strip()
    if dist and not (_DIST.fullmatch(dist) and len(dist) <= 64):
        raise Invalid
    return dist or None


def _moment(value: Any, reading: Reading) -> str:
    """A time in the one spelling; the SDKs' most frequent spelling is that one already."""
    if reading.clock_shift is None and type(value) is str and len(value) == 27 and value[-1] == "Z":
        try:
            datetime.fromisoformat(value)
            return value
        except ValueError:
            raise Invalid from None
    moment = timestamps.parse(value)
    moment = moment and timestamps.shifted(moment, reading.clock_shift)
    if moment is None:
        raise Invalid
    return timestamps.format(moment)


def _breadcrumbs(value: Any, reading: Reading) -> list[dict[str, Any]] | None:
    return objects(value, _breadcrumb, reading, newest=MAX_BREADCRUMBS) or None


def _breadcrumb(value: dict[str, Any], reading: Reading) -> dict[str, Any]:
    return members(value, _BREADCRUMB, reading)


def _contexts(value: Any, reading: Reading) -> dict[str, Any] | None:
    """Objects by name; whatever a name as such may promise, a context stays an object."""
    kept = _named_members(value, reading)
    for name in [name for name, context in kept.items() if not isinstance(context, dict)]:
        reading.note(name)
        del kept[name]
    cleaned = reading.scrubber.clean_members(kept, 8192)
    return {name: _as_context(context) for name, context in cleaned.items() if context} or None


def _as_context(context: Any) -> dict[str, Any]:
    return context if isinstance(context, dict) else {"value": context}


def _extra(value: Any, reading: Reading) -> dict[str, Any] | None:
    cleaned = reading.scrubber.clean_members(_named_members(value, reading), 16 << 10)
    return fit(cleaned, 256 << 10) or None


def _named_members(value: Any, reading: Reading) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Invalid
    if "" in value:
        reading.note("")
    return {name: member for name, member in value.items() if name and member is not None}


def _modules(value: Any, _reading: Reading) -> dict[str, str] | None:
    if not isinstance(value, dict):
        raise Invalid
    kept = {cut(name, 256): cut(version, 256) for name, version in value.items() if isinstance(version, str)}
    return fit(kept, 8192) or None


def _fingerprint(value: Any, reading: Reading) -> list[str] | None:
    """Texts of any kind; a fraction is cut off, and what is no text is left out."""
    if not isinstance(value, list):
        raise Invalid
    entries = []
    for index, entry in enumerate(value[:64]):
        try:
            entries.append(cut(as_text(int(entry) if type(entry) is float else entry), 1024))
        except (Invalid, OverflowError, ValueError):
            reading.note(str(index))
    return entries or None


def _as_sent(limit: int) -> Rule:
    """A rule for objects that hold nothing of the application's data: only their size is looked at."""

    def rule(value: Any, _reading: Reading) -> Any:
        if not isinstance(value, dict):
            raise Invalid
        return NO_SCRUBBER.clean(value, limit) or None

    return rule


def _problems(value: Any, _reading: Reading) -> list[dict[str, Any]] | None:
    kept = [NO_SCRUBBER.clean(problem, 1024) for problem in listed(value)[:50] if isinstance(problem, dict)]
    return kept or None


def _template(value: Any, reading: Reading) -> dict[str, Any] | None:
    if not isinstance(value, dict):
        raise Invalid
    return members(value, TEMPLATE, reading) or None


_BREADCRUMB: dict[str, Rule] = {
    "timestamp": _moment,
    "type": text(64),
    "category": text(256),
    "level": text(64),
    "message": message_text(8192),
    "data": freeform_object(8192),
}

_EVENT: dict[str, Rule] = {
    "level": _level,
    "platform": text(64),
    "logger": line(64),
    "transaction": text(200),
    "server_name": line(256),
    "release": _release,
    "dist": _dist,
    "environment": _environment,
    "message": logentry,
    "logentry": logentry,
    "exception": exceptions,
    "stacktrace": stacktrace,
    "threads": threads,
    "breadcrumbs": _breadcrumbs,
    "request": request,
    "user": user,
    "contexts": _contexts,
    "tags": tags.custom,
    "extra": _extra,
    "modules": _modules,
    "sdk": _as_sent(8192),
    "debug_meta": _as_sent(64 << 10),
    "fingerprint": _fingerprint,
    "errors": _problems,
    "_meta": _as_sent(64 << 10),
    "checksum": text(200),
    "culprit": text(200),
    "template": _template,
}
