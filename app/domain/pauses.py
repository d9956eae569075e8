"""Maintenance windows of a project: when one holds, until when, and how it is said.

A window is from one moment to another, or comes every week at the same times of its zone. Clocks that jump
are reckoned with as in `quiet`: of an hour that comes twice a weekly window takes both.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from app.domain import quiet
from app.domain.errors import Refused
from app.domain.kinds import ALERTS, RULE_CHANGED, WORKFLOW, Kind

SCOPES = {"alerts": "Alerts and regressions", "all": "Every notification of the project"}
DAY, WEEK = timedelta(days=1), timedelta(days=7)
LONGEST = timedelta(days=31)  # of one that comes once
LONGEST_WEEKLY = timedelta(days=6)
# Windows that follow each other without a gap hold at most so long: a test for those that never end.
HORIZON = timedelta(days=90)
REGRESSION = "regression"


@dataclass(frozen=True, slots=True)
class Window:
    """One maintenance window. `starts_at` and `ends_at` are the first time of a weekly one.

    No environment: whichever.
    """

    starts_at: datetime
    ends_at: datetime
    weekly: bool = False
    zone: str = "UTC"
    environment: str | None = None
    scope: str = "alerts"

    def holds_for(self, kind: Kind, environment: str | None) -> bool:
        """Whether notices of this kind, of that environment, wait while it lasts."""
        is_trouble = kind.category == ALERTS or kind.name == REGRESSION
        is_workflow = kind.category == WORKFLOW and kind.name != RULE_CHANGED
        is_meant = is_trouble or (self.scope == "all" and is_workflow)
        return is_meant and self.environment in (None, environment)

    def span_at(self, at: datetime) -> tuple[datetime, datetime] | None:
        """The time that it takes around this moment, if it holds then."""
        found = (span for span in self._spans_near(at) if span[0] <= at < span[1])
        return next(found, None)

    def next_span(self, at: datetime) -> tuple[datetime, datetime] | None:
        """When it holds for the next time, after this moment."""
        return min((span for span in self._spans_near(at) if span[0] > at), default=None)

    def last_span(self, at: datetime) -> tuple[datetime, datetime] | None:
        """When it held the last time, over by this moment."""
        return max((span for span in self._spans_near(at) if span[1] <= at), default=None)

    def is_over(self, at: datetime) -> bool:
        return not self.weekly and self.ends_at <= at

    def _spans_near(self, at: datetime) -> Iterable[tuple[datetime, datetime]]:
        if not self.weekly:
            return ((self.starts_at, self.ends_at),)
        zone = ZoneInfo(self.zone)
        first = self.starts_at.astimezone(zone)
        weeks = (at.astimezone(zone).date() - first.date()).days // 7
        return [self._span(week, zone) for week in range(max(weeks - 1, 0), max(weeks, 0) + 3)]

    def _span(self, week: int, zone: ZoneInfo) -> tuple[datetime, datetime]:
        first, last = (at.astimezone(zone).replace(tzinfo=None) for at in (self.starts_at, self.ends_at))
        day = first.date() + week * WEEK
        minute = first.hour * 60 + first.minute
        length = (last - first) // quiet.MINUTE
        start, _ = quiet.moments(day, minute, zone)
        _, end = quiet.moments(day, minute + length, zone)
        return start, end


def until(windows: Collection[Window], at: datetime) -> datetime | None:
    """When these let go, if one of them holds now. Those that overlap or touch are one."""
    end = at
    while end - at < HORIZON:
        spans = filter(None, (window.span_at(end) for window in windows))
        later = max((last for _, last in spans), default=None)
        if later is None:
            return end if end > at else None
        end = later
    return end


def never_end(windows: Collection[Window]) -> bool:
    """Whether these leave no moment between them, once all of them have begun."""
    begun = max((window.starts_at for window in windows if window.weekly), default=None)
    if begun is None:
        return False
    weekly = [window for window in windows if window.weekly]
    return (until(weekly, begun + WEEK) or begun) - begun > LONGEST


def checked(window: Window, *, now: datetime) -> Window:
    """A window that a project can have; else `Refused`, at the field that is wrong."""
    length = window.ends_at - window.starts_at
    if length <= timedelta(0):
        raise Refused("It has to end after it begins.", field="ends_at")
    if window.is_over(now):
        raise Refused("Choose an end that is still to come.", field="ends_at")
    if window.weekly and length > LONGEST_WEEKLY:
        raise Refused("Six days at most: what is held has to go out every week.", field="ends_at")
    if length > LONGEST:
        raise Refused(f"{LONGEST.days} days at most.", field="ends_at")
    if window.scope not in SCOPES:
        raise Refused("Choose what is held.", field="scope")
    return window


def skipping(window: Window, at: datetime) -> Window | None:
    """The window as it is when this time of it is ended early; None if nothing of it is left.

    A weekly one goes on next week.
    """
    if not window.weekly:
        return None
    upcoming = window.next_span(at)
    if upcoming is None:
        return None
    return Window(*upcoming, True, window.zone, window.environment, window.scope)


def words(window: Window) -> str:
    """ "Sat 22:00 to Sun 02:00 every week", "Mon 23 Nov 2026 22:00 to 23:30", on the clock of its zone."""
    zone = ZoneInfo(window.zone)
    first, last = window.starts_at.astimezone(zone), window.ends_at.astimezone(zone)
    same_day = first.date() == last.date()
    if window.weekly:
        day = "" if same_day else f"{last:%a} "
        return f"{first:%a %H:%M} to {day}{last:%H:%M} every week"
    end = f"{last:%H:%M}" if same_day else _full(last)
    return f"{_full(first)} to {end}"


def _full(local: datetime) -> str:
    return f"{local:%a} {local.day} {local:%b %Y %H:%M}"
