"""Notice → facts about people → `routing.plan` → verdicts and deliveries, in one transaction.

Notices of one event are decided together, because one of them carries the others. So are those of a batch,
what one action did to several issues: nobody gets more than one message of it. `outbox` says which.
"""

import itertools
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from sqlalchemy import select, update
from sqlalchemy.orm import Session, joinedload

from app.domain import routing
from app.domain.kinds import KINDS
from app.domain.routing import Happening, Outcome, Person
from app.models import Notice, Project, TeamMember
from app.services.calm import calming, holding, pacing, storming
from app.services.calm.calming import Calmed
from app.services.calm.pacing import Known
from app.services.integrations import destinations
from app.services.issues import assignment_bursts, timeline
from app.services.mails import mail_threads
from app.services.notices import considering, gating, standing_in, storing, telling
from app.services.notices.gating import Considered
from app.services.notices.outbox import CHUNK, MOST_VERDICTS, Group
from app.services.notices.storing import Pair
from app.services.preferences.preferring import Defaults
from app.services.releases import deploying

# Planning


def plan(session: Session, notice_ids: Collection[int], *, now: datetime, instance: Defaults) -> list[int]:
    """Decide who is told of the notices of an event; the deliveries to send now. Run twice, it plans once."""
    return plan_lot(session, [notice_ids], now=now, instance=instance)


def plan_lot(
    session: Session, events: Sequence[Collection[int]], *, now: datetime, instance: Defaults
) -> list[int]:
    """The same for a lot of events, one after the other, as if each had been planned by itself.

    `outbox.lots` says of which events: of others, how one is decided may depend on what is stored of another.
    """
    of_event = {notice_id: event for event, ids in enumerate(events) for notice_id in ids}
    asked: dict[int, list[Asked]] = defaultdict(list)
    for each in _ask(session, _claim(session, list(of_event), now), now, instance):
        asked[of_event[each.notice.id]].append(each)
    known = Known(session, now=now, many=len(events))
    known.lock(_told_at_first(asked))
    decided: list[Decided] = []
    summed_up: list[Pair] = []
    for event in sorted(asked):
        theirs, summary = decide_event(asked[event], _Stored(session, known, now))
        decided += theirs
        summed_up += summary
    return [*_keep(session, decided, now, instance), *store(session, summed_up, now=now)]


def _told_at_first(asked: Mapping[int, Sequence["Asked"]]) -> dict[int, set[int]]:
    """Whom these would be told at once, by project, as far as the notices by themselves say."""
    if len(asked) < 2:
        return {}
    found: dict[int, set[int]] = defaultdict(set)
    for each in itertools.chain.from_iterable(asked.values()):
        sent = (one.person_id for one in each.decide({}) if one.outcome == Outcome.SEND)
        found[each.notice.project_id or 0].update(sent)
    return found


class Way(Protocol):
    """What decides beside the notice itself: what was told before, of it and of others."""

    def calmed(self, asked: Mapping[Notice, Happening]) -> Mapping[Notice, Calmed]: ...

    def slowed(self, asked: "Asked", verdicts: Sequence[routing.Verdict]) -> Sequence[routing.Verdict]: ...

    def summed_up(
        self, storm: Notice, asked: "Asked", verdicts: Sequence[routing.Verdict]
    ) -> Sequence["Pair"]: ...


@dataclass(frozen=True, slots=True)
class _Stored:
    """The way of what really happens."""

    session: Session
    known: Known
    now: datetime

    def calmed(self, asked: Mapping[Notice, Happening]) -> Mapping[Notice, Calmed]:
        return calming.calmed(self.session, asked, now=self.now)

    def slowed(self, asked: "Asked", verdicts: Sequence[routing.Verdict]) -> Sequence[routing.Verdict]:
        return _slowed(self.session, asked, _wake(self.session, asked, verdicts), self.known, self.now)

    def summed_up(
        self, storm: Notice, asked: "Asked", verdicts: Sequence[routing.Verdict]
    ) -> Sequence["Pair"]:
        return storming.tell(self.session, storm, asked.what, asked.people, verdicts, now=self.now)


def decide_event(asks: Sequence["Asked"], way: Way) -> tuple[list["Decided"], list["Pair"]]:
    """What is answered about one event, and to whom a storm of new issues is summed up because of it.

    The notice that carries the others comes first, and takes along whoever it tells. What it holds for the
    morning takes along nothing that is not held; alerts that come together wait together.
    """
    decided: list[Decided] = []
    told: dict[int, str] = {}
    held: dict[int, str] = {}
    open_ = {asked.notice: asked.what for asked in asks if not asked.found.gate}
    calm = way.calmed(open_)
    summed_up: list[Pair] = []
    for each in asks:
        calmed = calm.get(each.notice, Calmed(each.what))
        asked = replace(each, what=calmed.what)
        carried = told if asked.what.is_fatal or asked.what.may_interrupt else {**held, **told}
        verdicts = way.slowed(asked, asked.decide(carried))
        decided.append(Decided(asked, verdicts))
        if calmed.storm:
            already = {one.person_id for _, one in summed_up}
            new = [one for one in verdicts if one.person_id not in already]
            summed_up += way.summed_up(calmed.storm, asked, new)
        joined = [one for one in verdicts if one.outcome == Outcome.SEND or one.code == "batched"]
        told |= {one.person_id: asked.notice.public_id for one in joined}
        held |= {one.person_id: asked.notice.public_id for one in verdicts if one.outcome == Outcome.DEFER}
    return decided, summed_up


@dataclass(frozen=True, slots=True)
class Survey:
    """Of how many notices of a batch each person is told, and how many of them fit one transaction."""

    told: Mapping[int, int]
    size: int


def survey(session: Session, group: Group, *, now: datetime, instance: Defaults) -> Survey:
    """Look at a batch as a whole before any of it is written: its parts need to know. Only reads."""
    told = Counter(holding.waiting_for(session, group.batch or ""))
    count = 0
    for ids in group.parts(CHUNK):
        verdicts = decide_batch(_ask(session, _load(session, ids), now, instance))
        told += routing.tally(verdicts)
        count += sum(map(len, verdicts))
    return Survey(told, max(1, MOST_VERDICTS * len(group.notice_ids) // max(count, 1)))


def plan_part(
    session: Session,
    batch: str,
    notice_ids: Collection[int],
    told: Mapping[int, int],
    *,
    now: datetime,
    instance: Defaults,
) -> list[int]:
    """Decide who is told of some notices of a batch; with its last ones the summaries are sent."""
    asked = _ask(session, _claim(session, notice_ids, now), now, instance)
    verdicts = routing.gather(decide_batch(asked), told)
    slowed = [
        _slowed(session, each, said, Known(session, now=now), now)
        for each, said in zip(asked, verdicts, strict=True)
    ]
    delivery_ids = _keep(session, list(map(Decided, asked, slowed)), now, instance)
    return [*delivery_ids, *holding.send_summaries(session, batch, now=now)]


def decide_batch(asked: Sequence["Asked"]) -> list[list[routing.Verdict]]:
    """The verdicts of each. A resolution takes along the assignment to whoever claimed the issue with it.

    So does a deploy itself in the other projects: whoever hears of it in one hears of it once.
    """
    carried: dict[int | None, dict[int, str]] = {}
    decided = []
    for each in asked:
        notice = each.notice
        is_deploy = notice.kind == deploying.DEPLOY
        verdicts = each.decide(carried.get(notice.issue_id, {}) if each.is_claim or is_deploy else {})
        decided.append(verdicts)
        if is_deploy or (notice.activity and notice.activity.data.get(timeline.CLAIMED)):
            promised = (one for one in verdicts if one.outcome in (Outcome.SEND, Outcome.DEFER))
            told = {one.person_id: notice.public_id for one in promised}
            carried[notice.issue_id] = {**told, **carried.get(notice.issue_id, {})}
    return decided


def _claim(session: Session, notice_ids: Collection[int], now: datetime) -> Sequence[Notice]:
    """The notices that are ours to plan: the database is the referee.

    Their issues are locked first, as by everybody who changes both. Who waited for a merge that way finds
    notices that belong to another issue since then.
    """
    issue_ids = select(Notice.issue_id).where(Notice.id.in_(notice_ids), Notice.planned_at.is_(None))
    held = telling.lock(session, issue_ids)
    telling.begin_anew(session, held)
    won = session.execute(
        update(Notice)
        .where(Notice.id.in_(notice_ids), Notice.planned_at.is_(None))
        .values(planned_at=now)
        .returning(Notice.id, Notice.issue_id)
        .execution_options(synchronize_session=False)
    ).all()
    if moved := {row.issue_id for row in won if row.issue_id} - set(held):
        telling.begin_anew(session, telling.lock(session, moved))
    return _load(session, [row.id for row in won])


def _load(session: Session, notice_ids: Collection[int]) -> Sequence[Notice]:
    """In the order in which they are decided: one that carries others comes before them."""
    together = (joinedload(Notice.issue), joinedload(Notice.activity))
    found = session.scalars(select(Notice).where(Notice.id.in_(notice_ids)).options(*together)).all()
    return sorted(found, key=lambda notice: (-KINDS[notice.kind].carries, notice.id))


# Deciding


@dataclass(frozen=True, slots=True)
class Asked:
    """A notice, and all that the evaluator is told about it. Where it stops at a gate, it concerns nobody."""

    notice: Notice
    what: Happening
    found: Considered

    @property
    def people(self) -> Sequence[Person]:
        return self.found.people

    @property
    def rank(self) -> tuple[int, bool, bool, int]:
        """Whatever carries others comes before them; of alerts, what is held up by less."""
        what = self.what
        return -what.kind.carries, not what.may_interrupt, not what.is_required, self.notice.id

    @property
    def is_claim(self) -> bool:
        """Somebody gave the issue to themselves."""
        to = (self.notice.activity.data.get("to") if self.notice.activity else None) or {}
        return (to.get("type"), to.get("id")) == ("user", self.notice.actor_id)

    def decide(self, carried: Mapping[int, str]) -> list[routing.Verdict]:
        """`carried` are those who hear of the same event through another notice, and through which."""
        return routing.plan(
            self.what,
            (replace(who, carried_by=carried[who.id]) if who.id in carried else who for who in self.people),
        )


@dataclass(frozen=True, slots=True)
class Decided:
    """What the evaluator answered."""

    asked: Asked
    verdicts: Sequence[routing.Verdict]


def _ask(session: Session, notices: Sequence[Notice], now: datetime, instance: Defaults) -> list[Asked]:
    found = gating.considered(session, notices, instance, now=now)
    what = considering.happenings(session, notices)
    asked = [Asked(notice, what[notice], found[notice]) for notice in notices]
    return sorted(asked, key=lambda each: each.rank)


def _wake(session: Session, asked: Asked, verdicts: Sequence[routing.Verdict]) -> Sequence[routing.Verdict]:
    """A fatal alert reaches somebody who is awake, if there is anybody to be woken.

    First those whom the project names; where they would not be told either, all who would be told later.
    """
    if not asked.what.is_fatal:
        return verdicts
    return woken(verdicts, last_resort(session, asked.notice.project_id))


def woken(verdicts: Sequence[routing.Verdict], first: Collection[int]) -> Sequence[routing.Verdict]:
    found = routing.wake(verdicts, first)
    return routing.wake(found, {each.person_id for each in found})


def _slowed(
    session: Session, asked: Asked, verdicts: Sequence[routing.Verdict], known: Known, now: datetime
) -> list[routing.Verdict]:
    given = assignment_bursts.gathered(session, asked.notice, verdicts, now=now)
    return pacing.slowed(
        session, asked.notice.project_id, asked.what, asked.people, given, now=now, known=known
    )


def last_resort(session: Session, project_id: int | None) -> set[int]:
    """Whom the project names for fatal alerts that would wake nobody."""
    project = session.get_one(Project, project_id)
    if project.last_resort_user_id:
        return {project.last_resort_user_id}
    members = select(TeamMember.user_id).where(TeamMember.team_id == project.last_resort_team_id)
    return set(session.scalars(members))


# Keeping


def _keep(session: Session, decided: Sequence[Decided], now: datetime, instance: Defaults) -> list[int]:
    """Write down what was decided; the deliveries to send now."""
    for each in decided:
        _note(session, each, now)
    pairs = [(each.asked.notice, verdict) for each in decided for verdict in each.verdicts]
    delivery_ids = store(session, pairs, now=now)
    what = {each.asked.notice: each.asked.what for each in decided}
    told = destinations.tell(session, list(what), what, now=now)
    for notice, missed in told.missed:
        instead = standing_in.answers(session, notice, missed.destination, now=now, instance=instance)
        delivery_ids += store(session, instead, now=now)
    return delivery_ids


def store(session: Session, pairs: Sequence[Pair], *, now: datetime) -> list[int]:
    """Write down these answers about people; the deliveries to send now."""
    digest_ids = storing.open_digests(session, pairs, now)
    verdict_ids = storing.store_verdicts(session, pairs, digest_ids)
    return storing.store_deliveries(session, pairs, verdict_ids, now)


def _note(session: Session, decided: Decided, now: datetime) -> None:
    """What the notice itself remembers; what is promised now or for later joins the issue's thread."""
    notice = decided.asked.notice
    found = decided.asked.found
    notice.gate_code, notice.owners_version = found.gate, found.owners_version
    notice.data = {**notice.data, "members": len(found.people), **found.notes}
    if found.trouble is not None and notice.rule and (notice.rule.trouble or "") != found.trouble:
        notice.rule.trouble, notice.rule.trouble_at = found.trouble or None, now if found.trouble else None
    promised = any(verdict.outcome in (Outcome.SEND, Outcome.DEFER) for verdict in decided.verdicts)
    if promised and notice.issue and KINDS[notice.kind].in_thread:
        notice.mail_epoch = mail_threads.join(session, notice.issue, now=now, event_id=notice.event_id)
