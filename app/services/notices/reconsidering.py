"""A decision taken again, before a message goes out late.

Between the decision and a late try people leave, unsubscribe or settle the issue, or their quiet hours begin.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType

from sqlalchemy.orm import Session

from app.domain import routing
from app.domain.routing import Outcome
from app.models import Delivery, Notice, Verdict
from app.services.calm import pausing
from app.services.notices import considering
from app.services.preferences.preferring import Defaults

# A decision this fresh stands.
FRESH = timedelta(minutes=1)
Objection = tuple[str, dict[str, object]]  # a code of the ladder, and its facts


@dataclass(frozen=True, slots=True)
class Objections:
    """What must not go out: verdicts that no longer hold, by id; deliveries that would not tell anything.

    And deliveries that have to wait, because their person's quiet hours have begun.
    """

    refused: Mapping[int, Objection] = field(default_factory=dict)
    cancelled: frozenset[int] = frozenset()
    put_off: Mapping[int, datetime] = field(default_factory=dict)

    def __or__(self, other: "Objections") -> "Objections":
        return Objections(
            {**self.refused, **other.refused},
            self.cancelled | other.cancelled,
            {**self.put_off, **other.put_off},
        )

    @property
    def deliveries(self) -> frozenset[int]:
        """All that do not go out now."""
        return self.cancelled | self.put_off.keys()


def objections(
    session: Session, deliveries: Collection[Delivery], *, now: datetime, instance: Defaults
) -> Objections:
    """What of these should not go out, or not now. Asks the one evaluator."""
    stale = [
        verdict
        for delivery in deliveries
        if now - delivery.created_at >= FRESH
        for verdict in delivery.carried
    ]
    answers = again(session, stale, now=now, instance=instance)
    answers |= gated(verdict for delivery in deliveries for verdict in delivery.carried)
    refused = refusals(answers)
    cancelled, put_off = set(), {}
    for delivery in deliveries:
        left = [verdict for verdict in delivery.carried if verdict.id not in refused]
        until = quiet_until(left, answers)
        if delivery.carried and not left:
            cancelled.add(delivery.id)
        elif until and not (delivery.digest and delivery.digest.is_asked_for):
            put_off[delivery.id] = until
    return Objections(refused, frozenset(cancelled), put_off)


def again(
    session: Session,
    verdicts: Collection[Verdict],
    *,
    now: datetime,
    instance: Defaults,
    capped: Mapping[int, datetime] = MappingProxyType({}),
) -> dict[int, routing.Verdict]:
    """What the evaluator says now to those whom these promised a message, by the verdict's id.

    `capped` are those who were sent too much lately, and until when that holds.
    """
    answers = gated(verdicts)
    asked = {(verdict.notice, verdict.subject_id): verdict.id for verdict in verdicts}
    for notices, people in _together(verdict for verdict in verdicts if verdict.id not in answers):
        what = considering.happenings(session, notices)
        found = considering.people(session, notices, instance, now=now, only=people)
        for notice in notices:
            around = (replace(who, capped_until=capped.get(who.id)) for who in found[notice])
            for said in routing.plan(what[notice], around):
                answers[asked[notice, said.person_id]] = said
    return answers


def gated(verdicts: Iterable[Verdict]) -> dict[int, routing.Verdict]:
    """The refusals of notices that have nothing left to say to anybody, by the verdict's id."""
    gates = {verdict.id: (verdict, _gate(verdict)) for verdict in verdicts}
    return {
        verdict_id: routing.Verdict(verdict.subject_id, verdict.channel, Outcome.SKIP, gate)
        for verdict_id, (verdict, gate) in gates.items()
        if gate
    }


def _gate(verdict: Verdict) -> str | None:
    return considering.gate(verdict.notice) or ("no_longer_open" if pausing.is_settled(verdict) else None)


def _together(verdicts: Iterable[Verdict]) -> Iterable[tuple[list[Notice], frozenset[int]]]:
    """Notices that the same people are asked about: one digest's, or one that many are told of."""
    people: dict[Notice, set[int]] = defaultdict(set)
    for verdict in verdicts:
        if verdict.notice.project_id is not None:
            people[verdict.notice].add(verdict.subject_id)
    notices: dict[frozenset[int], list[Notice]] = defaultdict(list)
    for notice, ids in people.items():
        notices[frozenset(ids)].append(notice)
    return [(those, ids) for ids, those in notices.items()]


def refusals(answers: Mapping[int, routing.Verdict]) -> dict[int, Objection]:
    """Those of the answers that are a no, by the verdict's id. Quiet hours are not: they only say when."""
    return {
        verdict_id: (said.code, dict(said.params))
        for verdict_id, said in answers.items()
        if said.outcome not in (Outcome.SEND, Outcome.DEFER)
    }


def quiet_until(verdicts: Iterable[Verdict], answers: Mapping[int, routing.Verdict]) -> datetime | None:
    """Until when quiet hours hold these back; None if they do not. A last resort is told in any case."""
    ends = [
        datetime.fromisoformat(answers[verdict.id].params["until"])
        for verdict in verdicts
        if verdict.id in answers
        and answers[verdict.id].outcome == Outcome.DEFER
        and not verdict.params.get("last_resort")
    ]
    return max(ends, default=None)
