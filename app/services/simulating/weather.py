"""Storms of new issues and issues that come back all the time, while a past is gone through again."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from app.domain import flapping, routing, storms
from app.domain.routing import Happening, Person, Reason
from app.domain.simulating import PERSON, Key, Subject, Told
from app.domain.targets import Target
from app.models import Issue, Notice, Storm
from app.services.calm import storming
from app.services.calm.calming import Calmed
from app.services.simulating.occasions import IMAGINED, Occasion
from app.services.simulating.recorded import storm_name
from app.services.simulating.waiting import NEVER
from app.services.simulating.world import World


@dataclass(frozen=True, slots=True)
class _Back:
    """A notice that told of an issue coming back. `told`: to whom, where that is on record."""

    at: datetime
    event_id: str | None
    public_id: str
    told: frozenset[int] | None = None


class Weather:
    """`answers` are those of the run, as far as it has come."""

    def __init__(self, world: World, answers: Mapping[Key, Told]) -> None:
        self.world, self._answers = world, answers
        self._back: defaultdict[int, list[_Back]] = defaultdict(list)
        for notice, people in world.past.recorded.came_back:
            seen = _Back(notice.planned_at or notice.occurred_at, notice.event_id, notice.public_id, people)
            self._back[notice.issue_id or 0].append(seen)
        self._born = sorted(world.past.issues.born.items())
        self.storm = self._storm_at_first()
        self.summaries: list[Notice] = []  # made, and not yet taken by the run
        self._told: dict[int, routing.Verdict] = {}  # by the last summary

    # Issues that come back

    def remember(self, occasion: Occasion) -> None:
        if occasion.notice.kind in flapping.KINDS:
            seen = _Back(occasion.at, occasion.notice.event_id, occasion.name)
            self._back[occasion.notice.issue_id or 0].append(seen)

    def calmed(
        self, asked: Mapping[Notice, Happening], now: datetime, places: Mapping[Notice, str | None]
    ) -> dict[Notice, Calmed]:
        """As `calming.calmed` says it, from what this run decided."""
        lately = {notice: self._lately(notice, now) for notice in asked}
        found = {}
        for notice, happening in asked.items():
            what = happening
            if told := lately[notice]:
                what = replace(what, flapping=told[0], told_lately=told[1])
            summary = self._of_alert(notice, what, now, places.get(notice))
            if summary:
                what = replace(what, storm=summary.public_id)
            found[notice] = Calmed(what, summary)
        return found

    def _lately(self, notice: Notice, now: datetime) -> tuple[str, frozenset[int]] | None:
        """The last notice that told of the issue coming back, and whom that, or one before, told."""
        until = self.world.past.issues.flapping_until(notice.issue_id or 0, now)
        if until is None or until <= now or notice.kind not in flapping.KINDS:
            return None
        before = [
            (each.public_id, people)
            for each in self._back[notice.issue_id or 0]
            if each.event_id != notice.event_id
            and each.at > now - flapping.SELDOM
            and (people := self._people(each))
        ]
        if not before:
            return None
        return before[-1][0], frozenset().union(*(people for _, people in before))

    def _people(self, seen: _Back) -> frozenset[int]:
        if seen.told is not None:
            return seen.told
        keys = ((each, Key(seen.public_id, Subject(PERSON, each))) for each in self.world.past.members)
        return frozenset(each for each, key in keys if key in self._answers and self._answers[key].is_told)

    # Storms

    def _storm_at_first(self) -> Storm | None:
        since = self.world.past.recorded.since
        for row in self.world.past.recorded.storms:
            if row.started_at < since and row.notice:
                summary = self._summary(row.notice.occurred_at, row.notice.data["from"], row.started_at)
                return Storm(
                    project_id=row.project_id,
                    started_at=row.started_at,
                    latest_at=since,
                    told_at=min(row.told_at, since),
                    notice=summary,
                )
        return None

    def _summary(self, at: datetime, first: int, since: datetime) -> Notice:
        name = storm_name(at)
        return Notice(
            id=IMAGINED,
            public_id=name,
            kind=storms.STORM,
            project_id=self.world.past.project.id,
            data={"since": since.isoformat(), "from": first},
            occurred_at=at,
        )

    def _of_alert(self, notice: Notice, what: Happening, now: datetime, place: str | None) -> Notice | None:
        """As `storming.of_alert` does it."""
        if notice.kind != storms.NEW or notice.issue is None or what.is_fatal:
            return None
        if self.world.hold(notice, place, now):
            return None
        first_seen = self._new_issues(notice.issue)
        is_one_too_many = storms.is_one(first_seen, at=notice.issue.first_seen)
        if self.storm is None:
            return self._begin(notice.issue, min(first_seen), now) if is_one_too_many else None
        return storming.join(self.storm, notice.issue, is_one_too_many=is_one_too_many)

    def _new_issues(self, issue: Issue) -> Sequence[datetime]:
        near = range(issue.number - storming.NEAR, issue.number + 1)
        return [
            at for number, at in self._born if number in near and abs(at - issue.first_seen) <= storms.WITHIN
        ] or [issue.first_seen]

    def _begin(self, issue: Issue, since: datetime, now: datetime) -> Notice:
        summary = self._summary(now, issue.number, since)
        self.storm = Storm(
            project_id=issue.project_id,
            started_at=since,
            latest_at=issue.first_seen,
            told_at=now,
            notice=summary,
        )
        self._made(summary)
        return summary

    def _made(self, summary: Notice) -> None:
        self.summaries.append(summary)
        self._told = {}

    def told(self, verdicts: Sequence[routing.Verdict]) -> None:
        """Whom the last summary told, or will."""
        self._told |= {each.person_id: each for each in verdicts if Told(each.outcome, "").is_told}

    def concerned(self, verdicts: Sequence[routing.Verdict], people: Sequence[Person]) -> list[Person]:
        """Those whom the storm keeps from being told, and who do not know of it."""
        storm = self.storm.notice if self.storm else None
        ids = {each.person_id for each in verdicts if each.code == storms.STORM}
        name = storm.public_id if storm else ""
        return [
            replace(who, carried_by=None)
            for who in people
            if who.id in ids and Key(name, Subject(PERSON, who.id)) not in self._answers
        ]

    def advance(self, until: datetime) -> tuple[datetime, Notice, Mapping[int, Target]] | None:
        """The next time that people are told of a storm that goes on, by then; or None, if it is over."""
        while self.storm is not None and (storm := self.storm).notice is not None:
            row, due = self._row(storm), storm.told_at + storms.UPDATE
            update = self._on_record(storm, due) or (NEVER if row else due)
            over = self._over(storm, row, min(update, until))
            if over is not None:
                self.storm = None
            elif update > until:
                break
            else:
                named = {each: _target(verdict) for each, verdict in self._told.items()}
                summary = self._summary(update, storm.notice.data["from"], storm.started_at)
                storm.told_at, storm.notice = update, summary
                newest = max((at for _, at in self._born if at <= update), default=update)
                storm.latest_at = max(storm.latest_at, newest)
                self._made(summary)
                return update, summary, named
        return None

    def _over(self, storm: Storm, row: Storm | None, until: datetime) -> datetime | None:
        """When it ended, if by then: no new issue came for long enough. What came keeps it up.

        One that is on record ended when it did: whoever looks after storms does so every so often, and what
        came until then keeps it up too.
        """
        ended = row.ended_at if row else None
        for at in sorted(at for _, at in self._born if storm.latest_at < at <= until):
            is_late = row is not None and at < until and (ended is None or at < ended)
            if is_late or not storms.is_over(storm.latest_at, now=at):
                storm.latest_at = at
        over = ended if row else storm.latest_at + storms.QUIET
        return over if over and over <= until else None

    def _row(self, storm: Storm) -> Storm | None:
        rows = self.world.past.recorded.storms
        return next((each for each in rows if each.started_at == storm.started_at), None)

    def _on_record(self, storm: Storm, since: datetime) -> datetime | None:
        """When people were told of this storm in fact, for the first time since then."""
        first = storm.notice.data["from"] if storm.notice else None
        times = (
            each.occurred_at
            for each in self.world.past.recorded.notices
            if each.kind == storms.STORM and each.occurred_at >= since and each.data.get("from") == first
        )
        return next(times, None)


def _target(verdict: routing.Verdict) -> Target:
    reasons = frozenset(verdict.reasons) - {Reason.REQUIRED}
    return Target(reasons, verdict.params.get("because") or {})
