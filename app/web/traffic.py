"""What a project received in the last days, as bars of a picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.services.events.traffic import Day, Traffic

WIDTH, GAP, HEIGHT = 20, 4, 48


@dataclass(frozen=True, slots=True)
class Bar:
    """A day: what was kept, and on top of it what was rejected. From the top of the picture, in its units."""

    day: Day
    left: int
    kept_top: int
    rejected_top: int

    @property
    def at(self) -> datetime:
        return self.day.start


@dataclass(frozen=True, slots=True)
class Picture:
    traffic: Traffic
    bars: Sequence[Bar]
    width: int
    height: int = HEIGHT
    bar: int = WIDTH - GAP


def picture(traffic: Traffic) -> Picture:
    top = max((day.accepted + day.rejected for day in traffic.days), default=0) or 1
    bars = [
        Bar(
            day,
            left=WIDTH * number,
            kept_top=HEIGHT - _tall(day.accepted, top),
            rejected_top=HEIGHT - _tall(day.accepted, top) - _tall(day.rejected, top),
        )
        for number, day in enumerate(traffic.days)
    ]
    return Picture(traffic, bars, WIDTH * len(bars) - GAP)


def _tall(count: int, top: int) -> int:
    """What happened at all is at least one unit tall; two kinds of it leave each other room."""
    return -(-count * (HEIGHT - 1) // top)
