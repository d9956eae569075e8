"""What ends an ignore by itself: conditions, whether one is met, and their words (`notifications.md` 2.3)."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.domain.errors import Refused

HOUR, DAY, WEEK = 60, 1440, 10_080  # minutes
LONGEST_WINDOW, MOST = WEEK, 1_000_000_000
LONGEST = timedelta(days=3653)
# "Until it gets worse": a limit for an hour, of at least this, or so many times the busiest hour of late.
LOWEST_LIMIT, TIMES_BUSIEST, BUSIEST_OF_DAYS = 10, 3, 7
MORNING = time(9)
# Two clicks on "for an hour" within this are one.
SAME_MOMENT = timedelta(minutes=1)

EVENTS, USERS, UNTIL = "events", "users", "until"
FOR_EVER = "until somebody says otherwise"
_WINDOWS = {HOUR: "an hour", DAY: "a day", WEEK: "a week", 1: "a minute"}


@dataclass(frozen=True, slots=True)
class Condition:
    """What ends an ignore; where there are several, the first that is met. Windows are minutes.

    `worse_than` is the limit of "until it gets worse": the same as one event more within an hour, in words
    that people can repeat.
    """

    until: datetime | None = None
    event_count: int | None = None
    event_window: int | None = None
    user_count: int | None = None
    user_window: int | None = None
    worse_than: int | None = None

    def equals(self, other: "Condition | None") -> bool:
        """Whether a person would call it the same."""
        if other is None or self._counts() != other._counts():
            return False
        if self.until is None or other.until is None:
            return self.until == other.until
        return abs(self.until - other.until) < SAME_MOMENT

    def _counts(self) -> tuple[int | None, ...]:
        return tuple(getattr(self, each.name) for each in fields(self) if each.name != UNTIL)


@dataclass(frozen=True, slots=True)
class Counts:
    """How often an ignored issue has happened, up to one event and with it."""

    events_since: int
    users_since: int
    events_in_window: int = 0
    users_in_window: int = 0


@dataclass(frozen=True, slots=True)
class Ended:
    """What ended an ignore: `by` events, users or the time that was set; how many, in which window."""

    by: str
    count: int | None = None
    window: int | None = None
    limit: int | None = None
    until: datetime | None = None

    @property
    def is_escalation(self) -> bool:
        """Whether more came than somebody was willing to ignore."""
        return self.by != UNTIL


def getting_worse(limit: int) -> Condition:
    """Until more than `limit` events come in an hour."""
    return Condition(event_count=limit + 1, event_window=HOUR, worse_than=limit)


def of_mute(until: datetime | None, event_limit: int | None) -> Condition:
    """What ends one person's mute, as a condition."""
    worse = getting_worse(event_limit) if event_limit is not None else Condition()
    return replace(worse, until=until)


def mute_holds(until: datetime | None, event_limit: int | None, *, lately: int, now: datetime) -> bool:
    """Whether one person's mute still holds; `lately` are the issue's events of the last hour."""
    return (until is None or until > now) and (event_limit is None or lately <= event_limit)


def worse_limit(busiest_hour: int) -> int:
    """What counts as worse, after the busiest hour of the last days."""
    return max(LOWEST_LIMIT, TIMES_BUSIEST * busiest_hour)


def checked(condition: Condition, *, now: datetime) -> Condition:
    """The condition, if it makes sense; `Refused` names what does not."""
    if not any(getattr(condition, each.name) for each in fields(condition)):
        raise Refused("Say what ends it, or ignore it until you say so.", field="event_count")
    _check_until(condition.until, now)
    _check_count(condition.event_count, condition.event_window, "event")
    _check_count(condition.user_count, condition.user_window, "user")
    return condition


def _check_until(until: datetime | None, now: datetime) -> None:
    if until is None:
        return
    if until <= now:
        raise Refused("That is over already: choose a time to come.", field=UNTIL)
    if until > now + LONGEST:
        raise Refused("Choose a time within the next ten years.", field=UNTIL)


def _check_count(count: int | None, window: int | None, of: str) -> None:
    if count is not None and not 1 <= count <= MOST:
        raise Refused(f"How many {of}s: a whole number from 1 on.", field=f"{of}_count")
    if window is None:
        return
    if count is None:
        raise Refused(f"Say how many {of}s in that time.", field=f"{of}_count")
    if not 1 <= window <= LONGEST_WINDOW:
        raise Refused("At most within a week (10080 minutes).", field=f"{of}_window")


def ended_by(condition: Condition, counts: Counts, *, at: datetime) -> Ended | None:
    """What of the condition an event at that moment meets, or None as long as the ignore holds."""
    if condition.until and condition.until <= at:
        return ended_by_time(condition.until)
    return _enough(
        EVENTS,
        condition.event_count,
        condition.event_window,
        counts.events_in_window if condition.event_window else counts.events_since,
        condition.worse_than,
    ) or _enough(
        USERS,
        condition.user_count,
        condition.user_window,
        counts.users_in_window if condition.user_window else counts.users_since,
    )


def _enough(
    by: str, needed: int | None, window: int | None, count: int, limit: int | None = None
) -> Ended | None:
    return Ended(by, count, window, limit) if needed is not None and count >= needed else None


def ended_by_time(until: datetime) -> Ended:
    return Ended(UNTIL, until=until)


def words(condition: Condition | None, *, zone: str = "UTC") -> str:
    """Until when something is ignored, to follow "Ignored": "until more than 42 events in an hour"."""
    if condition is None:
        return FOR_EVER
    return "until " + " or ".join(_parts(condition, zone))


def _parts(condition: Condition, zone: str) -> list[str]:
    parts = [_number(condition.event_count, condition.event_window, "event")]
    if condition.worse_than is not None:
        parts = [f"more than {condition.worse_than:,} {_plural(condition.worse_than, 'event')} in an hour"]
    parts.append(_number(condition.user_count, condition.user_window, "user"))
    if condition.until:
        parts.append(moment(condition.until, zone))
    return [part for part in parts if part]


def _number(count: int | None, window: int | None, noun: str) -> str:
    if count is None:
        return ""
    return f"{count:,}{'' if window else ' more'} {_plural(count, noun)}{_within(window)}"


def ended_words(ended: Ended, *, zone: str = "UTC") -> str:
    """Why an ignore ended, as a clause: "43 events came in an hour, and the limit was 42"."""
    if ended.by == UNTIL:
        return f"it was ignored until {moment(ended.until, zone)}" if ended.until else "its time was over"
    count = ended.count or 0
    noun = _plural(count, ended.by.removesuffix("s"))
    if ended.limit is not None:
        return f"{count:,} {noun} came in an hour, and the limit was {ended.limit:,}"
    came = "met it" if ended.by == USERS else "came"
    return f"{count:,} {noun} {came}{_within(ended.window) or ' since it was ignored'}"


def span(minutes: int) -> str:
    """A window in words: an hour, a day, 90 minutes."""
    if minutes in _WINDOWS:
        return _WINDOWS[minutes]
    for size, noun in ((DAY, "days"), (HOUR, "hours")):
        if minutes % size == 0:
            return f"{minutes // size} {noun}"
    return f"{minutes:,} minutes"


def _within(window: int | None) -> str:
    return f" in {span(window)}" if window else ""


def _plural(count: int, noun: str) -> str:
    return noun if count == 1 else f"{noun}s"


def moment(at: datetime, zone: str = "UTC") -> str:
    """A moment to come, on somebody's clock: "Tue 24 Nov 08:00 CET"."""
    local = at.astimezone(ZoneInfo(zone))
    return f"{local:%a} {local.day} {local:%b %H:%M %Z}"


def morning_of(day: date, zone: str) -> datetime:
    """Nine o'clock on that day, on a clock of that zone: a date as the end of something."""
    return datetime.combine(day, MORNING, ZoneInfo(zone)).astimezone(UTC)


def as_data(what: Condition | Ended | None) -> dict[str, Any] | None:
    """As the timeline keeps it: without what is not set, and times as text."""
    if what is None:
        return None
    known = {name: value for name, value in asdict(what).items() if value is not None}
    return known | ({UNTIL: known[UNTIL].isoformat()} if UNTIL in known else {})


def condition_of(data: Mapping[str, Any] | None) -> Condition | None:
    """What `as_data` wrote."""
    return Condition(**_read(data)) if data else None


def ended_of(data: Mapping[str, Any] | None) -> Ended | None:
    """What `as_data` wrote."""
    return Ended(**_read(data)) if data else None


def _read(data: Mapping[str, Any]) -> dict[str, Any]:
    until = data.get(UNTIL)
    return {**data, UNTIL: datetime.fromisoformat(until) if until else None}
