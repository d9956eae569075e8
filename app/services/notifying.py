"""Notice → facts about people → `routing.plan` → verdicts and deliveries, in one transaction.

Notices of one event are planned together, because one of them carries the others. So are those of a batch,
what one action did to several issues: nobody gets more than one message of it.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, Row, Select, insert, or_, select, tuple_, update
from sqlalchemy.orm import Session, aliased, joinedload

from app.domain import routing
from app.domain.kinds import KINDS
from app.domain.routing import Happening, Outcome, Person
from app.models import Delivery, Issue, Notice, Project, TeamMember, Verdict
from app.services import (
    assignment_bursts,
    calming,
    considering,
    delivering,
    destinations,
    gating,
    holding,
    mail_threads,
    pacing,
    reaching,
    standing_in,
    storming,
    timeline,
)
from app.services.calming import Calmed
from app.services.gating import Considered
from app.services.preferring import Defaults
from app.services.upserting import insert_all

# SQLite has one writer: a transaction of so many verdicts holds it up for a fraction of a second.
MOST_VERDICTS = 2000
# Notices that are read at once where nothing is written.
CHUNK = 200


# What is planned together

Unplanned = Row[int, int | None, int | None, str | None, str | None]


@dataclass(frozen=True, slots=True)
class Group:
    """Notices to be planned together: those of one event, or of the batch of this name.

    `issue_ids` are what each of them is about.
    """

    notice_ids: Sequence[int]
    issue_ids: Sequence[int | None]
    batch: str | None = None

    def parts(self, size: int) -> Iterator[Sequence[int]]:
        """The notices, about so many at a time; consecutive ones of an issue stay together."""
        part: list[int] = []
        before: int | None = None
        for notice_id, issue_id in zip(self.notice_ids, self.issue_ids, strict=True):
            if len(part) >= size and issue_id != before:
                yield part
                part = []
            part.append(notice_id)
            before = issue_id
        yield part


def groups(session: Session, notice_ids: Collection[int], *, now: datetime) -> list[Group]:
    """These notices, and unplanned others that belong to them, as far as their time has come."""
    asked = session.execute(_unplanned(now).where(Notice.id.in_(notice_ids))).all()
    events = {(row.project_id, row.event_id) for row in asked if row.event_id and not row.batch}
    batches = {row.batch for row in asked if row.batch}
    beside = or_(tuple_(Notice.project_id, Notice.event_id).in_(events), Notice.batch.in_(batches))
    others = session.execute(_unplanned(now).where(beside)).all() if events or batches else []
    found: dict[object, list[Unplanned]] = defaultdict(list)
    for row in sorted({row.id: row for row in (*asked, *others)}.values(), key=lambda row: row.id):
        found[row.batch or ((row.project_id, row.event_id) if row.event_id else row.id)].append(row)
    return [
        Group([row.id for row in rows], [row.issue_id for row in rows], rows[0].batch)
        for rows in found.values()
    ]


def is_waiting(now: datetime) -> ColumnElement[bool]:
    """A notice that is to be planned. One of a batch waits until all of the batch may be."""
    other = aliased(Notice)
    is_early = (other.plan_after > now) & other.planned_at.is_(None) & other.batch.is_not(None)
    return (
        Notice.planned_at.is_(None)
        & or_(Notice.plan_after.is_(None), Notice.plan_after <= now)
        & or_(Notice.batch.is_(None), Notice.batch.not_in(select(other.batch).where(is_early)))
    )


def _unplanned(now: datetime) -> Select[int, int | None, int | None, str | None, str | None]:
    columns = (Notice.id, Notice.project_id, Notice.issue_id, Notice.event_id, Notice.batch)
    return select(*columns).where(is_waiting(now))


# Planning


def plan(session: Session, notice_ids: Collection[int], *, now: datetime, instance: Defaults) -> list[int]:
    """Decide who is told of the notices of one event; the deliveries to send now. Run twice, it plans once.

    The notice that carries the others comes first, and takes along whoever it tells. What it holds for the
    morning takes along nothing that is not held; alerts that come together wait together.
    """
    decided: list[Decided] = []
    told: dict[int, str] = {}
    held: dict[int, str] = {}
    asks = _ask(session, _claim(session, notice_ids, now), now, instance)
    open_ = {asked.notice: asked.what for asked in asks if not asked.found.gate}
    calm = calming.calmed(session, open_, now=now)
    summed_up: list[Pair] = []
    for each in asks:
        calmed = calm.get(each.notice, Calmed(each.what))
        asked = replace(each, what=calmed.what)
        carried = told if asked.what.is_fatal or asked.what.may_interrupt else {**held, **told}
        verdicts = _slowed(session, asked, _wake(session, asked, asked.decide(carried)), now)
        decided.append(Decided(asked, verdicts))
        if calmed.storm:
            known = {one.person_id for _, one in summed_up}
            new = [one for one in verdicts if one.person_id not in known]
            summed_up += storming.tell(session, calmed.storm, asked.what, asked.people, new, now=now)
        joined = [one for one in verdicts if one.outcome == Outcome.SEND or one.code == "batched"]
        told |= {one.person_id: asked.notice.public_id for one in joined}
        held |= {one.person_id: asked.notice.public_id for one in verdicts if one.outcome == Outcome.DEFER}
    return [*_keep(session, decided, now, instance), *store(session, summed_up, now=now)]


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
        verdicts = _decide_batch(_ask(session, _load(session, ids), now, instance))
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
    verdicts = routing.gather(_decide_batch(asked), told)
    slowed = [_slowed(session, each, said, now) for each, said in zip(asked, verdicts, strict=True)]
    delivery_ids = _keep(session, list(map(Decided, asked, slowed)), now, instance)
    return [*delivery_ids, *holding.send_summaries(session, batch, now=now)]


def _decide_batch(asked: Sequence["Asked"]) -> list[list[routing.Verdict]]:
    """The verdicts of each. A resolution takes along the assignment to whoever claimed the issue with it."""
    carried: dict[int | None, dict[int, str]] = {}
    decided = []
    for each in asked:
        notice = each.notice
        verdicts = each.decide(carried.get(notice.issue_id, {}) if each.is_claim else {})
        decided.append(verdicts)
        if notice.activity and notice.activity.data.get(timeline.CLAIMED):
            promised = (one for one in verdicts if one.outcome in (Outcome.SEND, Outcome.DEFER))
            carried[notice.issue_id] = {one.person_id: notice.public_id for one in promised}
    return decided


def _claim(session: Session, notice_ids: Collection[int], now: datetime) -> Sequence[Notice]:
    """The notices that are ours to plan: the database is the referee.

    Their issues are locked first, as by everybody who changes both.
    """
    issue_ids = select(Notice.issue_id).where(Notice.id.in_(notice_ids), Notice.planned_at.is_(None))
    session.execute(select(Issue.id).where(Issue.id.in_(issue_ids)).order_by(Issue.id).with_for_update())
    won = session.scalars(
        update(Notice)
        .where(Notice.id.in_(notice_ids), Notice.planned_at.is_(None))
        .values(planned_at=now)
        .returning(Notice.id)
        .execution_options(synchronize_session=False)
    ).all()
    return _load(session, won)


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
    woken = routing.wake(verdicts, _last_resort(session, asked.notice))
    return routing.wake(woken, {each.person_id for each in woken})


def _slowed(
    session: Session, asked: Asked, verdicts: Sequence[routing.Verdict], now: datetime
) -> list[routing.Verdict]:
    given = assignment_bursts.gathered(session, asked.notice, verdicts, now=now)
    return pacing.slowed(
        session, asked.notice.project_id, asked.what, people=asked.people, verdicts=given, now=now
    )


def _last_resort(session: Session, notice: Notice) -> set[int]:
    project = session.get_one(Project, notice.project_id)
    if project.last_resort_user_id:
        return {project.last_resort_user_id}
    members = select(TeamMember.user_id).where(TeamMember.team_id == project.last_resort_team_id)
    return set(session.scalars(members))


# Keeping

Pair = tuple[Notice, routing.Verdict]


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
    digest_ids = _open_digests(session, pairs, now)
    verdict_ids = _store_verdicts(session, pairs, digest_ids)
    return _store_deliveries(session, pairs, verdict_ids, now)


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


def _open_digests(session: Session, pairs: Iterable[Pair], now: datetime) -> dict[str, dict[int, int]]:
    """Where what is held for each person is collected: digest ids by key and person."""
    send_at: dict[str, dict[int, datetime]] = defaultdict(dict)
    for notice, verdict in pairs:
        if verdict.outcome == Outcome.DEFER:
            send_at[holding.key_of(notice, verdict.code)][verdict.person_id] = _send_at(verdict, now)
    # In one order, as everybody locks them.
    return {key: holding.open_digests(session, key, at, now=now) for key, at in sorted(send_at.items())}


def _send_at(verdict: routing.Verdict, now: datetime) -> datetime:
    return datetime.fromisoformat(verdict.params["until"]) if "until" in verdict.params else now


def _store_verdicts(
    session: Session, pairs: Sequence[Pair], digest_ids: Mapping[str, Mapping[int, int]]
) -> dict[tuple[int, int], int]:
    """Write the verdicts, past the mapper: there are many. Those that send by notice and person."""
    rows = [_row(notice, verdict, digest_ids) for notice, verdict in pairs]
    insert_all(session, Verdict, [row for row in rows if row["outcome"] != Outcome.SEND])
    telling = [row for row in rows if row["outcome"] == Outcome.SEND]
    if not telling:
        return {}
    columns = delivering.VERDICTS.c
    stored = insert(delivering.VERDICTS).returning(columns.notice_id, columns.subject_id, columns.id)
    return {(notice_id, user_id): key for notice_id, user_id, key in session.execute(stored, telling)}


def _row(
    notice: Notice, verdict: routing.Verdict, digest_ids: Mapping[str, Mapping[int, int]]
) -> dict[str, object]:
    held = verdict.outcome == Outcome.DEFER
    return {
        "notice_id": notice.id,
        "subject": "user",
        "subject_id": verdict.person_id,
        "channel": verdict.channel,
        "outcome": str(verdict.outcome),
        "code": verdict.code,
        "params": dict(verdict.params),
        "reasons": [str(reason) for reason in verdict.reasons],
        "digest_id": digest_ids[holding.key_of(notice, verdict.code)][verdict.person_id] if held else None,
    }


def _store_deliveries(
    session: Session, pairs: Iterable[Pair], verdict_ids: Mapping[tuple[int, int], int], now: datetime
) -> list[int]:
    told = [(notice, verdict) for notice, verdict in pairs if verdict.outcome == Outcome.SEND]
    people: dict[int | None, set[int]] = defaultdict(set)
    for notice, verdict in told:
        people[notice.project_id].add(verdict.person_id)
    addresses = {place: reaching.addresses_of(session, ids, place) for place, ids in people.items()}
    rows = [
        delivering.row(
            verdict.person_id,
            addresses[notice.project_id][verdict.person_id],
            kind=notice.kind,
            subject=(notice.issue.mail_subject or "") if notice.issue else "",
            now=now,
            channel=verdict.channel,
            verdict_id=verdict_ids[notice.id, verdict.person_id],
        )
        for notice, verdict in told
    ]
    return list(session.scalars(insert(Delivery).returning(Delivery.id), rows)) if rows else []
