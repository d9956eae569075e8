"""Quiet hours: when they hold, until when, and how they are said.

Windows are on the wall clock of a person's own zone. What the clock skips in spring belongs to no window: one
that would begin or end there begins or ends with the jump. Of an hour that comes twice in autumn a window
takes both: it begins with the first and ends with the last, so that nobody is woken inside their hours.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
DAY = 24 * 60
WEEK = 7 * DAY
MINUTE = timedelta(minutes=1)
# Whoever is never quiet for a whole week still is not, should the clock skip their one free hour in it.
HORIZON = timedelta(days=15)
_TYPED = re.compile(r"([0-9]{1,2}):([0-5][0-9])(?::[0-5][0-9])?")


@dataclass(frozen=True, slots=True)
class Window:
    """From `start` to `end`, in minutes since midnight, beginning on each of `days` (Monday 0).

    One that ends at or before its start ends on the next day: 0 to 0 is a whole day.
    """

    days: frozenset[int]
    start: int
    end: int

    @property
    def minutes(self) -> int:
        return (self.end - self.start) % DAY or DAY

    @property
    def words(self) -> str:
        """ "Mon–Fri 19:00 to 08:00", "Sat and Sun, all day"."""
        if self.start == self.end == 0:
            return f"{_days(self.days)}, all day"
        return f"{_days(self.days)} {clock(self.start)} to {clock(self.end)}"


def quiet_until(windows: Collection[Window], zone: ZoneInfo, now: datetime) -> datetime | None:
    """The moment, in UTC, at which quiet ends; None if it is not quiet now, or would never end.

    Windows that overlap or touch are one: who has Saturday and Sunday hears nothing of midnight.
    """
    until = now
    while until - now < HORIZON:
        ends = [end for start, end in _spans(windows, zone, until) if start <= until < end]
        if not ends:
            return until if until > now else None
        until = max(ends)
    return None


def _spans(windows: Iterable[Window], zone: ZoneInfo, at: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The windows that may hold at a moment: those that begin on its day or on the day before."""
    today = at.astimezone(zone).date()
    for day in (today - timedelta(days=1), today):
        for window in windows:
            if day.weekday() in window.days:
                yield _span(window, day, zone)


def _span(window: Window, day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    first, _ = moments(day, window.start, zone)
    _, last = moments(day, window.start + window.minutes, zone)
    return first, last


def moments(day: date, minute: int, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The first and the last moment at which the clock shows this minute of the day, or jumps over it."""
    shown = datetime.combine(day, time()) + minute * MINUTE
    first, last = (shown.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first <= last:
        return first, last
    jump = _jump(shown, last, first, zone)
    return jump, jump


def _jump(shown: datetime, before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The first moment at which the clock shows something later: what it should show, it skips."""
    while after - before > MINUTE:
        middle = before + (after - before) // MINUTE // 2 * MINUTE
        is_past = middle.astimezone(zone).replace(tzinfo=None) >= shown
        before, after = (before, middle) if is_past else (middle, after)
    return after


def never_ends(windows: Collection[Window]) -> bool:
    """Whether these leave no minute of the week free."""
    spans = sorted(
        (day * DAY + window.start - earlier, day * DAY + window.start + window.minutes - earlier)
        for window in windows
        for day in window.days
        for earlier in (WEEK, 0)  # Sunday's reach into Monday
    )
    covered = 0
    for start, end in spans:
        if start <= covered:
            covered = max(covered, end)
    return covered >= WEEK


def clock(minute: int) -> str:
    """A minute of the day as a clock shows it: 1140 is "19:00"."""
    return f"{minute // 60:02}:{minute % 60:02}"


def minute_of(text: str) -> int | None:
    """The minute of the day that a clock shows so: "19:00" is 1140, and "24:00" midnight."""
    found = _TYPED.fullmatch(text.strip())
    if found is None:
        return None
    minute = int(found[1]) * 60 + int(found[2])
    return minute % DAY if minute <= DAY else None


def _days(days: Collection[int]) -> str:
    """Three days in a row and more are a range: "Mon–Fri", "Sat and Sun", "Mon, Wed and Fri", "Every day"."""
    if len(days) == len(DAY_NAMES):
        return "Every day"
    names: list[str] = []
    for first, last in _runs(sorted(days)):
        ends = [DAY_NAMES[day] for day in dict.fromkeys((first, last))]
        names += [f"{ends[0]}–{ends[1]}"] if last - first > 1 else ends
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _runs(days: Iterable[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for day in days:
        if runs and runs[-1][1] == day - 1:
            runs[-1] = (runs[-1][0], day)
        else:
            runs.append((day, day))
    return runs
