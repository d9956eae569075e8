"""Deliveries on their way: claimed by one worker, recorded answer by answer, tried again, given up."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, func, insert, or_, select, update
from sqlalchemy.orm import Session, joinedload

from app.channels.base import Result, Sent
from app.domain import routing
from app.domain.backoff import next_try
from app.domain.kinds import KINDS
from app.domain.routing import Happening, Outcome
from app.models import Attempt, Delivery, Notice, Verdict
from app.services import notifying
from app.services.preferring import Defaults

# A worker that died holds its claim no longer than this. Well above the time that a claimed batch takes
# even when every message runs into the time-out.
CLAIM = timedelta(minutes=2)
# A decision this fresh stands; an older one is taken again before sending.
FRESH = timedelta(minutes=1)
WAITING = ("queued", "deferred")


def due(session: Session, *, now: datetime, limit: int) -> Sequence[int]:
    """The deliveries whose time has come, and those that a dead worker left half way; the oldest first."""
    found = select(Delivery.id).where(_is_due(now)).order_by(Delivery.send_at).limit(limit)
    return session.scalars(found).all()


def claim(session: Session, delivery_ids: Collection[int], *, now: datetime) -> Sequence[Delivery]:
    """Take what is due of these; of two workers one gets it."""
    won = session.scalars(
        update(Delivery)
        .where(Delivery.id.in_(delivery_ids), _is_due(now))
        .values(state="sending", claimed_until=now + CLAIM, attempt_count=Delivery.attempt_count + 1)
        .returning(Delivery.id)
        .execution_options(synchronize_session=False)
    ).all()
    notice = joinedload(Delivery.verdict).joinedload(Verdict.notice)
    found = (
        select(Delivery)
        .where(Delivery.id.in_(won))
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


def _is_due(now: datetime) -> ColumnElement[bool]:
    return or_(
        and_(Delivery.state.in_(WAITING), Delivery.send_at <= now),
        and_(Delivery.state == "sending", Delivery.claimed_until < now),
    )


def reconsider(
    session: Session, deliveries: Sequence[Delivery], *, now: datetime, instance: Defaults
) -> list[Delivery]:
    """Of claimed deliveries, those that should still go out; the others are cancelled, with their code.

    Between a decision and a late try people leave, unsubscribe, or settle the issue.
    """
    return [delivery for delivery in deliveries if not _cancel_if_unwanted(session, delivery, now, instance)]


def _cancel_if_unwanted(session: Session, delivery: Delivery, now: datetime, instance: Defaults) -> bool:
    code, params = _objection(session, delivery, now, instance)
    if code is None:
        return False
    verdict = delivery.verdict
    if verdict:
        verdict.code, verdict.params = code, params
    delivery.state, delivery.finished_at, delivery.claimed_until = "cancelled", now, None
    session.flush()
    return True


def _objection(
    session: Session, delivery: Delivery, now: datetime, instance: Defaults
) -> tuple[str | None, dict[str, object]]:
    notice = delivery.verdict.notice if delivery.verdict else None
    if notice is None or notice.project_id is None:
        return None, {}
    kind = KINDS[notice.kind]
    if notice.issue is None and kind.in_thread:
        return "no_longer_open", {}
    gate = routing.gate_of_notice(kind, notice.issue.status if notice.issue else None)
    if gate:
        return gate, {}
    if now - delivery.created_at < FRESH:
        return None, {}
    [person] = notifying.people_around(session, notice, instance, only=[delivery.user_id or 0])
    verdict = routing.decide(Happening(kind, notice.actor_id), person)
    return (None, {}) if verdict.outcome == Outcome.SEND else (verdict.code, dict(verdict.params))


def record(connection: Connection, sent: Sent, *, now: datetime, worker: str) -> None:
    """Write down one answer: accepted, to be tried again, or given up.

    Two plain statements, as this runs once a message. Only a delivery that is still claimed changes.
    """
    delivery = connection.execute(
        select(Delivery.attempt_count, Delivery.created_at).where(Delivery.id == sent.delivery_id)
    ).one()
    outcome, again_at = _outcome(sent, delivery.attempt_count, delivery.created_at, now)
    changes: dict[str, object] = {"state": outcome, "claimed_until": None}
    # A sign-in link has no business here once it is out.
    changes |= {"send_at": again_at} if again_at else {"finished_at": now, "data": {}}
    connection.execute(
        update(Delivery.__table__)  # type: ignore[arg-type]
        .where(Delivery.id == sent.delivery_id, Delivery.state == "sending")
        .values(changes)
    )
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


def _outcome(sent: Sent, attempts: int, created_at: datetime, now: datetime) -> tuple[str, datetime | None]:
    if sent.result is Result.ACCEPTED:
        return "accepted", None
    if sent.result is Result.FAILED:
        return "failed", None
    again_at = next_try(attempts, created_at=created_at, now=now)
    return ("deferred", again_at) if again_at else ("expired", None)


def give_back(session: Session, delivery_ids: Iterable[int], *, now: datetime) -> None:
    """Undo a claim without having tried: what could not even be composed waits a minute."""
    ids = list(delivery_ids)
    if ids:
        session.execute(
            update(Delivery)
            .where(Delivery.id.in_(ids), Delivery.state == "sending")
            .values(state="deferred", claimed_until=None, send_at=now + timedelta(minutes=1))
        )
