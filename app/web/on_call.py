"""What the header says about being on call."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from app.clock import now
from app.domain import on_call
from app.domain.clocks import Clock
from app.models import User


@dataclass(frozen=True, slots=True)
class Standing:
    """Until when the person is on call, in words; and the ends to choose from, each with a note."""

    until: str
    choices: Sequence[tuple[on_call.Choice, str]]


def standing(person: User, at: datetime | None = None) -> Standing:
    """For the menu in the header."""
    at = at or now()
    clock = Clock(at, person.timezone)
    until = person.on_call.until if person.on_call and person.on_call.until > at else None
    offered = on_call.choices(ZoneInfo(person.timezone), at)
    return Standing(
        until=clock.short(until) if until else "",
        choices=[
            (choice, f"until {clock.short(choice.until)}" if choice.is_span else "") for choice in offered
        ],
    )
