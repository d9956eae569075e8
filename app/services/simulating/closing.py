"""Digests that go out while a past is gone through again: each decided anew first, as `holding` does it."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from app.domain import routing
from app.domain.kinds import KINDS
from app.domain.lifecycle import UNRESOLVED
from app.domain.pauses import REGRESSION
from app.domain.routing import Outcome, Reason
from app.domain.simulating import PERSON, Key, Subject, Told
from app.domain.targets import Target
from app.services.calm import holding, pacing, pausing
from app.services.rules import targeting
from app.services.simulating import waiting
from app.services.simulating.occasions import Occasion
from app.services.simulating.waiting import Shelf, Waiting
from app.services.simulating.world import World

Entry = tuple[Occasion, routing.Verdict]


class Closing:
    """Writes its answers where the run writes its own."""

    def __init__(self, world: World, shelf: Shelf, known: waiting.Told, answers: dict[Key, Told]) -> None:
        self._world, self._shelf, self._known, self._answers = world, shelf, known, answers

    def hold(self, at: datetime, occasion: Occasion, verdict: routing.Verdict) -> None:
        """Have it wait for its person."""
        key = waiting.key_of(occasion, verdict.code)
        self._put(at, key, occasion, verdict, waiting.until_of(verdict, at))

    def _put(
        self, at: datetime, key: str, occasion: Occasion, verdict: routing.Verdict, until: datetime
    ) -> None:
        digest = self._shelf.open(verdict.person_id, key, until, now=at)
        digest.entries[occasion.name] = (occasion, verdict)
        self._answer(occasion, verdict, digest.message, digest.send_at)

    def _answer(
        self, occasion: Occasion, verdict: routing.Verdict, message: str | None, at: datetime | None
    ) -> None:
        key = Key(occasion.name, Subject(PERSON, verdict.person_id))
        self._answers[key] = Told(verdict.outcome, verdict.code, message, at)

    def carry(self, verdict: routing.Verdict, rule_id: int, carriers: Mapping[str, int]) -> None:
        """An alert of this rule came to somebody with another one."""
        carrier = carriers.get(str(verdict.params.get("notice")))
        if carrier is not None:
            self._world.carried.setdefault((carrier, verdict.person_id), set()).add(rule_id)

    # Going out

    def until(self, moment: datetime) -> None:
        """Whatever went out by then."""
        while (found := self._shelf.take(moment)) is not None:
            digest, at = found
            self._known.reach(at)
            self._close(digest, at)

    def summaries(self, at: datetime, batch: str) -> None:
        """What one action did to several issues is told at once, unless it is too much."""
        digests = self._shelf.take_of(holding.batch_key(batch))
        capped = self._known.capped([each.user_id for each in digests])
        for digest in digests:
            until = capped.get(digest.user_id)
            if until is None:
                self._deliver(digest, at)
                continue
            for occasion, verdict in digest.entries.values():
                moved = replace(verdict, outcome=Outcome.DEFER, code="recipient_cap")
                self._put(at, pacing.CAPPED, occasion, moved, until)

    def leave(self) -> None:
        """What waits on is told when it is due."""
        for digest in self._shelf.left():
            for occasion, verdict in digest.entries.values():
                self._answer(occasion, verdict, digest.message, digest.send_at)

    def _close(self, digest: Waiting, at: datetime) -> None:
        asked_for = self._shelf.is_asked_for(digest)
        spared = digest.key == pacing.CAPPED or asked_for
        capped = {} if spared else self._known.capped([digest.user_id])
        said = {name: self._again(entry, at, capped) for name, entry in digest.entries.items()}
        waits: defaultdict[str, dict[str, routing.Verdict]] = defaultdict(dict)
        for name, verdict in said.items():
            if verdict.outcome == Outcome.DEFER and not asked_for:
                waits[waiting.key_of(digest.entries[name][0], verdict.code)][name] = verdict
        if digest.key in waits and digest.kind != pausing.PAUSED:
            self._shelf.put_back(digest, _latest(waits[digest.key], at))
            return
        for name, verdict in said.items():
            if verdict.outcome not in (Outcome.SEND, Outcome.DEFER):
                occasion, _ = digest.entries.pop(name)
                self._answer(occasion, replace(verdict, outcome=Outcome.SKIP), None, None)
        for key, moved in waits.items():
            until = _latest(moved, at)
            for name, verdict in moved.items():
                occasion, _ = digest.entries.pop(name)
                self._put(at, key, occasion, verdict, until)
        self._deliver(digest, at)

    def _deliver(self, digest: Waiting, at: datetime) -> None:
        """What is left of it is one message."""
        if not digest.entries and not digest.earlier:
            return
        for occasion, verdict in digest.entries.values():
            self._answer(occasion, verdict, digest.message, at)
        self._known.sent(digest.user_id, at)
        if digest.kind == pacing.TOGETHER:
            self._known.mark(self._world.past.project.id, [digest.user_id])

    def _again(self, entry: Entry, at: datetime, capped: Mapping[int, datetime]) -> routing.Verdict:
        """What the evaluator says now, as `reconsidering` asks it."""
        occasion, verdict = entry
        if gate := self._gate(occasion, verdict, at):
            return routing.Verdict(verdict.person_id, verdict.channel, Outcome.SKIP, gate)
        named = {verdict.person_id: _target(verdict)} if _is_named(occasion) else None
        found = self._world.people(
            occasion.notice, at, named=named, environment=occasion.environment, only=[verdict.person_id]
        )
        what = replace(occasion.what, storm=None, flapping=None)
        said = [routing.decide(what, replace(who, capped_until=capped.get(who.id))) for who in found]
        return said[0] if said else verdict

    def _gate(self, occasion: Occasion, verdict: routing.Verdict, at: datetime) -> str | None:
        notice = occasion.notice
        if not KINDS[notice.kind].in_thread:
            return None
        status = self._world.past.issues.status(notice.issue_id or 0, at)
        if gate := occasion.gate or routing.gate_of_notice(KINDS[notice.kind], status):
            return gate
        is_settled = verdict.code == pausing.CODE and notice.kind == REGRESSION and status != UNRESOLVED
        return "no_longer_open" if is_settled else None


def _is_named(occasion: Occasion) -> bool:
    return targeting.is_rung(occasion.notice) or occasion.notice.kind == targeting.STORM


def _target(verdict: routing.Verdict) -> Target:
    return Target(frozenset(verdict.reasons) - {Reason.REQUIRED}, verdict.params.get("because") or {})


def _latest(said: Mapping[str, routing.Verdict], at: datetime) -> datetime:
    return max(waiting.until_of(verdict, at) for verdict in said.values())
