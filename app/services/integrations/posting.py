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
from app.services.integrations import channel_settings, standings
from app.services.integrations.standings import UNSURE
from app.services.mails.delivering import CLAIM, WAITING
from app.services.notices import considering
from app.services.sealing import Seal

MOST_SHOWN = 4000
# In a delivery's data: somebody wants it sent again, whatever has become of the issue.
BY_HAND = "by_hand"
# In a delivery's data: it has arrived, and its channel asks once more what became of it.
ASKS = "asks"
# The code of what an integration had nobody to send to.
UNREACHED = "reached_nobody"
# A worker goes on with a destination for so long; then others have their turn.
GO_ON_FOR = timedelta(seconds=20)
# Longer than that, nobody sits and waits for the next message's turn.
LONGEST_PACE = timedelta(seconds=2)
# What a try that ended so is called in the log.
TRIED = {
    Outcome.DELIVERED: "accepted",
    Outcome.RETRY: "deferred",
    Outcome.RETRY_AT: "deferred",
    Outcome.UNNEEDED: "not sent",
    Outcome.UNSENT: "not sent",
}


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


def pause(session: Session, destination_id: int, *, now: datetime) -> timedelta | None:
    """How long the destination's pace asks to wait before what is due; None where nothing is."""
    held = select(Destination.held_until).where(
        Destination.id == destination_id,
        Destination.held_until > now,
        Destination.held_until <= now + LONGEST_PACE,
        Destination.failing_since.is_(None),
    )
    until = session.scalar(held)
    if until is None:
        return None
    waits = select(Delivery.id).where(Delivery.destination_id == destination_id, _is_due(until)).limit(1)
    return until - now if session.scalar(waits) is not None else None


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
    together = joinedload(Delivery.verdict).joinedload(Verdict.notice)
    parts = (Notice.issue, Notice.activity, Notice.actor, Notice.project, Notice.rule)
    found = select(Delivery).where(Delivery.destination_id == destination.id, _is_due(now), is_next())
    ways = (together.joinedload(part) for part in parts)
    return session.scalar(found.order_by(Delivery.id).limit(1).options(*ways))


def is_next() -> ColumnElement[bool]:
    """Whether nothing of its issue waits before it."""
    earlier = aliased(Delivery)
    return ~exists().where(
        earlier.destination_id == Delivery.destination_id,
        earlier.lane == Delivery.lane,
        earlier.id < Delivery.id,
        earlier.state.in_(UNFINISHED),
    )


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
    """Nobody tries it any more; its verdict says why, unless it has arrived already."""
    has_arrived = ASKS in delivery.data
    delivery.state = "accepted" if has_arrived else "cancelled"
    delivery.finished_at, delivery.claimed_until = now, None
    if delivery.verdict and not has_arrived:
        delivery.verdict.code = code
    session.flush()


# Answers


def record(
    session: Session,
    delivery_id: int,
    answer: Answer,
    *,
    now: datetime,
    worker: str,
    chance: float,
    seal: Seal,
) -> Settled:
    """Write down what came of a try: arrived, to be tried again, or given up; and how the destination is."""
    held = select(Destination).join(Delivery, Delivery.destination_id == Destination.id)
    destination = session.scalar(held.where(Delivery.id == delivery_id).with_for_update(of=Destination))
    delivery = session.get(Delivery, delivery_id, populate_existing=True)
    if destination is None or delivery is None or delivery.state != "sending":
        return Settled()
    _note_attempt(session, delivery, answer, now, worker)
    channel_settings.take_over(destination, answer.changes, seal)
    standings.refer(session, delivery, answer.references, now=now)
    delivery.claimed_until = None
    if answer.outcome == Outcome.DELIVERED:
        _arrived(session, delivery, destination, answer, now)
        return Settled()
    if answer.outcome in (Outcome.UNNEEDED, Outcome.UNSENT):
        return _not_sent(session, delivery, destination, answer, now)
    if answer.outcome == Outcome.BAD_MESSAGE and not delivery.data.get("bare"):
        kept = {name: value for name, value in delivery.data.items() if name != ASKS}
        _again(delivery, now, data={**kept, "bare": True})
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
    standings.arrived(session, delivery, now=now)
    if answer.ask_after:
        _again(delivery, now + answer.ask_after, data={**delivery.data, ASKS: True})
    else:
        delivery.state, delivery.finished_at, delivery.data = "accepted", now, {}
    if delivery.verdict:
        delivery.verdict.code = "send"
    destination.failing_since, destination.failure_count = None, 0
    pace = CHANNELS[destination.channel].about.pace
    destination.detail, destination.held_until = answer.advice[:255], now + pace if pace else None
    destination.delivered_at = now
    session.flush()


def _not_sent(
    session: Session, delivery: Delivery, destination: Destination, answer: Answer, now: datetime
) -> Settled:
    """Nothing went out, and nothing failed; its verdict says why."""
    is_missed = answer.outcome == Outcome.UNSENT
    if is_missed:
        standings.given_up(session, delivery, is_certain=_is_certain(session, delivery), now=now)
    else:
        standings.arrived(session, delivery, now=now)
    call_off(session, delivery, UNREACHED if is_missed else "nothing_to_send", now=now)
    if delivery.verdict:
        delivery.verdict.params = {**delivery.verdict.params, "said": answer.response or answer.advice}
    destination.detail = (answer.advice or destination.detail)[:255]
    session.flush()
    return Settled(dropped=is_missed)


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
    is_blocked = answer.outcome == Outcome.BLOCKED or _is_held_for_long(destination, now)
    return Settled(dropped=again_at is None, blocked=is_blocked and not was_failing)


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
        asked_for = now + answer.retry_after
        return asked_for if asked_for - due_since <= ladder.lasts else None
    if answer.outcome not in (Outcome.RETRY, Outcome.RETRY_AT, Outcome.DOUBTFUL):
        return None
    at = ladder.next_try(delivery.attempt_count, due_since=due_since, now=now, chance=chance)
    return max(at, now + answer.retry_after) if at and answer.retry_after else at


def _again(delivery: Delivery, at: datetime, *, data: dict[str, Any]) -> None:
    delivery.state, delivery.send_at, delivery.data = "deferred", at, data


def _is_held_for_long(destination: Destination, now: datetime) -> bool:
    """Whether it is to be left alone for longer than a message to it is worth anything."""
    lasts = LADDERS[CHANNELS[destination.channel].about.ladder].lasts
    return destination.held_until is not None and destination.held_until > now + lasts


def is_hopeless(session: Session, destination_id: int, *, now: datetime) -> bool:
    """Whether nothing that waits for it goes out while it is worth anything: it asked for so long a rest."""
    destination = session.get(Destination, destination_id)
    if destination is None or not _is_held_for_long(destination, now):
        return False
    tried = select(func.max(Attempt.at)).join(Delivery, Delivery.id == Attempt.delivery_id)
    last = session.scalar(tried.where(Delivery.destination_id == destination_id))
    return last is not None and _is_held_for_long(destination, last)


def hopeless(session: Session, destination: Destination, *, now: datetime) -> Sequence[Delivery]:
    """Give up what waits for such a destination, so that people can be told instead."""
    waiting = [each for each in undelivered(session, destination) if each.state in WAITING]
    for each in waiting:
        _give_up(session, each, Answer(Outcome.RETRY_AT), now)
    session.flush()
    return waiting


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
