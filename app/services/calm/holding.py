"""What is held for a person, to go out as one message: opened, looked at again when its time comes, closed.

An open digest takes in verdicts. Closing it, what became of its verdicts, and its one delivery are rows of
one transaction: whoever is killed meanwhile leaves it open, and nothing is lost or doubled.
"""

import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Row, and_, bindparam, case, exists, func, insert, or_, select, update
from sqlalchemy.orm import Session, contains_eager, joinedload

from app.domain import routing
from app.domain.routing import Outcome
from app.models import Delivery, Digest, Issue, Notice, User, Verdict
from app.services import access
from app.services.calm import pacing, pausing, quieting
from app.services.issues import assignment_bursts
from app.services.mails import delivering
from app.services.notices import reconsidering
from app.services.preferences import reaching
from app.services.preferences.preferring import Defaults
from app.services.upserting import insert_into

BATCH, DIGEST = "batch", "digest"
_OF_BATCH = f"{BATCH}:"
# Of what waits because there is too much of it, the newest so many are kept; older ones are only counted.
MOST_KEPT = 1000


def batch_key(name: str) -> str:
    """The key of what one action did to several issues."""
    return f"{_OF_BATCH}{name}"


def key_of(notice: Notice, code: str) -> str:
    """The key of the digest that collects what is held with this code."""
    if code == "batched" and notice.kind == assignment_bursts.KIND and not notice.batch:
        return assignment_bursts.key_of(notice.project_id)
    if code == "batched":
        return batch_key(notice.batch) if notice.batch else pacing.key_of(notice.project_id)
    if code == pausing.CODE:
        return pausing.key_of(notice.project_id)
    return pacing.CAPPED if code == "recipient_cap" else quieting.HELD


# Opening


def open_digests(
    session: Session, key: str, send_at: Mapping[int, datetime], *, now: datetime
) -> dict[int, int]:
    """The open digest of each of these people, made if missing; locked: nobody closes it meanwhile.

    One of alerts goes out when the latest of them says, one of a maintenance as soon as the first may.
    """
    rows = [
        {
            "public_id": f"g_{secrets.token_hex(8)}",
            "kind": key.partition(":")[0],
            "key": key,
            "user_id": user_id,
            "opened_at": now,
            "send_at": send_at[user_id],
            "data": {},
        }
        for user_id in sorted(send_at)
    ]
    statement = insert_into(session, Digest).values(rows)
    given, kind = statement.excluded, key.partition(":")[0]
    changed = {
        pacing.TOGETHER: {"send_at": given["send_at"]},
        pausing.PAUSED: {
            "send_at": case((Digest.send_at > given["send_at"], given["send_at"]), else_=Digest.send_at)
        },
    }
    statement = statement.on_conflict_do_update(
        index_elements=("user_id", "key"),
        index_where=Digest.closed_at.is_(None),
        set_=changed.get(kind, {"key": given["key"]}),  # the same: in any case, the row is locked
    ).returning(Digest.user_id, Digest.id)
    return {user_id: digest_id for user_id, digest_id in session.execute(statement)}


def waiting_for(session: Session, batch: str) -> dict[int, int]:
    """How many notices of a batch wait already for each person's summary of it."""
    counted = (
        select(Digest.user_id, func.count())
        .join(Verdict, Verdict.digest_id == Digest.id)
        .where(Digest.key == batch_key(batch), Digest.closed_at.is_(None))
        .group_by(Digest.user_id)
    )
    return {user_id: count for user_id, count in session.execute(counted)}


# Closing


def due(session: Session, *, now: datetime, limit: int) -> Sequence[int]:
    """The digests whose time has come; the oldest first."""
    return session.scalars(select(Digest.id).where(_is_due(now)).order_by(Digest.send_at).limit(limit)).all()


def _is_due(now: datetime) -> ColumnElement[bool]:
    """A summary is not, as long as notices of its batch are to come."""
    batch = func.substr(Digest.key, len(_OF_BATCH) + 1)
    to_come = exists().where(Notice.batch == batch, Notice.planned_at.is_(None))
    is_complete = or_(Digest.kind != BATCH, ~to_come)
    return and_(Digest.closed_at.is_(None), Digest.send_at <= now, is_complete)


def send_due(session: Session, digest_id: int, *, now: datetime, instance: Defaults) -> int | None:
    """Close a digest: every verdict in it is decided again, and what still holds becomes one delivery.

    Its id is returned; None if nothing is left, if all of it is to wait on, or if another worker was quicker.
    What is to wait for another reason than before joins what waits for that.
    """
    since, capped = pacing.lock(session, digest_id), _capped(session, digest_id, now)
    digest = _claim(session, digest_id, now)
    if digest is None:
        return None
    _only_count(session, digest)
    held = _held(session, digest)
    answers = reconsidering.again(session, held, now=now, instance=instance, capped=capped)
    refused = reconsidering.refusals(answers)
    waiting = {} if digest.is_asked_for else _waiting(held, answers)
    if digest.key in waiting and digest.kind != pausing.PAUSED:
        digest.send_at, digest.closed_at = _until(waiting[digest.key].values()), None
        return None
    delivering.refuse(session.connection(), refused)
    for key, answers_there in waiting.items():
        _move(session, digest, key, answers_there, now)
    return _deliver(session, digest, now, since=since)


def _capped(session: Session, digest_id: int, now: datetime) -> Mapping[int, datetime]:
    """Whether its person was sent too much lately; what waited for that, or is asked for, waits no more."""
    digest = session.get(Digest, digest_id)
    if digest is None or digest.key == pacing.CAPPED or digest.is_asked_for:
        return {}
    return pacing.capped(session, [digest.user_id], now=now)


def send_summaries(session: Session, batch: str, *, now: datetime) -> list[int]:
    """Close the summaries of a batch that was planned just now, if that is all of it; the deliveries."""
    found = select(Digest.id, Digest.user_id).where(Digest.key == batch_key(batch), _is_due(now))
    people = {digest_id: user_id for digest_id, user_id in session.execute(found.order_by(Digest.user_id))}
    capped = pacing.capped(session, people.values(), now=now)
    sent = []
    for digest_id, user_id in people.items():
        digest = _claim(session, digest_id, now)
        if digest and user_id in capped:
            answers = {each.id: _too_much(each, capped[user_id]) for each in _held(session, digest)}
            _move(session, digest, pacing.CAPPED, answers, now)
        sent.append(_deliver(session, digest, now) if digest else None)
    return [delivery_id for delivery_id in sent if delivery_id]


def _too_much(verdict: Verdict, until: datetime) -> routing.Verdict:
    params = {**verdict.params, "until": until.isoformat()}
    return routing.Verdict(verdict.subject_id, verdict.channel, Outcome.DEFER, "recipient_cap", (), params)


Answers = Mapping[int, routing.Verdict]  # by the verdict's id


def _waiting(held: Iterable[Verdict], answers: Answers) -> Mapping[str, dict[int, routing.Verdict]]:
    """What is still to wait, by the key of the digest that collects it."""
    found: dict[str, dict[int, routing.Verdict]] = defaultdict(dict)
    for each in held:
        said = answers.get(each.id)
        if said and said.outcome == Outcome.DEFER:
            found[key_of(each.notice, said.code)][each.id] = said
    return found


def _until(answers: Iterable[routing.Verdict]) -> datetime:
    return max(datetime.fromisoformat(said.params["until"]) for said in answers)


def _move(session: Session, digest: Digest, key: str, answers: Answers, now: datetime) -> None:
    """Have these verdicts wait in another digest of the same person, for the reason that holds them now."""
    there = open_digests(session, key, {digest.user_id: _until(answers.values())}, now=now)
    columns = delivering.VERDICTS.c
    moved = update(delivering.VERDICTS).where(columns.id == bindparam("verdict"))
    changed = {"digest_id": there[digest.user_id], "code": bindparam("new_code")}
    session.connection().execute(
        moved.values({**changed, "params": bindparam("new_params")}),
        [
            {"verdict": verdict_id, "new_code": said.code, "new_params": dict(said.params)}
            for verdict_id, said in answers.items()
        ],
    )


def _only_count(session: Session, digest: Digest) -> None:
    """Keep the newest of very many alerts; how many older ones there were is all that is told of them."""
    if digest.kind not in (pacing.TOGETHER, pacing.CAPPED, pausing.PAUSED):
        return
    waits = Verdict.digest_id == digest.id, Verdict.outcome == Outcome.DEFER
    newest = select(Verdict.id).where(*waits).order_by(Verdict.id.desc())
    oldest = session.scalar(newest.offset(MOST_KEPT - 1).limit(1))
    if oldest is None:
        return
    older = update(Verdict).where(*waits, Verdict.id < oldest)
    counted = session.connection().execute(
        older.values(outcome=str(Outcome.COLLAPSE), params={"counted": True})
    )
    digest.data = {**digest.data, "counted": counted.rowcount}


def _claim(session: Session, digest_id: int, now: datetime) -> Digest | None:
    """The digest, closed, for the one worker that gets it: the database is the referee."""
    won = session.scalar(
        update(Digest)
        .where(Digest.id == digest_id, _is_due(now))
        .values(closed_at=now)
        .returning(Digest.id)
        .execution_options(synchronize_session=False)
    )
    return session.get(Digest, won, populate_existing=True) if won else None


def _held(session: Session, digest: Digest) -> Sequence[Verdict]:
    notice = joinedload(Verdict.notice)
    found = select(Verdict).where(Verdict.digest_id == digest.id, Verdict.outcome == Outcome.DEFER)
    found = found.options(notice.joinedload(Notice.issue), notice.joinedload(Notice.activity))
    return session.scalars(found.order_by(Verdict.id)).all()


Left = Row[int, int | None, int | None, str, datetime, str | None]


def _deliver(session: Session, digest: Digest, now: datetime, *, since: datetime | None = None) -> int | None:
    """What is left of it as one message. A single thing is told as if it had not been held."""
    left = _left(session, digest)
    if not left:
        return None
    places = {row.project_id for row in left if row.project_id}
    address = reaching.address_for(session, digest.user_id, places)
    if address is None:
        unreachable: tuple[str, dict[str, object]] = ("address_unverified", {})
        delivering.refuse(session.connection(), {row.id: unreachable for row in left})
        return None
    kind, subject = (left[-1].kind, left[-1].mail_subject or "") if _is_one(digest, left) else (DIGEST, "")
    message = delivering.row(
        digest.user_id, address, kind=kind, subject=subject, now=now, digest_id=digest.id
    )
    if digest.kind == pacing.TOGETHER:
        digest.data = {**digest.data, "since": since.isoformat() if since else None}
        pacing.mark(session, pacing.project_of(digest) or 0, [digest.user_id], now=now)
    return session.scalar(insert(Delivery).values(message).returning(Delivery.id))


def _left(session: Session, digest: Digest) -> Sequence[Left]:
    """What is still to be told, the latest last."""
    columns = (Verdict.id, Notice.project_id, Notice.issue_id, Notice.kind, Notice.occurred_at)
    found = select(*columns, Issue.mail_subject).join(Verdict.notice).outerjoin(Notice.issue)
    found = found.where(Verdict.digest_id == digest.id, Verdict.outcome == Outcome.DEFER)
    return session.execute(found.order_by(Notice.occurred_at, Verdict.id)).all()


def _is_one(digest: Digest, left: Sequence[Left]) -> bool:
    """A single thing, or alerts that are all about one issue: then the latest speaks for them."""
    gathers_alerts = digest.kind == pacing.TOGETHER or (
        digest.kind == pausing.PAUSED and all(row.kind in pausing.TROUBLE for row in left)
    )
    return len(left) == 1 or (gathers_alerts and len({row.issue_id for row in left}) == 1)


# For whom it is held


def release(session: Session, digest: Digest, now: datetime) -> None:
    """Have a digest sent now, quiet hours or not. One that is closed already stays as it is."""
    session.refresh(digest, with_for_update=True)
    if digest.closed_at is None:
        digest.send_at, digest.data = now, {**digest.data, "asked_for": now.isoformat()}
        session.flush()


def held_for(session: Session, user: User) -> Digest | None:
    """What quiet hours hold for this person, if anything."""
    return session.scalar(
        select(Digest).where(
            Digest.user_id == user.id, Digest.key == quieting.HELD, Digest.closed_at.is_(None)
        )
    )


def contents(session: Session, digest: Digest, *, limit: int) -> tuple[Sequence[Verdict], int]:
    """The newest of what is in it, as far as its person still sees the project; and how much that is."""
    mine = select(Verdict).join(Verdict.notice).join(Notice.project)
    mine = mine.where(
        Verdict.digest_id == digest.id, Verdict.outcome == Outcome.DEFER, access.sees_project(digest.user)
    )
    shown = mine.order_by(Verdict.id.desc()).limit(limit)
    notice = contains_eager(Verdict.notice)
    shown = shown.options(notice.contains_eager(Notice.project), notice.joinedload(Notice.issue))
    count = session.scalar(select(func.count()).select_from(mine.subquery()))
    return session.scalars(shown).all(), count or 0
