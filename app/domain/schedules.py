"""When a job is due next: a crontab in its time zone, or an interval since it was last heard of."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from itertools import islice
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

CRONTAB, INTERVAL = "crontab", "interval"
UNITS = ("minute", "hour", "day", "week", "month", "year")
LONGEST = 100
# Of what was missed while nobody looked, the latest are kept.
MOST_MISSED = 10
# A clock that runs ahead lets a job report before its time: that report is still for this time.
EARLY = timedelta(seconds=30)

_NICKNAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_LENGTHS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1)}
_MOST = {"minute": 525_600, "hour": 8_760, "day": 365, "week": 52, "month": 12, "year": 1}
_INTERVAL = re.compile(rf"([1-9][0-9]{{0,5}}) ({'|'.join(UNITS)})", re.ASCII)
_SOME_DAY = datetime(2024, 1, 1, tzinfo=UTC)


class BadSchedule(Exception):
    """Says what is wrong with a schedule, for the person who wrote it."""


class BadZone(BadSchedule):
    """It is its time zone that is wrong."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """`text` is a crontab of five fields, or a number and a unit: "10 minute"."""

    kind: str
    text: str
    zone: str = "UTC"

    @property
    def words(self) -> str:
        if self.kind == INTERVAL:
            number, unit = self.interval
            return f"Every {unit}" if number == 1 else f"Every {number:,} {unit}s"
        said = CronSim(_plain(self.text), _SOME_DAY).explain()
        return f"{said}, {self.zone}"

    @property
    def interval(self) -> tuple[int, str]:
        number, _, unit = self.text.partition(" ")
        return int(number), unit

    def after(self, at: datetime) -> datetime | None:
        """The next time; None where there is none any more."""
        try:
            if self.kind == INTERVAL:
                return _later(at, *self.interval, ZoneInfo(self.zone))
            local = at.astimezone(ZoneInfo(self.zone))
            times = (found.astimezone(UTC) for found in CronSim(_plain(self.text), local))
            # Of an hour that comes twice in autumn the first is named, be it over already.
            return next(found for found in times if found > at)
        except (StopIteration, OverflowError, ValueError):
            return None

    def latest(self, at: datetime, count: int) -> datetime | None:
        """The time so many before that moment, of a crontab; None where there were not as many."""
        local = at.astimezone(ZoneInfo(self.zone))
        try:
            times = islice(CronSim(_plain(self.text), local, reverse=True), count - 1, count)
            return next(times).astimezone(UTC)
        except (StopIteration, OverflowError, ValueError):
            return None

    def following(self, at: datetime) -> Iterator[datetime]:
        found = self.after(at)
        while found is not None:
            yield found
            found = self.after(found)

    def expected_after(self, at: datetime) -> datetime | None:
        """When the next report is expected after one at that moment, which may be early for its own time."""
        if self.kind == INTERVAL:
            return self.after(at)
        times = list(islice(self.following(at), 2))
        if len(times) == 2 and times[0] - at <= min(EARLY, (times[1] - times[0]) / 10):
            return times[1]
        return times[0] if times else None


def checked(kind: str, text: str, zone: str = "UTC") -> Schedule:
    """The schedule, if it can ever be due; `BadSchedule` says why not. Only what is short is remembered."""
    if zone not in _zones():
        raise BadZone(f"“{zone[:64]}” is no time zone. Use a name such as Europe/Berlin.")
    if kind not in (INTERVAL, CRONTAB):
        raise BadSchedule("A schedule is a crontab or an interval.")
    text = " ".join(text.split())
    if len(text) > LONGEST:
        raise BadSchedule(f"A schedule has at most {LONGEST} characters.")
    return _checked(kind, text, zone)


@lru_cache(maxsize=1024)
def _checked(kind: str, text: str, zone: str) -> Schedule:
    if kind == INTERVAL:
        _check_interval(text)
    else:
        _check_crontab(text)
    return Schedule(kind, text, zone)


def missed(
    schedule: Schedule, expected: datetime, margin: timedelta, until: datetime
) -> tuple[list[datetime], datetime | None]:
    """The times from `expected` on that nobody reported in for, as known at `until`; and the next one."""
    lost: list[datetime] = []
    at: datetime | None = _near(schedule, expected, until - margin)
    while at is not None and at + margin <= until:
        lost.append(at)
        at = schedule.after(at)
    return lost[-MOST_MISSED:], at


def _near(schedule: Schedule, expected: datetime, end: datetime) -> datetime:
    """One of the times from `expected` on, so late that few more come before the end."""
    if schedule.kind == CRONTAB:
        latest = schedule.latest(end + timedelta(seconds=1), MOST_MISSED)
        return max(expected, latest) if latest else expected
    number, unit = schedule.interval
    if unit not in _LENGTHS:
        return expected
    length = number * _LENGTHS[unit]
    return expected + max(0, (end - expected) // length - MOST_MISSED) * length


def _check_interval(text: str) -> None:
    match = _INTERVAL.fullmatch(text)
    if match is None:
        raise BadSchedule(f"An interval is a whole number of {', '.join(UNITS[:-1])} or {UNITS[-1]}.")
    if int(match[1]) > _MOST[match[2]]:
        raise BadSchedule("An interval is at most a year.")


def _check_crontab(text: str) -> None:
    plain = _plain(text)
    if len(plain.split()) != 5:
        raise BadSchedule("A crontab has five fields: minute, hour, day of month, month, day of week.")
    try:
        next(CronSim(plain, _SOME_DAY))
    except CronSimError as error:
        raise BadSchedule(f"“{text}” is no crontab: {str(error).lower()}.") from None
    except StopIteration:
        raise BadSchedule(f"“{text}” names a day that never comes.") from None


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _plain(text: str) -> str:
    return _NICKNAMES.get(text.lower(), text)


def _later(at: datetime, number: int, unit: str, zone: ZoneInfo) -> datetime:
    """Days and more keep the time of day of the zone: a day may have 23 hours."""
    if unit in _LENGTHS:
        return at + number * _LENGTHS[unit]
    local = at.astimezone(zone)
    if unit in ("day", "week"):
        moved = local.replace(tzinfo=None) + timedelta(days=number * (7 if unit == "week" else 1))
        return moved.replace(tzinfo=zone).astimezone(UTC)
    months = local.month - 1 + number * (12 if unit == "year" else 1)
    year, month = local.year + months // 12, months % 12 + 1
    day = min(local.day, calendar.monthrange(year, month)[1])
    return local.replace(year=year, month=month, day=day).astimezone(UTC)
