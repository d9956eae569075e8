"""What is on record of a project's notices: who was told, and what was being held meanwhile."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session, joinedload

from app.domain import flapping, storms
from app.domain.kinds import ALERTS, KINDS
from app.domain.routing import Outcome, Reason
from app.domain.simulating import PERSON, Key, Run, Subject, Told
from app.models import Delivery, Digest, Notice, Project, Storm, Verdict
from app.services.calm import pacing, pausing, quieting
from app.services.issues import assignment_bursts

CHUNK = 500
# What was sent so long before still matters for what may be sent at once.
LONGEST_WINDOW = timedelta(hours=1)
ALERT_KINDS = tuple(kind.name for kind in KINDS.values() if kind.category == ALERTS and kind.in_thread)


@dataclass(frozen=True, slots=True)
class Held:
    """A digest as it was: `opened_at` tells it from others of its person and key."""

    id: int
    user_id: int
    key: str
    opened_at: datetime
    send_at: datetime
    closed_at: datetime | None
    asked_for: bool


@dataclass(frozen=True, slots=True)
class Recorded:
    """All of that, from `since` until `until`.

    `reasons`: why people were asked about, by notice and person. `sent_at`: who was sent alerts of the
    project shortly before. `others`: when people were sent messages that are not about these notices.
    `total`: how many notices there are in the whole time, of which `notices` are the first.
    """

    since: datetime
    until: datetime
    total: int
    notices: Sequence[Notice]
    told: Run
    reasons: Mapping[tuple[str, int], Sequence[Reason]] = field(default_factory=dict)
    held: Mapping[tuple[int, str, datetime], Held] = field(default_factory=dict)
    open_at_first: Sequence[Held] = ()
    sent_at: Mapping[int, datetime] = field(default_factory=dict)
    others: Mapping[int, Sequence[datetime]] = field(default_factory=dict)
    came_back: Sequence[tuple[Notice, frozenset[int]]] = ()
    storms: Sequence[Storm] = ()


def load(
    session: Session, project: Project, people: Collection[int], since: datetime, until: datetime, most: int
) -> Recorded:
    """The first `most` notices of that time, and what was decided about them."""
    span = _planned(project, since, until)
    notices = session.scalars(
        select(Notice)
        .where(*span)
        .order_by(Notice.planned_at, Notice.id)
        .limit(most)
        .options(joinedload(Notice.activity))
    ).all()
    total = len(notices)
    if total == most:
        total = session.scalar(select(func.count()).select_from(Notice).where(*span)) or 0
    rows = _verdicts(session, notices)
    digests = _digests(session, {row.digest_id for row in rows if row.digest_id})
    return Recorded(
        since=since,
        until=until,
        total=total,
        notices=notices,
        told=_told(notices, rows, digests),
        reasons=_reasons(notices, rows),
        held={(each.user_id, each.key, each.opened_at): each for each in digests.values()},
        open_at_first=_open_at(session, project, people, since),
        sent_at=_sent_at(session, project, since),
        others=_others(session, project, people, since, until, digests),
        came_back=_came_back(session, project, since),
        storms=session.scalars(
            select(Storm)
            .where(Storm.project_id == project.id, or_(Storm.ended_at.is_(None), Storm.ended_at > since))
            .options(joinedload(Storm.notice))
        ).all(),
    )


def nothing(at: datetime) -> Recorded:
    """No past at all: a moment by itself."""
    return Recorded(at, at, 0, (), Run({}, {}))


def standing(session: Session, project: Project, people: Collection[int], at: datetime) -> Recorded:
    """A moment as it is: what is being held, and who was told lately."""
    return Recorded(
        since=at,
        until=at,
        total=0,
        notices=(),
        told=Run({}, {}),
        open_at_first=_open_at(session, project, people, at),
        sent_at=_sent_at(session, project, at),
        others=_others(session, project, people, at, at, ()),
        came_back=_came_back(session, project, at),
    )


def name_of(notice: Notice) -> str:
    """A summary of a storm is known by when it was made: a run makes its own."""
    if notice.kind == storms.STORM:
        return storm_name(notice.occurred_at)
    return notice.public_id


def storm_name(at: datetime) -> str:
    return f"{storms.STORM} {at.isoformat()}"


def _planned(project: Project, since: datetime, until: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        Notice.project_id == project.id,
        Notice.occurred_at >= since,
        Notice.occurred_at <= until,
        Notice.planned_at <= until,
    )


def _verdicts(session: Session, notices: Sequence[Notice]) -> list[Any]:
    columns = (
        Verdict.id,
        Verdict.notice_id,
        Verdict.subject,
        Verdict.subject_id,
        Verdict.outcome,
        Verdict.code,
        Verdict.reasons,
        Verdict.digest_id,
    )
    ids = [notice.id for notice in notices]
    found: list[Any] = []
    for start in range(0, len(ids), CHUNK):
        wanted = Verdict.notice_id.in_(ids[start : start + CHUNK])
        found += session.execute(select(*columns).where(wanted)).all()
    return found


def _digests(session: Session, ids: Collection[int]) -> dict[int, Held]:
    known = sorted(ids)
    found: dict[int, Held] = {}
    for start in range(0, len(known), CHUNK):
        wanted = select(Digest).where(Digest.id.in_(known[start : start + CHUNK]))
        found |= {row.id: _held(row) for row in session.scalars(wanted)}
    return found


def _held(row: Digest) -> Held:
    return Held(row.id, row.user_id, row.key, row.opened_at, row.send_at, row.closed_at, row.is_asked_for)


def _told(notices: Iterable[Notice], rows: Iterable[Any], digests: Mapping[int, Held]) -> Run:
    of = {notice.id: notice for notice in notices}
    answers = {
        Key(name_of(notice), Subject(row.subject, row.subject_id)): _answer(row, notice, digests)
        for row in rows
        if (notice := of.get(row.notice_id))
    }
    return Run(answers, {name_of(notice): notice.gate_code for notice in of.values()})


def _answer(row: Any, notice: Notice, digests: Mapping[int, Held]) -> Told:
    """What was called off on its way is no message, though it was to be one."""
    if row.outcome == Outcome.SEND:
        return Told(row.outcome, row.code, row.id if row.code == "send" else None, notice.planned_at)
    digest = digests.get(row.digest_id or 0)
    if row.outcome == Outcome.DEFER and digest:
        return Told(row.outcome, row.code, f"digest {digest.id}", digest.closed_at or digest.send_at)
    return Told(row.outcome, row.code)


def _reasons(notices: Iterable[Notice], rows: Iterable[Any]) -> dict[tuple[str, int], Sequence[Reason]]:
    of = {notice.id: notice.public_id for notice in notices}
    return {
        (of[row.notice_id], row.subject_id): [Reason(each) for each in row.reasons]
        for row in rows
        if row.subject == PERSON
    }


# How things stood at first


def _ours(project: Project) -> tuple[str, ...]:
    """The keys of digests that this project's notices may wait in, beside those of one action."""
    own = (pacing.key_of(project.id), pausing.key_of(project.id), assignment_bursts.key_of(project.id))
    return (quieting.HELD, pacing.CAPPED, *own)


def _open_at(session: Session, project: Project, people: Collection[int], at: datetime) -> list[Held]:
    was_open = or_(Digest.closed_at.is_(None), Digest.closed_at >= at)
    found = select(Digest).where(
        Digest.user_id.in_(people), Digest.opened_at < at, was_open, Digest.key.in_(_ours(project))
    )
    return [_held(row) for row in session.scalars(found.order_by(Digest.id))]


def _sent_at(session: Session, project: Project, before: datetime) -> dict[int, datetime]:
    """Who was sent alerts of the project within the longest window before, at once or together."""
    lately = before - LONGEST_WINDOW
    at_once = (
        select(Verdict.subject_id, func.max(Notice.planned_at))
        .join(Verdict.notice)
        .where(Notice.project_id == project.id, Notice.kind.in_(ALERT_KINDS))
        .where(Notice.planned_at >= lately, Notice.planned_at < before)
        .where(Verdict.subject == PERSON, Verdict.outcome == Outcome.SEND)
        .group_by(Verdict.subject_id)
    )
    together = (
        select(Digest.user_id, func.max(Digest.closed_at))
        .join(Digest.delivery)
        .where(Digest.key == pacing.key_of(project.id))
        .where(Digest.closed_at >= lately, Digest.closed_at < before)
        .group_by(Digest.user_id)
    )
    found: dict[int, datetime] = {}
    for user_id, at in (*session.execute(at_once), *session.execute(together)):
        found[user_id] = max(at, found.get(user_id, at))
    return found


def _others(
    session: Session,
    project: Project,
    people: Collection[int],
    since: datetime,
    until: datetime,
    digests: Collection[int],
) -> Mapping[int, list[datetime]]:
    """Messages to these people that no notice of ours stands behind: they count for the cap all the same."""
    found = (
        select(Delivery.user_id, Delivery.created_at, Delivery.digest_id, Notice.project_id)
        .add_columns(Notice.occurred_at)
        .outerjoin(Delivery.verdict)
        .outerjoin(Verdict.notice)
        .outerjoin(Digest, Digest.id == Delivery.digest_id)
        .where(Delivery.user_id.in_(people), Delivery.state != "cancelled")
        .where(Delivery.created_at > since - pacing.HOUR, Delivery.created_at <= until)
        .where(Delivery.kind.not_in(pacing.UNCOUNTED))
    )
    others: defaultdict[int, list[datetime]] = defaultdict(list)
    for row in session.execute(found):
        is_ours = row.project_id == project.id and row.occurred_at >= since
        if not is_ours and (row.digest_id is None or row.digest_id not in digests):
            others[row.user_id].append(row.created_at)
    return others


def _came_back(session: Session, project: Project, before: datetime) -> list[tuple[Notice, frozenset[int]]]:
    """Who was told shortly before that issues had come back: what is flapping is told of seldom."""
    found = (
        select(Notice)
        .where(Notice.project_id == project.id, Notice.kind.in_(flapping.KINDS))
        .where(Notice.planned_at > before - flapping.SELDOM, Notice.occurred_at < before)
        .order_by(Notice.id)
    )
    notices = session.scalars(found).all()
    people: defaultdict[int, set[int]] = defaultdict(set)
    for row in _verdicts(session, notices):
        if row.subject == PERSON and row.outcome in (Outcome.SEND, Outcome.DEFER):
            people[row.notice_id].add(row.subject_id)
    return [(notice, frozenset(people[notice.id])) for notice in notices]
