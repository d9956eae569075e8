"""A past gone through again: every notice is planned as it was, and nothing is written."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from app.domain import routing, storms
from app.domain.kinds import KINDS, OPENING
from app.domain.lifecycle import UNRESOLVED
from app.domain.routing import Happening, Outcome, Person
from app.domain.simulating import DESTINATION, PERSON, Key, Run, Subject, Told
from app.domain.targets import Target
from app.models import Notice
from app.services.calm import pacing
from app.services.calm.calming import Calmed
from app.services.integrations import destinations
from app.services.issues import assignment_bursts
from app.services.notices import gating, notifying
from app.services.notices.gating import Considered
from app.services.notices.notifying import Asked, Decided
from app.services.simulating import waiting
from app.services.simulating.closing import Closing
from app.services.simulating.occasions import Occasion
from app.services.simulating.waiting import Shelf
from app.services.simulating.weather import Weather
from app.services.simulating.world import World


class Bell:
    """One run. `ring` takes what was planned together, one after the other; `finish` ends what waits."""

    def __init__(self, session: Session, world: World) -> None:
        self.session, self._world = session, world
        self.answers: dict[Key, Told] = {}
        self.gates: dict[str, str | None] = {}
        self.said: dict[Key, routing.Verdict] = {}  # to people, at first
        self._shelf = Shelf(world)
        self._known = waiting.Told(world, self._shelf)
        self._weather = Weather(world, self.answers)
        self._closing = Closing(world, self._shelf, self._known, self.answers)

        self._numbers: dict[str, int] = {}
        self._changes = _changes(world)
        self._opened: set[tuple[int, int | None]] = set()

    @property
    def run(self) -> Run:
        return Run(self.answers, self.gates)

    def ring(self, at: datetime, occasions: Sequence[Occasion]) -> None:
        self._pass(at)
        for each in occasions:
            self._numbers[each.name] = each.notice.id
            if each.stands:
                self._hear(each)
        asks = {each.name: each for each in occasions if not each.stands}
        asked = sorted((self._asked(each) for each in asks.values()), key=lambda each: each.rank)
        if asked and asked[0].notice.batch:
            self._ring_batch(at, asked, asks)
        elif asked:
            way = _Way(self, at, asks)
            decided, _ = notifying.decide_event(asked, way)
            self._keep(at, decided, asks)
        for each in asks.values():
            self._weather.remember(each)

    @property
    def last_resort(self) -> Collection[int]:
        return self._world.past.last_resort

    def calmed(
        self, asked: Mapping[Notice, Happening], at: datetime, occasions: Mapping[str, Occasion]
    ) -> Mapping[Notice, Calmed]:
        places = {notice: occasions[notice.public_id].environment for notice in asked}
        return self._weather.calmed(asked, at, places)

    def summed_up(
        self, storm: Notice, asked: Asked, verdicts: Sequence[routing.Verdict], at: datetime
    ) -> list[tuple[Notice, routing.Verdict]]:
        people = self._weather.concerned(verdicts, asked.people)
        what = replace(asked.what, kind=KINDS[storms.STORM], storm=None, flapping=None)
        return self.sum_up(at, storm, what, people)

    def finish(self, until: datetime) -> None:
        """What is still held is told later."""
        self._pass(until)
        self._closing.leave()

    def _pass(self, until: datetime) -> None:
        """Whatever comes due by then, and what people change meanwhile about what is held for them."""
        while self._changes and self._changes[-1][0] <= until:
            at, user_id, is_pace = self._changes.pop()
            self._due(at)
            if is_pace:
                self._known.shorten(user_id, at)
            else:
                self._shelf.retime(user_id, at)
        self._due(until)

    def _due(self, until: datetime) -> None:
        while (found := self._weather.advance(until)) is not None:
            at, summary, named = found
            self._closing.until(at)
            self._known.reach(at)
            self._update(at, summary, named)
        self._closing.until(until)
        self._known.reach(until)

    # One after the other

    def _asked(self, occasion: Occasion) -> Asked:
        return Asked(occasion.notice, occasion.what, self._considered(occasion))

    def _considered(self, occasion: Occasion) -> Considered:
        """As `gating.considered` does it."""
        notice, found, at = occasion.notice, occasion.found, occasion.at
        status = self._world.past.issues.status(notice.issue_id or 0, at)
        gate = occasion.gate or routing.gate_of_notice(
            KINDS[notice.kind], UNRESOLVED if occasion.is_open else status
        )
        if gate is None and found and self._world.is_silent(notice.rule_id, at):
            gate = "rule_muted"
        if gate is None and found and gating.is_ownerless(notice, found):
            gate = "no_owner"
        if gate:
            return Considered(gate)
        named = found.targets.people if found else None
        people = self._world.people(notice, at, named=named, environment=occasion.environment)
        return Considered(None, people)

    def _ring_batch(self, at: datetime, asked: Sequence[Asked], asks: Mapping[str, Occasion]) -> None:
        way = _Way(self, at, asks)
        decided = notifying.decide_batch(asked)
        told = routing.tally(decided)
        gathered = routing.gather(decided, told)
        slowed = [
            Decided(each, way.paced(each, verdicts)) for each, verdicts in zip(asked, gathered, strict=True)
        ]
        self._keep(at, slowed, asks)
        self._closing.summaries(at, asked[0].notice.batch or "")

    def _keep(self, at: datetime, decided: Sequence[Decided], asks: Mapping[str, Occasion]) -> None:
        for each in decided:
            notice = each.asked.notice
            occasion = asks[notice.public_id]
            self.gates[occasion.name] = each.asked.found.gate
            for verdict in each.verdicts:
                self._told(at, occasion.name, notice, verdict, occasion)
            if each.asked.found.gate in (None, destinations.NO_OWNER):
                self._tell_elsewhere(at, occasion.name, notice, each.asked.what, occasion.environment)
        for summary in self._weather.summaries:
            self.gates[summary.public_id] = None
            self._tell_elsewhere(at, summary.public_id, summary, None, None)
        self._weather.summaries.clear()

    def _told(
        self,
        at: datetime,
        name: str,
        notice: Notice,
        verdict: routing.Verdict,
        occasion: Occasion | None,
    ) -> None:
        key = Key(name, Subject(PERSON, verdict.person_id))
        self.said[key] = verdict
        if verdict.outcome == Outcome.SEND:
            self.answers[key] = Told(verdict.outcome, verdict.code, ("now", key), at)
            self._known.sent(verdict.person_id, at)
        elif verdict.outcome == Outcome.DEFER:
            held = occasion or Occasion(notice, name, at, (), Happening(KINDS[notice.kind]))
            self._closing.hold(at, held, verdict)
        else:
            self.answers[key] = Told(verdict.outcome, verdict.code)
            if verdict.code == "merged" and notice.rule_id:
                self._closing.carry(verdict, notice.rule_id, self._numbers)

    def _tell_elsewhere(
        self, at: datetime, name: str, notice: Notice, what: Happening | None, environment: str | None
    ) -> None:
        if not KINDS[notice.kind].integration:
            return
        known, hold = self._world.past.destinations, self._world.hold(notice, environment, at)
        for each in destinations.answers(notice, known, self._open_for(name, notice), what):
            said = destinations.waiting(notice, each, hold) if hold else each
            key = Key(name, Subject(DESTINATION, said.destination.id))
            is_sent = said.outcome == Outcome.SEND
            self.answers[key] = Told(said.outcome, said.code, ("now", key) if is_sent else None, at)
            if is_sent and KINDS[notice.kind].integration in OPENING:
                self._opened.add((said.destination.id, notice.issue_id))

    def _open_for(self, name: str, notice: Notice) -> set[tuple[int, int | None]]:
        """What was closed, had been open; of what did not happen, what this run opened."""
        issue_id, recorded = notice.issue_id, self._world.past.recorded.told.answers
        if name not in self._world.past.recorded.told.gates:
            return self._opened
        keys = ((each.id, Key(name, Subject(DESTINATION, each.id))) for each in self._world.past.destinations)
        return {(each, issue_id) for each, key in keys if key in recorded and recorded[key].code == "send"}

    def _hear(self, occasion: Occasion) -> None:
        """What stands as it is on record may be what others wait for."""
        recorded = self._world.past.recorded.told.answers
        for user_id in self._world.past.members:
            told = recorded.get(Key(occasion.name, Subject(PERSON, user_id)))
            if told and told.message is not None and told.outcome == Outcome.SEND:
                self._known.sent(user_id, occasion.at)
                if occasion.is_alert and occasion.what.kind.in_thread:
                    self._known.mark(self._world.past.project.id, [user_id])

    # Storms

    def _update(self, at: datetime, summary: Notice, named: Mapping[int, Target]) -> None:
        """Those who know of it are told how it stands."""
        people = self._world.people(summary, at, named=named, environment=None, only=list(named))
        self.sum_up(at, summary, Happening(KINDS[storms.STORM]), people)
        self._keep(at, (), {})

    def sum_up(
        self, at: datetime, summary: Notice, what: Happening, people: Sequence[Person]
    ) -> list[tuple[Notice, routing.Verdict]]:
        """As `storming.tell` does it."""
        if not people:
            return []
        decided = routing.plan(what, people)
        slowed = self.slowed(summary, what, people, decided, at)
        self._weather.told(slowed)
        for verdict in slowed:
            self._told(at, summary.public_id, summary, verdict, None)
        return []

    def slowed(
        self,
        notice: Notice,
        what: Happening,
        people: Sequence[Person],
        verdicts: Sequence[routing.Verdict],
        at: datetime,
    ) -> list[routing.Verdict]:
        return pacing.slowed(
            self.session, notice.project_id, what, people, verdicts, now=at, known=self._known
        )


@dataclass(frozen=True, slots=True)
class _Way:
    """What decides beside a notice itself, from what the run decided before."""

    bell: Bell
    at: datetime
    occasions: Mapping[str, Occasion]

    def calmed(self, asked: Mapping[Notice, Happening]) -> Mapping[Notice, Calmed]:
        return self.bell.calmed(asked, self.at, self.occasions)

    def slowed(self, asked: Asked, verdicts: Sequence[routing.Verdict]) -> Sequence[routing.Verdict]:
        said = notifying.woken(verdicts, self.bell.last_resort) if asked.what.is_fatal else verdicts
        return self.paced(asked, said)

    def paced(self, asked: Asked, verdicts: Sequence[routing.Verdict]) -> Sequence[routing.Verdict]:
        given = assignment_bursts.gathered(self.bell.session, asked.notice, verdicts, now=self.at)
        return self.bell.slowed(asked.notice, asked.what, asked.people, given, self.at)

    def summed_up(
        self, storm: Notice, asked: Asked, verdicts: Sequence[routing.Verdict]
    ) -> Sequence[tuple[Notice, routing.Verdict]]:
        return self.bell.summed_up(storm, asked, verdicts, self.at)


def _changes(world: World) -> list[tuple[datetime, int, bool]]:
    """When people changed their hours, or how often they are told; the last one first."""
    since, past = world.past.recorded.since, world.past
    found = [(at, user_id, False) for at, user_id in past.hours.changes]
    found += [(at, user_id, True) for at, user_id in past.chosen.paces]
    return sorted((each for each in found if each[0] > since), reverse=True)
