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
from app.services import releases, windows
from app.services.digest_issues import Seen
from app.services.windows import Bounds

# How many windows of issues a process keeps in mind.
MOST_CEILINGS = 20_000


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


# By issue and window. Whoever digests for long keeps one, and asks the database the less for it.
Ceilings = dict[tuple[int, Window], Ceiling]


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
    """Counts for the events of one batch. The database is asked once an issue and minute."""

    def __init__(self, session: Session, seen: Sequence[Seen], ceilings: Ceilings | None = None) -> None:
        self.session = session
        self.seen = seen
        self.ceilings: Ceilings = {} if ceilings is None else ceilings
        self._of_issue: dict[int, list[tuple[int, Seen]]] = defaultdict(list)
        for position, each in enumerate(seen):
            self._of_issue[each.issue.id].append((position, each))
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
        if len(self.ceilings) > MOST_CEILINGS:
            self.ceilings.clear()
        for window, found in windows.bounds(self.session, issue_id, minute, limits).items():
            self._bounds[issue_id, minute, window] = (found, limits[window])
            at_most = found.certain + found.perhaps
            if at_most < limits[window]:  # else people were not counted to the end
                self.ceilings[issue_id, window] = Ceiling(minute, events, at_most)

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
        return self._number(window, window.minutes, limit=limit) > limit

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
        ceiling = self.counting.ceilings.get((self._seen.issue.id, window))
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
        if not earlier:
            return self._number(window, window.minutes)
        if window.noun == EVENTS:
            return self._number(window, earlier + window.minutes) - self._number(window, earlier)
        return self._people_earlier(window, earlier)

    def grew(self, window: Window, *, earlier: int, percent: int) -> bool:
        now = self.number(window)
        # So many earlier, and it has not grown by more than that.
        enough = -(-now * 100 // (100 + percent))
        if enough <= 1:
            return False
        if window.noun == EVENTS:
            return 0 < self.number(window, earlier=earlier) < enough
        return 0 < self._people_earlier(window, earlier, limit=enough) < enough

    def _number(self, window: Window, minutes: int, *, limit: int | None = None) -> int:
        """Exactly, or at least more than the limit."""
        session, issue_id = self.counting.session, self._seen.issue.id
        since = self._seen.event.received_at - timedelta(minutes=minutes)
        track = self.counting.track(issue_id, window.environment)
        if window.noun == EVENTS:
            stored = windows.events_since(session, issue_id, since, window.environment)
            return stored - track.later_events(self.position, since)
        limit = None if limit is None else limit + len(track.events) + 1
        stored = windows.people_since(session, issue_id, since, window.environment, limit=limit)
        return stored - track.people_to_come(self.position, since, window.environment)

    def _people_earlier(self, window: Window, earlier: int, *, limit: int | None = None) -> int:
        until = self._seen.event.received_at - timedelta(minutes=earlier)
        track = self.counting.track(self._seen.issue.id, window.environment)
        return windows.people_between(
            self.counting.session,
            self._seen.issue.id,
            until - timedelta(minutes=window.minutes),
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
