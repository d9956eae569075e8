"""A check-in as it is sent: by an SDK as an item of an envelope, or by plain URL."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from app.domain import monitors, tolerant_json
from app.domain.envelope import event_id_from
from app.domain.rejections import Malformed

MOST_BYTES = 100 << 10
# What a client may say of a run; the others are found out here.
IN_PROGRESS, OK, ERROR = "in_progress", "ok", "error"
MISSED, TIMEOUT = "missed", "timeout"
SENT = (IN_PROGRESS, OK, ERROR)
BAD = (ERROR, MISSED, TIMEOUT)
LATEST = "0" * 32  # the id that stands for the latest run that is still open
ENVIRONMENT = "production"
LONGEST_ENVIRONMENT = 64
# A hundred days, in milliseconds.
LONGEST_DURATION = 8_640_000_000


@dataclass(frozen=True, slots=True)
class CheckIn:
    """`key` tells one run from another: None where the client has none of its own."""

    slug: str
    name: str
    status: str
    key: str | None = None
    duration: int | None = None  # milliseconds
    environment: str = ENVIRONMENT
    release: str = ""
    config: Any = None


def read(payload: bytes) -> CheckIn | None:
    """None for what nothing can be made of."""
    try:
        given = tolerant_json.read_object(payload, "the check-in")
    except Malformed:
        return None
    slug, status = monitors.slug_of(given.get("monitor_slug")), given.get("status")
    if not slug or status not in SENT:
        return None
    return CheckIn(
        slug=slug,
        name=monitors.name_of(given["monitor_slug"]),
        status=status,
        key=event_id_from(given.get("check_in_id")),
        duration=_milliseconds(given.get("duration")),
        environment=_environment(given.get("environment")),
        release=_line(given.get("release"))[:200],
        config=given.get("monitor_config"),
    )


def from_request(slug: str, query: str, body: bytes) -> dict[str, Any]:
    """What a check-in by URL says, as an SDK would write it; the query goes before the body.

    `Malformed` tells the person at the other end: there is no SDK between.
    """
    given = {**_said(body), **dict(parse_qsl(query))}
    status = given.setdefault("status", OK)
    if status not in SENT:
        raise Malformed(f"status is one of: {', '.join(SENT)}")
    if not monitors.slug_of(slug):
        raise Malformed("the slug needs a letter or a digit")
    if given.get("check_in_id") and event_id_from(given["check_in_id"]) is None:
        raise Malformed("check_in_id is not a UUID")
    known = ("status", "check_in_id", "duration", "environment", "release", "monitor_config")
    return {"monitor_slug": slug, **{name: given[name] for name in known if name in given}}


def _said(body: bytes) -> Mapping[str, Any]:
    text = body.strip()
    if len(text) > MOST_BYTES:
        raise Malformed("the body is too large")
    if text.startswith(b"{"):
        return tolerant_json.read_object(text, "the body")
    return dict(parse_qsl(text.decode("utf-8", "replace")))


def length(milliseconds: int) -> str:
    """How long a run took: "350 ms", "12 s", "4 min 10 s", "2 h 5 min"."""
    if milliseconds < 1000:
        return f"{milliseconds} ms"
    minutes, seconds = divmod(milliseconds // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "min"), (seconds, "s"))
    return " ".join([f"{number:,} {unit}" for number, unit in parts if number][:2])


def _milliseconds(value: Any) -> int | None:
    """Seconds, as number or text."""
    try:
        seconds = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    if isinstance(value, bool) or not math.isfinite(seconds) or seconds < 0:
        return None
    return min(int(seconds * 1000), LONGEST_DURATION)


def _environment(value: Any) -> str:
    """By the rules for those of events; what breaks them is taken as production."""
    name = _line(value)
    return name if name and "/" not in name and len(name) <= LONGEST_ENVIRONMENT else ENVIRONMENT


def _line(value: Any) -> str:
    text = value.strip() if isinstance(value, str) else ""
    return text if text.isprintable() else ""
