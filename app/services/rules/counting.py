"""What the conditions of alert rules count, exact for one event of a batch that is counted already.

Windows go by when events came in. Of the batch, an event's windows hold what stood before it and the event
itself; the rows hold the rest too, so that is taken off.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.domain.alerting import EVENTS, Ready, Window
from app.models import Release
from app.services.events import windows
from app.services.events.digest_issues import Seen
from app.services.events.windows import Bounds
from app.services.releases import releases
from app.services.rules.ceilings import LONGEST, Ceiling, Ceilings, Floor, Void, enough, lasts


@dataclass(frozen=True, slots=True)
class Track:
    """The events of a batch of one issue, or of one of its environments, in their order."""

    events: Sequence[tuple[int, Seen]]

    def later_events(self, position: int, since: datetime) -> int:
        """How many of those after that position came in since then."""
        return sum(each.event.received_at >= since for at, each in self.events if at > position)

    def people_to_come(self, position: int, since: datetime, environment: str | None) -> int:
        """How many are in the window because of an event after that position, and of none before."""
        before: dict[str, datetime] = {}
        after: set[str] = set()
        for at, each in self.events:
            ident, received = each.event.user_ident, each.event.received_at
            if ident and at > position and received >= since:
                after.add(ident)
            elif ident and at <= position:
                before[ident] = max(before.get(ident, received), received)
            if ident and (met := each.met_before if environment is None else each.met_here_before):
                before[ident] = max(before.get(ident, met), met)
        return sum(ident not in before or before[ident] < since for ident in after)


class Counting:
    """Counts for the events of one batch. The database is asked once an issue and minute.

    `totals`: how many events each issue has had.
    """

    def __init__(
        self,
        session: Session,
        seen: Sequence[Seen],
        totals: Mapping[int, int],
        ceilings: Ceilings | None = None,
    ) -> None:
        self.session = session
        self.seen = seen
        self.ceilings = Ceilings() if ceilings is None else ceilings
        self._of_issue: dict[int, list[tuple[int, Seen]]] = defaultdict(list)
        for position, each in enumerate(seen):
            self._of_issue[each.issue.id].append((position, each))
        for issue_id, theirs in self._of_issue.items():
            came_in = (each.event.received_at for _, each in theirs)
            self.ceilings.count(issue_id, totals[issue_id], came_in)
        self._tracks: dict[tuple[int, str | None], Track] = {}
        self._bounds: dict[tuple[int, datetime, Window], tuple[Bounds, int]] = {}
        self._releases: dict[tuple[int, str | None], Sequence[Release]] = {}

    def track(self, issue_id: int, environment: str | None) -> Track:
        key = (issue_id, environment)
        if key not in self._tracks:
            self._tracks[key] = Track(
                [
                    each
                    for each in self._of_issue[issue_id]
                    if environment is None or each[1].event.environment == environment
                ]
            )
        return self._tracks[key]

    def room(self, issue_id: int) -> int:
        """By how many the batch's own events may be off, and one more than the limit."""
        return len(self._of_issue[issue_id]) + 1

    def bounds(self, issue_id: int, minute: datetime, window: Window, limit: int) -> Bounds | None:
        """Those that are known, if people were counted far enough for that limit."""
        known = self._bounds.get((issue_id, minute, window))
        if known and known[1] >= limit + self.room(issue_id):
            return known[0]
        return None

    def ask(self, issue_id: int, minute: datetime, wanted: Mapping[Window, int], events: int) -> None:
        """Count what windows hold that end in that minute; `wanted`: with the highest limit of each."""
        limits = {window: limit + self.room(issue_id) for window, limit in wanted.items()}
        for window, found in windows.bounds(self.session, issue_id, minute, limits).items():
            self._bounds[issue_id, minute, window] = (found, limits[window])
            at_most = found.certain + found.perhaps
            if at_most < limits[window]:  # else people were not counted to the end
                self.ceilings.of_windows[issue_id, window] = Ceiling(minute, events, at_most)

    def newest_release(self, position: int, environment: str | None) -> str | None:
        """As far as is known with that event."""
        each = self.seen[position]
        key = (each.project.id, environment)
        if key not in self._releases:
            self._releases[key] = releases.newest_of(self.session, *key)
        known = self._releases[key]
        return next((row.version for row in known if releases.is_known(row, each.event)), None)


@dataclass(frozen=True, slots=True)
class AtEvent:
    """What is counted at one event of the batch. `events`, `users`: of the issue, at most, ever.

    `asking` are the rules that may ask.
    """

    counting: Counting
    position: int
    events: int
    users: int
    asking: Sequence[Ready]

    @property
    def _seen(self) -> Seen:
        return self.counting.seen[self.position]

    @property
    def _minute(self) -> datetime:
        return windows.minute_of(self._seen.event.received_at)

    def exceeds(self, window: Window, limit: int) -> bool:
        if self._is_refuted(window, limit):
            return False
        found = self._bounds(window, limit)
        if found.certain + found.perhaps <= limit:
            return False
        if found.certain - len(self.counting.track(self._seen.issue.id, window.environment).events) > limit:
            return True
        return self._number(window, limit=limit) > limit

    def _bounds(self, window: Window, limit: int) -> Bounds:
        """With one query for whatever else may be asked."""
        where = (self._seen.issue.id, self._minute)
        known = self.counting.bounds(*where, window, limit)
        if known is None:
            wanted = self._wanted()
            wanted[window] = max(limit, wanted.get(window, 0))
            self.counting.ask(*where, wanted, self.events)
            known = self.counting.bounds(*where, window, limit)
            assert known is not None
        return known

    def _is_refuted(self, window: Window, limit: int) -> bool:
        if (self.events if window.noun == EVENTS else self.users) <= limit:
            return True
        ceiling = self.counting.ceilings.of_windows.get((self._seen.issue.id, window))
        return ceiling is not None and ceiling.refutes(limit, at=self._minute, events=self.events)

    def _wanted(self) -> dict[Window, int]:
        """The windows that may be exceeded, with the highest limit of each."""
        wanted: dict[Window, int] = {}
        for rule in self.asking:
            for window, limit in rule.limits:
                if not self._is_refuted(window, limit):
                    wanted[window] = max(limit, wanted.get(window, 0))
        return wanted

    def number(self, window: Window, *, earlier: int = 0) -> int:
        return self._earlier(window, earlier) if earlier else self._number(window)

    def grew(self, window: Window, *, earlier: int, percent: int) -> bool:
        place, at = (self._seen.issue.id, window, earlier), self._seen.event.received_at
        known = self.counting.ceilings
        floor = known.floors.get(place)
        if (floor and floor.refutes(percent, at=at, events=self.events)) or known.was_void(place, at):
            return False
        now = self.number(window)
        floor = self._floor(window, earlier, now, percent)
        if floor.refutes(percent, at=at, events=self.events):
            known.floors[place] = floor
            return False
        most = enough(now, percent)
        before = self._earlier(window, earlier, limit=most)
        if not before and (void := self._void(window, earlier)):
            known.keep_void(place, void)
        return 0 < before < most

    def _floor(self, window: Window, earlier: int, now: int, percent: int) -> Floor:
        """One that holds for the batch and, where there was much earlier, for some time from now on."""
        at, room = self._seen.event.received_at, self.counting.room(self._seen.issue.id)
        at_most, at_least = now + room, 0
        most = enough(at_most, percent)
        if most > 1:
            limit = 2 * most + room
            at_least = self._earlier(window, earlier, limit=limit, without_first=lasts(window))
        return Floor(at, at + lasts(window), self.events, at_most, at_least)

    def _void(self, window: Window, earlier: int) -> Void | None:
        """That nothing was there, and what it holds for, if so."""
        at = self._seen.event.received_at
        until = at + min(timedelta(minutes=earlier) / 2, LONGEST)
        since = at - timedelta(minutes=earlier + window.minutes)
        end = until - timedelta(minutes=earlier)
        where = (self._seen.issue.id, window.environment)
        return Void(at, until, end) if windows.is_void(self.counting.session, *where, since, end) else None

    def _earlier(
        self,
        window: Window,
        earlier: int,
        *,
        limit: int | None = None,
        without_first: timedelta = timedelta(0),
    ) -> int:
        """What the earlier window held, but for its first part; people are counted up to the limit."""
        until = self._seen.event.received_at - timedelta(minutes=earlier)
        since = until - timedelta(minutes=window.minutes) + without_first
        if window.noun == EVENTS:
            return self._events_since(window, since) - self._events_since(window, until)
        return self._people_between(window, since, until, limit=limit)

    def _number(self, window: Window, *, limit: int | None = None) -> int:
        """Exactly, or at least more than the limit."""
        since = self._seen.event.received_at - timedelta(minutes=window.minutes)
        if window.noun == EVENTS:
            return self._events_since(window, since)
        session, issue_id = self.counting.session, self._seen.issue.id
        track = self.counting.track(issue_id, window.environment)
        limit = None if limit is None else limit + len(track.events) + 1
        stored = windows.people_since(session, issue_id, since, window.environment, limit=limit)
        return stored - track.people_to_come(self.position, since, window.environment)

    def _events_since(self, window: Window, since: datetime) -> int:
        session, issue_id = self.counting.session, self._seen.issue.id
        track = self.counting.track(issue_id, window.environment)
        stored = windows.events_since(session, issue_id, since, window.environment)
        return stored - track.later_events(self.position, since)

    def _people_between(self, window: Window, since: datetime, until: datetime, *, limit: int | None) -> int:
        track = self.counting.track(self._seen.issue.id, window.environment)
        return windows.people_between(
            self.counting.session,
            self._seen.issue.id,
            since,
            until,
            window.environment,
            limit=limit,
            without=[
                each.event.event_id
                for at, each in track.events
                if at > self.position and each.event.received_at < until
            ],
        )

    def newest_release(self, environment: str | None) -> str | None:
        return self.counting.newest_release(self.position, environment)
