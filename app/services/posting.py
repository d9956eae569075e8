"""Messages on their way to integrations: one at a time for each destination, in order within an issue.

Claimed, sent with no transaction open, recorded. A worker that is killed in between leaves a message that may
have arrived: it goes out once more, under the same id, when the claim is over.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased, joinedload

from app.channels import CHANNELS, is_paging
from app.channels.base import Answer, Outcome
from app.domain.backoff import LADDERS, cooling
from app.domain.delivery_states import UNFINISHED
from app.domain.health import Health
from app.domain.kinds import KINDS, TEST
from app.models import Attempt, Delivery, Destination, Notice, Verdict
from app.services import considering, standings
from app.services.delivering import CLAIM, WAITING
from app.services.standings import UNSURE

MOST_SHOWN = 4000
# In a delivery's data: somebody wants it sent again, whatever has become of the issue.
BY_HAND = "by_hand"
# A worker goes on with a destination for so long; then others have their turn.
GO_ON_FOR = timedelta(seconds=20)
# What a try that ended so is called in the log.
TRIED = {Outcome.DELIVERED: "accepted", Outcome.RETRY: "deferred", Outcome.RETRY_AT: "deferred"}


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a delivery: `dropped` will never arrive; `stopped` if its destination was switched off
    for it, `blocked` if it is the first whose address is not allowed."""

    dropped: bool = False
    stopped: bool = False
    blocked: bool = False

    @property
    def concerns_people(self) -> bool:
        return self.dropped or self.stopped or self.blocked


def due(session: Session, *, now: datetime, limit: int) -> Sequence[int]:
    """The destinations for which something waits whose time has come."""
    found = (
        select(Delivery.destination_id)
        .join(Destination, Destination.id == Delivery.destination_id)
        .where(_is_due(now), or_(Destination.held_until.is_(None), Destination.held_until <= now))
        .group_by(Delivery.destination_id)
        .order_by(func.min(Delivery.send_at))
        .limit(limit)
    )
    return [destination_id for destination_id in session.scalars(found) if destination_id is not None]


def destinations_of(session: Session, delivery_ids: Sequence[int]) -> list[int]:
    """Where these deliveries go, as far as that is a destination."""
    found = select(Delivery.destination_id).where(Delivery.id.in_(delivery_ids)).distinct()
    return [each for each in session.scalars(found) if each is not None]


def claim(session: Session, destination_id: int, *, now: datetime) -> Delivery | None:
    """The next message for the destination, ours for `CLAIM`; None if there is none, or another worker sends.

    The destination's row is the referee.
    """
    held = select(Destination).where(Destination.id == destination_id).with_for_update()
    destination = session.scalar(held)
    if destination is None or (destination.held_until or now) > now or _is_busy(session, destination, now):
        return None
    while (found := _next(session, destination, now)) is not None:
        objection = _objection(session, found, destination)
        if objection is None:
            found.state, found.claimed_until = "sending", now + CLAIM
            found.attempt_count += 1
            standings.begun(session, found, now=now)
            session.flush()
            return found
        call_off(session, found, objection, now=now)
    return None


def _is_busy(session: Session, destination: Destination, now: datetime) -> bool:
    sending = (Delivery.state == "sending") & (Delivery.claimed_until >= now)
    found = select(Delivery.id).where(Delivery.destination_id == destination.id, sending).limit(1)
    return session.scalar(found) is not None


def _next(session: Session, destination: Destination, now: datetime) -> Delivery | None:
    """The oldest that is due, and before which nothing of its issue waits."""
    earlier = aliased(Delivery)
    waits = exists().where(
        earlier.destination_id == Delivery.destination_id,
        earlier.lane == Delivery.lane,
        earlier.id < Delivery.id,
        earlier.state.in_(UNFINISHED),
    )
    together = joinedload(Delivery.verdict).joinedload(Verdict.notice)
    parts = (Notice.issue, Notice.activity, Notice.actor, Notice.project, Notice.rule)
    found = select(Delivery).where(Delivery.destination_id == destination.id, _is_due(now), ~waits)
    ways = (together.joinedload(part) for part in parts)
    return session.scalar(found.order_by(Delivery.id).limit(1).options(*ways))


def _is_due(now: datetime) -> ColumnElement[bool]:
    waiting = and_(Delivery.state.in_(WAITING), Delivery.send_at <= now)
    left = and_(Delivery.state == "sending", Delivery.claimed_until < now)
    return Delivery.destination_id.is_not(None) & or_(waiting, left)


def _objection(session: Session, delivery: Delivery, destination: Destination) -> str | None:
    """The code with which a message that was decided on does not go out after all."""
    verdict = delivery.verdict
    if verdict is None:
        return "no_longer_open"
    kind = KINDS[delivery.kind].integration
    if kind == TEST:
        return None
    if not destination.enabled:
        return "integration_disabled"
    if delivery.data.get(BY_HAND) and not is_paging(delivery.channel):
        return None
    return standings.objection(session, delivery) or considering.gate(verdict.notice)


def call_off(session: Session, delivery: Delivery, code: str, *, now: datetime) -> None:
    """Nobody tries it any more; its verdict says why."""
    delivery.state, delivery.finished_at, delivery.claimed_until = "cancelled", now, None
    if delivery.verdict:
        delivery.verdict.code = code
    session.flush()


# Answers


def record(
    session: Session, delivery_id: int, answer: Answer, *, now: datetime, worker: str, chance: float
) -> Settled:
    """Write down what came of a try: arrived, to be tried again, or given up; and how the destination is."""
    held = select(Destination).join(Delivery, Delivery.destination_id == Destination.id)
    destination = session.scalar(held.where(Delivery.id == delivery_id).with_for_update(of=Destination))
    delivery = session.get(Delivery, delivery_id, populate_existing=True)
    if destination is None or delivery is None or delivery.state != "sending":
        return Settled()
    _note_attempt(session, delivery, answer, now, worker)
    delivery.claimed_until = None
    if answer.outcome == Outcome.DELIVERED:
        _arrived(session, delivery, destination, answer, now)
        return Settled()
    if answer.outcome == Outcome.BAD_MESSAGE and not delivery.data.get("bare"):
        _again(delivery, now, data={**delivery.data, "bare": True})
        return Settled()
    return _failed(session, delivery, destination, answer, now, chance)


def _note_attempt(session: Session, delivery: Delivery, answer: Answer, now: datetime, worker: str) -> None:
    number = session.scalar(select(func.count()).where(Attempt.delivery_id == delivery.id)) or 0
    session.add(
        Attempt(
            delivery_id=delivery.id,
            number=number + 1,
            at=now,
            outcome=TRIED.get(answer.outcome, "failed"),
            code=answer.code[:16],
            request=answer.request[:MOST_SHOWN],
            response=answer.response or answer.advice,
            milliseconds=answer.milliseconds,
            worker=worker,
            peer=answer.peer,
        )
    )


def _arrived(
    session: Session, delivery: Delivery, destination: Destination, answer: Answer, now: datetime
) -> None:
    standings.arrived(session, delivery, answer.references, now=now)
    delivery.state, delivery.finished_at, delivery.data = "accepted", now, {}
    if delivery.verdict:
        delivery.verdict.code = "send"
    destination.failing_since, destination.failure_count = None, 0
    destination.detail, destination.held_until = "", None
    destination.delivered_at = now
    session.flush()


def _failed(
    session: Session,
    delivery: Delivery,
    destination: Destination,
    answer: Answer,
    now: datetime,
    chance: float,
) -> Settled:
    was_failing = destination.failing_since is not None
    again_at = _again_at(delivery, answer, now, chance)
    if again_at:
        _again(delivery, again_at, data=delivery.data)
    else:
        _give_up(session, delivery, answer, now)
    is_off = _note_health(destination, answer, now)
    _hold(destination, answer, again_at, now)
    session.flush()
    if is_off and destination.enabled and KINDS[delivery.kind].integration != TEST:
        switch_off(destination, destination.detail, now=now)
        return Settled(dropped=again_at is None, stopped=True)
    is_first_block = answer.outcome == Outcome.BLOCKED and not was_failing
    return Settled(dropped=again_at is None, blocked=is_first_block)


def _again_at(delivery: Delivery, answer: Answer, now: datetime, chance: float) -> datetime | None:
    """When to try again; None for what is given up."""
    about = CHANNELS[delivery.channel].about
    was_unsure = delivery.data.get(UNSURE)
    if answer.is_unsure:
        delivery.data = {**delivery.data, UNSURE: True}
    if answer.is_unsure and was_unsure and not about.repeats_safely:
        return None
    due_since = delivery.put_off_until or delivery.created_at
    ladder = LADDERS[about.ladder]
    if answer.outcome == Outcome.RETRY_AT and answer.retry_after is not None:
        at = now + answer.retry_after
        return at if at - due_since <= ladder.lasts else None
    if answer.outcome not in (Outcome.RETRY, Outcome.RETRY_AT, Outcome.DOUBTFUL):
        return None
    return ladder.next_try(delivery.attempt_count, due_since=due_since, now=now, chance=chance)


def _again(delivery: Delivery, at: datetime, *, data: dict[str, Any]) -> None:
    delivery.state, delivery.send_at, delivery.data = "deferred", at, data


def _give_up(session: Session, delivery: Delivery, answer: Answer, now: datetime) -> None:
    """It will never arrive; what it would have opened is not there to be closed."""
    may_be_tried = answer.outcome in (Outcome.RETRY, Outcome.RETRY_AT, Outcome.DOUBTFUL)
    delivery.state = "expired" if may_be_tried else "failed"
    delivery.finished_at = now
    standings.given_up(session, delivery, is_certain=_is_certain(session, delivery), now=now)


def _is_certain(session: Session, delivery: Delivery) -> bool:
    """Whether none of its tries can have arrived: each was answered, or never got through."""
    tried = session.scalar(select(func.count()).where(Attempt.delivery_id == delivery.id)) or 0
    return tried >= delivery.attempt_count and not delivery.data.get(UNSURE)


def _note_health(destination: Destination, answer: Answer, now: datetime) -> bool:
    """Whether that was one failure too many. A fault of our own payload says nothing about the other side."""
    if answer.outcome == Outcome.BAD_MESSAGE:
        return False
    patience = CHANNELS[destination.channel].about.patience
    health = Health(destination.failing_since, destination.failure_count).failed(
        now,
        is_broken=answer.outcome == Outcome.BROKEN,
        is_doubtful=answer.outcome == Outcome.DOUBTFUL,
        patience=patience if answer.outcome != Outcome.BLOCKED else None,
    )
    destination.failing_since, destination.failure_count = health.failing_since, health.failures
    destination.detail = _detail(answer)[:255]
    return health.is_off


def _detail(answer: Answer) -> str:
    if answer.advice:
        return answer.advice
    first = answer.response.strip().splitlines()[0] if answer.response.strip() else ""
    if answer.code.isdigit():
        return f"Answered {answer.code}{f': {first}' if first else '.'}"
    return first or answer.code


def _hold(destination: Destination, answer: Answer, again_at: datetime | None, now: datetime) -> None:
    """Leave it alone for a while: as long as it asked for, or the longer the oftener it failed."""
    if answer.outcome == Outcome.RETRY_AT and answer.retry_after is not None:
        destination.held_until = now + answer.retry_after
    elif answer.outcome in (Outcome.RETRY, Outcome.DOUBTFUL, Outcome.RETRY_AT):
        pause = cooling(destination.failure_count)
        destination.held_until = min(again_at, now + pause) if again_at else now + pause


def switch_off(destination: Destination, reason: str, *, now: datetime) -> None:
    """Because it does not work; who looks after it is told by `falling_back`."""
    destination.enabled = False
    destination.disabled_at = now
    destination.disabled_reason = reason or "It does not work."


def undelivered(session: Session, destination: Destination) -> Sequence[Delivery]:
    """What waits for it."""
    found = select(Delivery).where(Delivery.destination_id == destination.id, Delivery.state.in_(UNFINISHED))
    return session.scalars(found.order_by(Delivery.id).options(joinedload(Delivery.verdict))).all()
