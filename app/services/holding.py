"""What is held for a person, to go out as one message: opened, looked at again when its time comes, closed.

An open digest takes in verdicts. Closing it, what became of its verdicts, and its one delivery are rows of
one transaction: whoever is killed meanwhile leaves it open, and nothing is lost or doubled.
"""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, func, insert, or_, select, update
from sqlalchemy.orm import Session, contains_eager, joinedload

from app.domain.routing import Outcome
from app.models import Delivery, Digest, Issue, Notice, User, Verdict
from app.services import access, delivering, quieting, reaching, reconsidering
from app.services.preferring import Defaults
from app.services.upserting import insert_into

BATCH, DIGEST = "batch", "digest"
_OF_BATCH = f"{BATCH}:"


def batch_key(name: str) -> str:
    """The key of what one action did to several issues."""
    return f"{_OF_BATCH}{name}"


# Opening


def open_digests(
    session: Session, key: str, send_at: Mapping[int, datetime], *, now: datetime
) -> dict[int, int]:
    """The open digest of each of these people, made if missing; locked: nobody closes it meanwhile."""
    rows = [
        {
            "public_id": f"g_{secrets.token_hex(8)}",
            "kind": BATCH if key.startswith(_OF_BATCH) else quieting.HELD,
            "key": key,
            "user_id": user_id,
            "opened_at": now,
            "send_at": send_at[user_id],
            "data": {},
        }
        for user_id in sorted(send_at)
    ]
    statement = insert_into(session, Digest).values(rows)
    statement = statement.on_conflict_do_update(
        index_elements=("user_id", "key"),
        index_where=Digest.closed_at.is_(None),
        set_={"key": statement.excluded.key},  # changes nothing, and locks the row
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

    Its id is returned; None if nothing is left, if it is still quiet, or if another worker was quicker.
    """
    digest = _claim(session, digest_id, now)
    if digest is None:
        return None
    held = _held(session, digest)
    answers = reconsidering.again(session, held, now=now, instance=instance)
    refused = reconsidering.refusals(answers)
    until = reconsidering.quiet_until((each for each in held if each.id not in refused), answers)
    if until and not digest.is_asked_for:
        digest.send_at, digest.closed_at = until, None
        return None
    delivering.refuse(session.connection(), refused)
    return _deliver(session, digest, now)


def send_summaries(session: Session, batch: str, *, now: datetime) -> list[int]:
    """Close the summaries of a batch that was planned just now, if that is all of it; the deliveries."""
    found = select(Digest.id).where(Digest.key == batch_key(batch), _is_due(now)).order_by(Digest.user_id)
    closed = (_claim(session, digest_id, now) for digest_id in session.scalars(found).all())
    sent = (_deliver(session, digest, now) for digest in closed if digest)
    return [delivery_id for delivery_id in sent if delivery_id]


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


def _deliver(session: Session, digest: Digest, now: datetime) -> int | None:
    """What is left of it as one message. A single thing is told as if it had not been held."""
    held = Verdict.digest_id == digest.id, Verdict.outcome == Outcome.DEFER
    counted = select(Notice.project_id, func.count()).join(Verdict.notice).where(*held)
    places = {place: count for place, count in session.execute(counted.group_by(Notice.project_id))}
    if not places:
        return None
    address = reaching.address_for(session, digest.user_id, [place for place in places if place])
    if address is None:
        ids = session.scalars(select(Verdict.id).where(*held))
        delivering.refuse(session.connection(), dict.fromkeys(ids, ("address_unverified", {})))
        return None
    kind, subject = _named(session, held) if sum(places.values()) == 1 else (DIGEST, "")
    message = delivering.row(
        digest.user_id, address, kind=kind, subject=subject, now=now, digest_id=digest.id
    )
    return session.scalar(insert(Delivery).values(message).returning(Delivery.id))


def _named(session: Session, alone: Sequence[ColumnElement[bool]]) -> tuple[str, str]:
    """The kind and the subject of a message about this verdict alone."""
    found = select(Notice.kind, Issue.mail_subject).join(Verdict.notice).outerjoin(Notice.issue)
    kind, subject = session.execute(found.where(*alone)).one()
    return kind, subject or ""


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
