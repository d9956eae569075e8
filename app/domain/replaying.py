"""An issue's past, gone through again event by event: what was counted, and how the issue stood then."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from app.domain.lifecycle import RESOLVED, UNRESOLVED

Assignee = tuple[int | None, int | None]  # a user's id, a team's id


class Track:
    """The events of an issue so far, in the order in which they were digested, whatever their times.

    People are counted as the digester keeps them: by when the last event of theirs came in.
    """

    def __init__(self) -> None:
        self._times: list[datetime] = []
        self._people: list[str | None] = []  # beside the times
        self._last_of: dict[str, datetime] = {}
        self._lasts: list[datetime] = []

    def add(self, at: datetime, person: str | None) -> None:
        place = bisect_right(self._times, at)
        self._times.insert(place, at)
        self._people.insert(place, person)
        if person:
            self._meet(person, at)

    def _meet(self, person: str, at: datetime) -> None:
        before = self._last_of.get(person)
        if before is not None and before >= at:
            return
        if before is not None:
            del self._lasts[bisect_left(self._lasts, before)]
        self._last_of[person] = at
        insort(self._lasts, at)

    def events(self, since: datetime, until: datetime | None = None) -> int:
        end = len(self._times) if until is None else bisect_left(self._times, until)
        return end - bisect_left(self._times, since)

    def people(self, since: datetime, until: datetime | None = None) -> int:
        if until is None:
            return len(self._lasts) - bisect_left(self._lasts, since)
        met = self._people[bisect_left(self._times, since) : bisect_left(self._times, until)]
        return len({person for person in met if person})


@dataclass(frozen=True, slots=True)
class Change:
    """Of an issue's state or assignee: made by an event, with its key, or by somebody at a moment.

    What is None stays as it was. `awaits`: a timed ignore is over, and the next event is told of.
    """

    at: datetime
    event: int | None = None
    status: str | None = None
    assignee: Assignee | None = None
    is_regression: bool = False
    is_waking: bool = False
    awaits: bool = False

    def is_due(self, event: int, at: datetime) -> bool:
        return event >= self.event if self.event is not None else self.at <= at


@dataclass(frozen=True, slots=True)
class Course:
    """How an issue stood at first, and what changed, in order."""

    status: str = UNRESOLVED
    assignee: Assignee = (None, None)
    changes: Sequence[Change] = ()

    def heard_of(self, at: datetime) -> "Course":
        """The same where an event came in at that moment: no earlier ignore awaits its next one any more."""
        heard = [replace(each, awaits=each.awaits and each.at > at) for each in self.changes]
        return replace(self, changes=heard)


class Walk:
    """Goes along a course. What an event did holds for it already."""

    def __init__(self, course: Course) -> None:
        self._course = course
        self._passed = 0
        self._awaits = False
        self.status = course.status
        self.assignee = course.assignee
        self.last_resolved: datetime | None = None
        self.is_regression = False
        self.is_reappeared = False

    def reach(self, event: int, at: datetime) -> None:
        """Take in what had happened when that event was digested."""
        self.is_regression = self.is_reappeared = False
        changes = self._course.changes
        while self._passed < len(changes) and changes[self._passed].is_due(event, at):
            self._take(changes[self._passed], event)
            self._passed += 1
        if self._awaits and self.status == UNRESOLVED:
            self.is_reappeared, self._awaits = True, False

    def _take(self, change: Change, event: int) -> None:
        if change.assignee is not None:
            self.assignee = change.assignee
        if change.status is None:
            return
        self.status, self._awaits = change.status, change.awaits
        if change.status == RESOLVED:
            self.last_resolved = change.at
        if change.event == event:
            self.is_regression, self.is_reappeared = change.is_regression, change.is_waking
