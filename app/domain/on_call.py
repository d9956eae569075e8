"""Until when somebody says to be on call: the choices, on their own clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

EVENING, MORNING = time(18), time(9)
# An end that is nearer than this is no choice.
SHORTEST = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Choice:
    """An end, by the name that forms send; `is_span` where the words do not say when that is."""

    name: str
    words: str
    until: datetime
    is_span: bool = False


def choices(zone: ZoneInfo, now: datetime) -> Sequence[Choice]:
    """What makes sense at this moment: nobody is offered an evening that has begun."""
    today = now.astimezone(zone).date()
    evening = datetime.combine(today, EVENING, zone).astimezone(UTC)
    morning = datetime.combine(today + timedelta(days=1), MORNING, zone).astimezone(UTC)
    offered = (
        Choice("evening", f"Until {EVENING:%H:%M}", evening),
        Choice("2h", "For 2 hours", now + timedelta(hours=2), is_span=True),
        Choice("8h", "For 8 hours", now + timedelta(hours=8), is_span=True),
        Choice("morning", f"Until tomorrow {MORNING:%H:%M}", morning),
    )
    return [choice for choice in offered if choice.until - now >= SHORTEST]


def chosen(name: str, zone: ZoneInfo, now: datetime) -> datetime | None:
    """The end of this name; None if it is not offered, or not any more."""
    return next((choice.until for choice in choices(zone, now) if choice.name == name), None)
