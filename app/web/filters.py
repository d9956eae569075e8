"""Jinja filters: how times, numbers and names read on pages and in mails."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask, has_request_context
from flask_login import current_user

from app.domain import addresses, ignoring

MINUTE, HOUR, DAY = 60, 3600, 86400
SPANS = (  # the first span shorter than its limit names the age
    (HOUR, MINUTE, "min"),
    (DAY, HOUR, "hour"),
    (14 * DAY, DAY, "day"),
    (60 * DAY, 7 * DAY, "week"),
    (730 * DAY, 30 * DAY, "month"),
)
SPARK_HEIGHT = 12


def ago(at: datetime, now: datetime | None = None) -> str:
    """How long ago, in the words of one glance; "in 5 min" for what is still to come."""
    seconds = ((now or datetime.now(UTC)) - at).total_seconds()
    if abs(seconds) < MINUTE:
        return "just now" if seconds >= 0 else "in a moment"
    span = _span(abs(seconds))
    return f"{span} ago" if seconds > 0 else f"in {span}"


def to_come(at: datetime | None) -> bool:
    """Whether a moment is still ahead; none is not."""
    return at is not None and at > datetime.now(UTC)


def _span(seconds: float) -> str:
    for limit, unit, word in SPANS:
        if seconds < limit:
            count = int(seconds // unit)
            return f"{count} {word}" if word == "min" else plural(count, word)
    return plural(int(seconds // (365 * DAY)), "year")


def exact(at: datetime, zone: str | None = None) -> str:
    """The moment to the second, in `zone` or the reader's: "Mon 23 Nov 2026 09:14:03 CET"."""
    local = at.astimezone(ZoneInfo(zone or _reader_zone()))
    return f"{local:%a} {local.day} {local:%b %Y %H:%M:%S %Z}"


def moment(at: datetime) -> str:
    """A moment of these days, to the minute: "Mon 23 Nov 09:14 CET"."""
    return ignoring.moment(at, _reader_zone())


def second(at: datetime) -> str:
    """One of many moments of these days, to the second: "Mon 23 Nov 09:14:03 CET"."""
    local = at.astimezone(ZoneInfo(_reader_zone()))
    return f"{local:%a} {local.day} {local:%b %H:%M:%S %Z}"


def clock(at: datetime, zone: str | None = None, now: datetime | None = None) -> str:
    """A moment in a list: "09:14" today, "3 Nov" this year, "3 Nov 2024" before."""
    here = ZoneInfo(zone or _reader_zone())
    local, today = at.astimezone(here), (now or datetime.now(UTC)).astimezone(here)
    if local.date() == today.date():
        return f"{local:%H:%M}"
    return f"{local.day} {local:%b}" if local.year == today.year else f"{local.day} {local:%b %Y}"


def _reader_zone() -> str:
    # Mails are rendered outside a request, for a reader whose zone the template names.
    return str(getattr(current_user, "timezone", "UTC")) if has_request_context() else "UTC"


def compact(number: int) -> str:
    """Exact below a thousand, then 1.2k, 34k, 5.6m; pages keep the exact value in a title."""
    for size, suffix in ((1_000_000, "m"), (1_000, "k")):
        if number >= size:
            tenths = number * 10 // size
            return f"{tenths / 10:g}{suffix}" if tenths < 100 else f"{tenths // 10}{suffix}"
    return str(number)


def grouped(number: int) -> str:
    """Every digit, in threes: 12,345."""
    return f"{number:,}"


def plural(number: int, one: str, many: str | None = None) -> str:
    """The number with its noun: "1 event", "2 people"."""
    return f"{grouped(number)} {one if number == 1 else many or one + 's'}"


def initials(name: str) -> str:
    """Two letters for an avatar, from a name or an address."""
    words = name.partition("@")[0].replace(".", " ").replace("-", " ").replace("_", " ").split()
    if not words:
        return "?"
    last = words[-1][0] if len(words) > 1 else words[0][1:2]
    return (words[0][0] + last).upper()


def skyline(points: Sequence[int]) -> str:
    """An SVG path over `points`, two units wide each: what happened at all is at least one unit tall."""
    top = max(points, default=0) or 1
    heights = [-(-point * SPARK_HEIGHT // top) for point in points]
    path, level, run = [], 0, 0
    for height in heights:
        if height != level:
            path.append(f"h{run}" * (run > 0) + f"v{level - height}")
            level, run = height, 0
        run += 2
    return f"M0 {SPARK_HEIGHT}{''.join(path)}h{run}v{level}z"


def ignored_until(condition: Mapping[str, Any] | None) -> str:
    """Until when an activity says that an issue is ignored, on the reader's clock."""
    return ignoring.words(ignoring.condition_of(condition), zone=_reader_zone())


def why_ended(ended: Mapping[str, Any]) -> str:
    """Why an activity says that an ignore ended."""
    found = ignoring.ended_of(ended)
    return ignoring.ended_words(found, zone=_reader_zone()) if found else ""


def span_of_hours(hours: int) -> str:
    """So many hours in the words of a setting: "14 days", "1 day", "36 hours"."""
    return plural(hours // 24, "day") if hours % 24 == 0 else plural(hours, "hour")


FILTERS = {
    each.__name__: each
    for each in (
        ago,
        to_come,
        exact,
        moment,
        second,
        clock,
        compact,
        grouped,
        plural,
        initials,
        skyline,
        ignored_until,
        why_ended,
        span_of_hours,
    )
}


def init_app(app: Flask) -> None:
    """Give every template these filters and tests."""
    app.jinja_env.filters.update(FILTERS)
    app.jinja_env.tests["mail_address"] = addresses.is_one
