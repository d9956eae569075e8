"""Deliveries on their way: claimed by one worker, recorded answer by answer, tried again, given up."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, insert, or_, select, update
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
    return session.scalars(select(Delivery.id).where(_is_due(now)).order_by(Delivery.send_at).limit(limit)).all()


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
    return [
        delivery for delivery in deliveries if not _cancel_if_unwanted(session, delivery, now, instance)
    ]


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


def record(session: Session, sent: Sent, *, now: datetime, worker: str) -> None:
    """Write down one answer: accepted, to be tried again, or given up. Only for a delivery that is claimed."""
    delivery = session.get_one(Delivery, sent.delivery_id)
    outcome, again_at = _outcome(delivery, sent, now)
    session.execute(
        insert(Attempt).values(
            delivery_id=delivery.id,
            number=_next_number(session, delivery.id),
            at=now,
            outcome=outcome,
            code=sent.code,
            response=sent.response,
            milliseconds=sent.milliseconds,
            worker=worker,
            peer=sent.peer,
        )
    )
    delivery.state = outcome
    delivery.claimed_until = None
    if again_at:
        delivery.send_at = again_at
    else:
        delivery.finished_at = now
        delivery.data = {}  # a sign-in link has no business here once it is out


def _outcome(delivery: Delivery, sent: Sent, now: datetime) -> tuple[str, datetime | None]:
    if sent.result is Result.ACCEPTED:
        return "accepted", None
    if sent.result is Result.FAILED:
        return "failed", None
    again_at = next_try(delivery.attempt_count, created_at=delivery.created_at, now=now)
    return ("deferred", again_at) if again_at else ("expired", None)


def _next_number(session: Session, delivery_id: int) -> int:
    known = select(func.coalesce(func.max(Attempt.number), 0)).where(Attempt.delivery_id == delivery_id)
    return (session.scalar(known) or 0) + 1


def give_back(session: Session, delivery_ids: Iterable[int], *, now: datetime) -> None:
    """Undo a claim without having tried: what could not even be composed waits a minute."""
    session.execute(
        update(Delivery)
        .where(Delivery.id.in_(list(delivery_ids)), Delivery.state == "sending")
        .values(state="deferred", claimed_until=None, send_at=now + timedelta(minutes=1))
    )
