"""Alert rules run again over stored events: the same evaluation as when events come in, without its effects.

What it takes to know what an event was told of then: windows are counted in memory, states and assignees come
from timelines, and how often an issue had been seen is reckoned back from now.
"""

import math
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain import alerting
from app.domain.alerting import COUNTED, EVENTS, CannotCheck, Facts, IssueFacts, Window
from app.domain.lifecycle import UNRESOLVED
from app.domain.replaying import Track, Walk
from app.domain.rule_content import Content
from app.domain.rule_parts import SPANS
from app.domain.rule_rows import Row
from app.models import AlertRule, Event, IssueTag, Notice, Project, Release, RuleFiring
from app.services.events import stored_past
from app.services.events.stored_past import Bodies, Body, Past, Stored, Tags, Wanted
from app.services.issues import issue_courses
from app.services.issues.issue_courses import Standing, chunks
from app.services.releases import releases

LOOKED_BACK = timedelta(days=14)
FEW, GROWTH = 200, 10
READING_BODIES = ("tag", "attribute")
_NO_DATA: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Budget:
    """How long a replay may take, how many events it may replay, and how many it may only count."""

    seconds: float = 1.6
    events: int = 200_000
    warm: int = 200_000
    clock: Callable[[], float] = time.monotonic


@dataclass(frozen=True, slots=True)
class Firing:
    """A firing that would have been. `event` is the key of its event, `kind` that of its notice."""

    issue_id: int
    event: int
    at: datetime
    kind: str


@dataclass(frozen=True, slots=True)
class Replayed:
    """`since`: from when on `events` were replayed, of `total`. `warm`: from when on events were counted.

    `failed`: over how many events a check of the rule failed, and in what way.
    """

    since: datetime
    warm: datetime
    events: int
    total: int
    firings: Sequence[Firing]
    standings: Mapping[int, Standing] = field(default_factory=dict)
    failed: tuple[int, str] = (0, "")

    @property
    def is_whole(self) -> bool:
        return self.events == self.total


def reach_back(content: Content) -> timedelta:
    """How long before an event its rule counts."""
    return max(map(reach_of, content.conditions), default=timedelta(0))


def reach_of(row: Row) -> timedelta:
    """How long before an event this row of its counts."""
    if row["id"] not in COUNTED:
        return timedelta(0)
    return timedelta(minutes=SPANS[row["interval"]] + SPANS.get(row.get("earlier") or "", 0))


def replay(
    session: Session,
    project: Project,
    content: Content,
    *,
    now: datetime,
    saved: AlertRule | None = None,
    budget: Budget | None = None,
    back: timedelta = LOOKED_BACK,
) -> Replayed:
    """What the rule would have done in the last days, or in as many of them as there is time for.

    `saved`: the rule that this is to be; it rests as it did when those days began. Raises `CannotCheck` for a
    rule that makes no sense.
    """
    budget = budget or Budget()
    deadline = budget.clock() + budget.seconds
    half = deadline - budget.seconds / 2
    ready = alerting.ready(alerting.of(content))
    since = now - back
    warm = since - reach_back(content)
    wanted = Wanted(since, warm, now, budget.events, budget.warm, lambda: budget.clock() < half)
    past = stored_past.load(session, project, wanted)
    replaying = _Replaying(session, project, content, ready, past)
    firings, began = replaying.as_far_as_possible(_rests(session, saved), deadline, budget.clock)
    return Replayed(
        began,
        max(past.warm, began - (since - warm)),
        sum(at >= began for at in past.times),
        past.total,
        firings,
        replaying.standings,
        (len(replaying.failed), replaying.failed[-1] if replaying.failed else ""),
    )


def _rests(session: Session, saved: AlertRule | None) -> Sequence[tuple[int, datetime]]:
    """When the saved rule fired for which issue, in order; its notices may be pruned, the last one stays."""
    if saved is None:
        return ()
    rung = select(Notice.issue_id, Notice.occurred_at).where(Notice.rule_id == saved.id)
    last = select(RuleFiring.issue_id, RuleFiring.last_fired).where(RuleFiring.rule_id == saved.id)
    found = [*session.execute(rung), *session.execute(last)]
    return sorted(((issue_id, at) for issue_id, at in found if issue_id), key=lambda each: each[1])


class _Replaying:
    """One rule over one past. Answers are kept: they do not depend on where a run begins, only rests do."""

    def __init__(
        self, session: Session, project: Project, content: Content, ready: alerting.Ready, past: Past
    ) -> None:
        self.ready, self.past, self.frequency = ready, past, content.frequency
        ids = {row["id"] for row in (*content.conditions, *content.filters)}
        self.is_of_people = "user_count" in ids
        self.least = _least(ready, content)
        self.reach = reach_back(content)
        found = issue_courses.of_issues(session, project.id, {each.issue_id for each in past.events})
        self.standings = _heard_of(session, found, past) if "reappeared" in ids else found
        self.nth = _nth(past.events, {key: each.times_seen for key, each in self.standings.items()})
        self.nth_here = self._nth_here(session) if ready.asks_first_here else {}
        self.releases: Sequence[Release] = ()
        if "latest_release" in ids:
            self.releases = releases.newest_of(session, project.id, content.environment, limit=None)
        self.bodies: Bodies | None = None
        if ids & set(READING_BODIES):
            self.bodies = Bodies(session, [each.key for each in past.events if self.is_here(each)])
        self.answers: dict[int, str | None] = {}
        self.failed: list[str] = []

    def is_here(self, event: Stored) -> bool:
        return self.ready.environment in (None, event.environment)

    def _nth_here(self, session: Session) -> Mapping[int, int]:
        here = [each for each in self.past.events if self.is_here(each)]
        counts: dict[int, int] = {}
        tagged = (IssueTag.key == "environment") & (IssueTag.value == self.ready.environment)
        query = select(IssueTag.issue_id, IssueTag.count).where(tagged)
        for ids in chunks({each.issue_id for each in here}):
            counts |= {row[0]: row[1] for row in session.execute(query.where(IssueTag.issue_id.in_(ids)))}
        return _nth(here, counts)

    def as_far_as_possible(
        self, rests: Sequence[tuple[int, datetime]], deadline: float, clock: Callable[[], float]
    ) -> tuple[list[Firing], datetime]:
        """The firings of the longest run there is time for, and since when: first a few events, then more."""
        size = min(FEW, len(self.past.times))
        since, pace = self._since(size), _Pace(clock)
        firings = self._run(since, rests, pace, lambda: True) or []
        while (more := min(len(self.past.times), pace.affordable(size, deadline))) > size:
            start, pace = self._since(more), _Pace(clock)
            run = self._run(start, rests, pace, lambda: clock() < deadline)
            if run is None:
                break
            size, since, firings = more, start, run
        return firings, since

    def _since(self, size: int) -> datetime:
        """From when on there are so many events."""
        times = self.past.times
        return self.past.since if size == len(times) else times[size - 1]

    def _run(
        self,
        since: datetime,
        rests: Sequence[tuple[int, datetime]],
        pace: "_Pace",
        goes_on: Callable[[], bool],
    ) -> list[Firing] | None:
        """The firings since then, in order; None when time is up."""
        fired = {issue_id: at for issue_id, at in rests if at < since}
        tracks: dict[int, Track] = defaultdict(Track)
        walks: dict[int, Walk] = {}
        firings: list[Firing] = []
        warm = since - self.reach
        for event in self.past.events:
            if not goes_on():
                return None
            standing = self.standings.get(event.issue_id)
            if standing is None or event.received_at < warm:
                continue
            is_here = self.is_here(event)
            if is_here and standing.times_seen > self.least:
                person = event.person if self.is_of_people else None
                tracks[event.issue_id].add(event.received_at, person)
            walk = walks.get(event.issue_id)
            if walk is None:
                walk = walks[event.issue_id] = Walk(standing.course)
            walk.reach(event.key, event.received_at)
            if event.received_at < since:
                continue
            pace.starts()
            if not is_here or walk.status != UNRESOLVED:
                continue
            if self._rings(event, walk, tracks, fired.get(event.issue_id)):
                fired[event.issue_id] = event.received_at
                kind = self.answers[event.key] or ""
                firings.append(Firing(event.issue_id, event.key, event.received_at, kind))
        return firings

    def _rings(
        self, event: Stored, walk: Walk, tracks: Mapping[int, Track], last_fired: datetime | None
    ) -> bool:
        if alerting.rests(
            last_fired, frequency=self.frequency, last_resolved=walk.last_resolved, now=event.received_at
        ):
            return False
        if event.key not in self.answers:
            self.answers[event.key] = self._answer(event, walk, tracks)
        return self.answers[event.key] is not None

    def _answer(self, event: Stored, walk: Walk, tracks: Mapping[int, Track]) -> str | None:
        """The kind of the notice that the event would have rung."""
        facts = self._facts(event, walk, tracks)
        try:
            return alerting.kind(facts) if self.ready.fires(facts) else None
        except CannotCheck as error:
            self.failed.append(str(error))
            return None

    def _facts(self, event: Stored, walk: Walk, tracks: Mapping[int, Track]) -> Facts:
        standing, nth = self.standings[event.issue_id], self.nth[event.key]
        data = Body(self.bodies, event.key) if self.bodies else _NO_DATA
        return Facts(
            level=event.level,
            environment=event.environment,
            is_new=nth == 1,
            is_new_here=self.nth_here.get(event.key) == 1,
            is_regression=walk.is_regression,
            is_reappeared=walk.is_reappeared,
            release=event.release,
            at=event.received_at,
            data=data,
            tags=Tags(data) if self.bodies else (),
            issue=IssueFacts(standing.first_seen, nth, *walk.assignee),
            lookup=_AtStored(event, tracks.get(event.issue_id), self.releases),
        )


class _Pace:
    """How fast a run is, once it is past the events that only count."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._began = clock()
        self._started: float | None = None

    def starts(self) -> None:
        if self._started is None:
            self._started = self._clock()

    def affordable(self, size: int, deadline: float) -> int:
        """How many events there is time for, after a run over so many; not too many more at once."""
        now = self._clock()
        started = self._started or now
        left = deadline - now - (started - self._began)
        return min(size * GROWTH, int(size * left / max(now - started, 1e-6)))


def _least(ready: alerting.Ready, content: Content) -> float:
    """Issues that were not seen more often than that need no counting."""
    counting = [row for row in content.conditions if row["id"] in COUNTED]
    if len(ready.limits) < len(counting):
        return 0
    return min((limit for _, limit in ready.limits), default=math.inf)


def _nth(events: Sequence[Stored], counts: Mapping[int, int]) -> Mapping[int, int]:
    """For each event which one of its issue's it was, reckoned back from how many there were, kept or not."""
    left = Counter(counts)
    nth: dict[int, int] = {}
    for event in reversed(events):
        nth[event.key] = left[event.issue_id]
        left[event.issue_id] -= 1
    return nth


def _heard_of(session: Session, standings: Mapping[int, Standing], past: Past) -> Mapping[int, Standing]:
    """An ignore that was over long ago is awaited by no event any more, if there was one since."""
    found = dict(standings)
    waiting = (key for key, each in standings.items() if any(one.awaits for one in each.course.changes))
    last = select(Event.issue_id, func.max(Event.received_at)).where(Event.received_at < past.warm)
    for ids in chunks(waiting):
        query = last.where(Event.issue_id.in_(ids)).group_by(Event.issue_id)
        for issue_id, at in session.execute(query):
            found[issue_id] = replace(found[issue_id], course=found[issue_id].course.heard_of(at))
    return found


@dataclass(frozen=True, slots=True)
class _AtStored:
    """What was counted at a stored event: the track of its issue ends with it."""

    event: Stored
    track: Track | None
    releases: Sequence[Release]

    def exceeds(self, window: Window, limit: int) -> bool:
        return self.number(window) > limit

    def number(self, window: Window, *, earlier: int = 0) -> int:
        if self.track is None:
            return 0
        until = self.event.received_at - timedelta(minutes=earlier)
        since = until - timedelta(minutes=window.minutes)
        count = self.track.events if window.noun == EVENTS else self.track.people
        return count(since, until if earlier else None)

    def grew(self, window: Window, *, earlier: int, percent: int) -> bool:
        now, before = self.number(window), self.number(window, earlier=earlier)
        return before > 0 and (now - before) * 100 > percent * before

    def newest_release(self, environment: str | None) -> str | None:
        return next((row.version for row in self.releases if releases.is_known(row, self.event)), None)
