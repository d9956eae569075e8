"""What a process remembers of counted windows from one batch to the next: the database is asked the less.

All of it only ever refutes: what cannot be told from here is counted.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.domain.alerting import Window

# How many windows of issues are kept in mind.
MOST = 20_000
# What is known of an earlier window holds for a fifth of its length, but not for longer than this.
LONGEST = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Ceiling:
    """What a window that ended in that minute held at most, when the issue had had so many events in all.

    It holds no more later on than that and the events since: it has moved on, and each brings one person.
    """

    minute: datetime
    events: int
    at_most: int

    def refutes(self, limit: int, *, at: datetime, events: int) -> bool:
        """Whether it cannot have more than the limit."""
        is_since = at >= self.minute and events >= self.events
        return is_since and self.at_most + events - self.events <= limit


@dataclass(frozen=True, slots=True)
class Floor:
    """What a window held at most, and one of the same length earlier at least; see `Ceiling`.

    It holds for events that come in between `since` and `until`: that part of the earlier window was looked
    at which all of theirs have in common.
    """

    since: datetime
    until: datetime
    events: int
    at_most: int
    at_least: int

    def refutes(self, percent: int, *, at: datetime, events: int) -> bool:
        """Whether it cannot have grown by more than that."""
        if not self.since <= at <= self.until or events < self.events:
            return False
        # Out of nothing it does not grow either.
        return not grew(self.at_most + events - self.events, max(self.at_least, 1), percent)


def grew(now: int, before: int, percent: int) -> bool:
    return now * 100 > before * (100 + percent)


def enough(now: int, percent: int) -> int:
    """With so many before, it has not grown by more than that."""
    return -(-now * 100 // (100 + percent))


def lasts(window: Window) -> timedelta:
    """For how long a floor of this window is to hold."""
    return min(timedelta(minutes=window.minutes) / 5, LONGEST)


@dataclass(frozen=True, slots=True)
class Void:
    """An earlier window, and what it moves over next, without any event.

    It holds for events that come in from `since` to `until`. `end` is where that stretch ends: an event that
    came in before it, and is counted only now, undoes this.
    """

    since: datetime
    until: datetime
    end: datetime


Place = tuple[int, Window, int]  # issue, window, and how many minutes earlier


@dataclass
class Ceilings:
    """Whoever digests for long keeps one, and gives it up with a batch that was taken back."""

    of_windows: dict[tuple[int, Window], Ceiling] = field(default_factory=dict)
    floors: dict[Place, Floor] = field(default_factory=dict)
    _voids: dict[int, dict[Place, Void]] = field(default_factory=dict)
    _totals: dict[int, int] = field(default_factory=dict)

    def count(self, issue_id: int, total: int, came_in: Iterable[datetime]) -> None:
        """A batch brought these events to an issue that now has had so many.

        Where others came meanwhile, from a merged issue or through another process, nobody knows when.
        """
        moments = sorted(came_in)
        if self._totals.get(issue_id) != total - len(moments):
            self._voids.pop(issue_id, None)
        voids = self._voids.get(issue_id, {})
        for place in [place for place, void in voids.items() if moments[0] < void.end]:
            del voids[place]
        if len(self._totals) + len(self.of_windows) + len(self.floors) > MOST:
            for each in (self._totals, self._voids, self.of_windows, self.floors):
                each.clear()
        self._totals[issue_id] = total

    def keep_void(self, place: Place, void: Void) -> None:
        self._voids.setdefault(place[0], {})[place] = void

    def was_void(self, place: Place, at: datetime) -> bool:
        """Whether there was nothing in the earlier window of an event that came in at that moment."""
        void = self._voids.get(place[0], {}).get(place)
        return void is not None and void.since <= at <= void.until
