"""Deliveries on their way: claimed by one worker, recorded answer by answer, tried again, given up."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, func, insert, or_, select, update
from sqlalchemy.orm import Session, joinedload

from app.channels.base import Result, Sent
from app.domain.backoff import next_try
from app.domain.kinds import KINDS
from app.models import Attempt, Delivery, Notice, Verdict

# A worker that died holds its claim no longer than this.
CLAIM = timedelta(minutes=2)
# No message of a claim is begun after this long, which leaves time for the last one: six exchanges with a
# relay (connect, greeting, TLS, sender, recipient, message) that each run into the time-out of ten seconds.
BEGIN_WITHIN = timedelta(seconds=30)
WAITING = ("queued", "deferred")


def due(session: Session, *, now: datetime, limit: int) -> Sequence[int]:
    """The deliveries whose time has come, and those that a dead worker left half way; the oldest first."""
    found = select(Delivery.id).where(_is_due(now)).order_by(Delivery.send_at).limit(limit)
    return session.scalars(found).all()


def claim(session: Session, delivery_ids: Collection[int], *, now: datetime) -> Sequence[int]:
    """Take what is due of these, for `CLAIM`; of two workers one gets it."""
    return session.scalars(
        update(Delivery)
        .where(Delivery.id.in_(delivery_ids), _is_due(now))
        .values(state="sending", claimed_until=now + CLAIM, attempt_count=Delivery.attempt_count + 1)
        .returning(Delivery.id)
        .execution_options(synchronize_session=False)
    ).all()


def _is_due(now: datetime) -> ColumnElement[bool]:
    return or_(
        and_(Delivery.state.in_(WAITING), Delivery.send_at <= now),
        and_(Delivery.state == "sending", Delivery.claimed_until < now),
    )


def load(session: Session, delivery_ids: Collection[int]) -> Sequence[Delivery]:
    """These deliveries with all that composing them needs, in a constant number of queries."""
    notice = joinedload(Delivery.verdict).joinedload(Verdict.notice)
    found = (
        select(Delivery)
        .where(Delivery.id.in_(delivery_ids))
        .order_by(Delivery.id)
        .options(
            joinedload(Delivery.user),
            notice.joinedload(Notice.issue),
            notice.joinedload(Notice.activity),
            notice.joinedload(Notice.actor),
            notice.joinedload(Notice.project),
            notice.joinedload(Notice.rule),
        )
    )
    return session.scalars(found).unique().all()


def name(connection: Connection, delivery_id: int, *, subject: str, message_id: str) -> None:
    """Note under which name a message goes out, before it does."""
    connection.execute(
        update(Delivery.__table__)  # type: ignore[arg-type]
        .where(Delivery.id == delivery_id)
        .values(subject=subject[:255], message_id=message_id)
    )


def record(connection: Connection, sent: Sent, *, now: datetime, worker: str) -> None:
    """Write down one answer: accepted, to be tried again, or given up. What was not tried is due again.

    Plain statements, as this runs once a message. A delivery that was deleted meanwhile is left in peace.
    """
    known = (Delivery.attempt_count, Delivery.created_at, Delivery.kind)
    delivery = connection.execute(select(*known).where(Delivery.id == sent.delivery_id)).one_or_none()
    if delivery is None:
        return
    if sent.result is Result.NOT_TRIED:
        _change(connection, sent.delivery_id, state="queued", attempt_count=Delivery.attempt_count - 1)
        return
    outcome, again_at = _outcome(sent, delivery.kind, delivery.attempt_count, delivery.created_at, now)
    if again_at:
        _change(connection, sent.delivery_id, state=outcome, send_at=again_at)
    else:  # a sign-in link has no business here once it is out
        _change(connection, sent.delivery_id, state=outcome, finished_at=now, data={})
    earlier = select(func.count()).where(Attempt.delivery_id == sent.delivery_id).scalar_subquery()
    connection.execute(
        insert(Attempt).values(
            delivery_id=sent.delivery_id,
            number=earlier + 1,
            at=now,
            outcome=outcome,
            code=sent.code,
            response=sent.response,
            milliseconds=sent.milliseconds,
            worker=worker,
            peer=sent.peer,
        )
    )


def cancel(
    connection: Connection, delivery_id: int, *, code: str, params: dict[str, object], now: datetime
) -> None:
    """Call off a message that nobody should get any more; its verdict says why."""
    _change(connection, delivery_id, state="cancelled", finished_at=now, data={})
    of_delivery = select(Delivery.verdict_id).where(Delivery.id == delivery_id).scalar_subquery()
    connection.execute(update(Verdict).where(Verdict.id == of_delivery).values(code=code, params=params))


def _change(connection: Connection, delivery_id: int, **values: object) -> None:
    """Only of a delivery that is still claimed."""
    connection.execute(
        update(Delivery.__table__)  # type: ignore[arg-type]
        .where(Delivery.id == delivery_id, Delivery.state == "sending")
        .values(claimed_until=None, **values)
    )


def _outcome(
    sent: Sent, kind: str, attempts: int, created_at: datetime, now: datetime
) -> tuple[str, datetime | None]:
    if sent.result is Result.ACCEPTED:
        return "accepted", None
    if sent.result is Result.FAILED:
        return "failed", None
    again_at = next_try(attempts, created_at=created_at, now=now, lasts=KINDS[kind].lasts)
    return ("deferred", again_at) if again_at else ("expired", None)
