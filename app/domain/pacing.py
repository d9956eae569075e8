"""First now, rest together: when alerts of a project go out to one person (`notifications.md` 7).

Who was sent nothing lately is told at once. After that whoever is told waits for `minimum`, and what comes
meanwhile goes out as one message. Each alert that waits puts that message off by half a minute, but never
beyond `maximum`: where both are the same, the window never stretches.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.domain.errors import Refused

MINUTE = timedelta(minutes=1)
STEP = timedelta(seconds=30)
LONGEST = 60  # minutes


@dataclass(frozen=True, slots=True)
class Pace:
    """Minutes from one message to the next; 0 and 0 hold nothing. `source` says whose numbers they are."""

    minimum: int
    maximum: int
    source: str = "project"

    @property
    def is_at_once(self) -> bool:
        return self.minimum == 0


def pace_of(project: Pace, own: str, source: str) -> Pace:
    """A person may choose a longer window than the project's, never a shorter one; `own` as it is stored.

    Where the project sends everything at once, so it stays.
    """
    minutes = int(own) if own.isdecimal() else 0
    if project.is_at_once or minutes <= project.minimum:
        return project
    return Pace(minutes, max(minutes, project.maximum), source)


def due(pace: Pace, *, sent_at: datetime | None, waiting: datetime | None, now: datetime) -> datetime | None:
    """When an alert that comes now goes out; None is at once.

    `sent_at`: when the last message went out. `waiting`: when the next one will, if alerts wait for it.
    """
    if pace.is_at_once or sent_at is None:
        return None
    ends = waiting or sent_at + pace.minimum * MINUTE
    if ends <= now:
        return waiting  # about to be sent, and this with it; or nothing is: the next is a first one
    return min(ends + STEP, sent_at + pace.maximum * MINUTE)


def checked(minimum: int | None, maximum: int | None, *, fields: tuple[str, str]) -> Pace:
    """A pace that a project can have; else `Refused`, at the field of one of these names."""
    pace = Pace(_minutes_of(minimum, fields[0]), _minutes_of(maximum, fields[1]))
    if pace.minimum > pace.maximum:
        raise Refused(f"Not less than the shortest time, {pace.minimum}.", field=fields[1])
    if pace.is_at_once and pace.maximum:
        raise Refused("0 is for both: alerts never wait then, so there is no longest time.", field=fields[0])
    return pace


def _minutes_of(value: int | None, field: str) -> int:
    if value is None or not 0 <= value <= LONGEST:
        raise Refused(f"A whole number of minutes, from 0 to {LONGEST}.", field=field)
    return value


def sentence(pace: Pace) -> str:
    """What a pace means to whoever is told."""
    if pace.is_at_once:
        return "Every alert goes at once, in a mail of its own."
    first = "The first alert goes at once"
    if pace.minimum == pace.maximum:
        return f"{first}, the rest come together every {_minutes(pace.minimum, '')}."
    return (
        f"{first}, the rest come together after {_minutes(pace.minimum)}. "
        f"Each further alert puts them off by 30 seconds, up to {_minutes(pace.maximum)}."
    )


def _minutes(number: int, one: str = "1 ") -> str:
    return f"{one}minute" if number == 1 else f"{number} minutes"
