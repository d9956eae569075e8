"""Times as SDKs write them, and how far to believe their clocks."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

AHEAD = timedelta(minutes=1)
BEHIND = timedelta(days=30)
DRIFT = timedelta(minutes=55)

_NUMBER = re.compile(r"[0-9]{1,12}(?:\.[0-9]*)?", re.ASCII)
_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d(?::\d\d)?)(?:[.,](\d*))?)?\s*(?:([Zz])|([+-]\d\d):?(\d\d))?",
    re.ASCII,
)


def parse(value: Any) -> datetime | None:
    """Seconds since 1970 as number or text, or ISO 8601; without a zone it is UTC. None for anything else."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _from_seconds(value)
    if not isinstance(value, str):
        return None
    text = value.strip()
    if _NUMBER.fullmatch(text):
        return _from_seconds(float(text))
    match = _ISO.fullmatch(text)
    return _from_iso(match) if match else None


def format(moment: datetime) -> str:  # noqa: A001 -- read as clock.format
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def drift(sent_at: datetime | None, received_at: datetime) -> timedelta | None:
    """What to add to a client's times, if its clock is off by more than travel and time zones explain."""
    if sent_at is None or abs(received_at - sent_at) < DRIFT:
        return None
    return received_at - sent_at


def shifted(moment: datetime, shift: timedelta | None) -> datetime | None:
    try:
        return moment + shift if shift else moment
    except OverflowError:
        return None


def believable(moment: datetime, received_at: datetime) -> bool:
    return received_at - BEHIND <= moment <= received_at + AHEAD


def _from_seconds(seconds: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds >= 0 else None
    except (OverflowError, ValueError, OSError):
        return None


def _from_iso(match: re.Match[str]) -> datetime | None:
    date, time, fraction, _, hours, minutes = match.groups()
    zone = f"{hours}:{minutes}" if hours else "+00:00"
    micros = f".{fraction[:6]:0<6}" if fraction else ""
    try:
        return datetime.fromisoformat(f"{date}T{time or '00:00'}{micros if time else ''}{zone}").astimezone(
            UTC
        )
    except (ValueError, OverflowError):
        return None
