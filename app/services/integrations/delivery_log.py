"""What was sent to an integration and what it answered; and sending again what did not arrive."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, joinedload

from app.channels import CHANNELS
from app.domain import delivery_states
from app.domain.errors import NotFound, Refused
from app.domain.kinds import KINDS, TEST
from app.models import Attempt, Delivery, Destination, Notice, Verdict
from app.services.integrations import posting
from app.services.notices import verdicts

WEEK = timedelta(days=7)
MOST = 1000  # are sent again at once
FAILED = ("failed", "expired")
# Filter → the states that it shows.
STATES: dict[str, Collection[str]] = {
    "": (),
    "arrived": ("accepted",),
    "waiting": ("queued", "sending", "deferred"),
    "failed": FAILED,
    "cancelled": ("cancelled",),
}


@dataclass(frozen=True, slots=True)
class Sent:
    """A message for the integration, what it was about, and each try."""

    delivery: Delivery
    notice: Notice
    attempts: Sequence[Attempt]

    @property
    def state(self) -> delivery_states.DeliveryState:
        return delivery_states.of(self.delivery.state)

    @property
    def words(self) -> str:
        """What kind of message it is, as its channel calls it."""
        known = CHANNELS[self.delivery.channel].about.words_of_kinds()
        return known.get(KINDS[self.delivery.kind].integration, "Test")

    @property
    def may_be_sent_again(self) -> bool:
        return self.delivery.state in (*FAILED, "cancelled", "accepted", "deferred")


def sent(
    session: Session, destination: Destination, *, state: str = "", start: int = 0, count: int = 50
) -> list[Sent]:
    """The newest first."""
    found = (
        select(Delivery)
        .where(Delivery.destination_id == destination.id, *_in(state))
        .order_by(Delivery.id.desc())
        .offset(start)
        .limit(count)
        .options(joinedload(Delivery.verdict).joinedload(Verdict.notice))
    )
    rows = session.scalars(found).all()
    tries = verdicts.attempts_of(session, [row.id for row in rows])
    return [Sent(row, row.verdict.notice, tries.get(row.id, ())) for row in rows if row.verdict]


def of_notice(session: Session, destination: Destination, public_id: str) -> Sent | None:
    """What became of one notice there."""
    found = (
        select(Delivery)
        .join(Delivery.verdict)
        .join(Verdict.notice)
        .where(Delivery.destination_id == destination.id, Notice.public_id == public_id)
    )
    row = session.scalar(found)
    if row is None or row.verdict is None:
        return None
    return Sent(row, row.verdict.notice, verdicts.attempts_of(session, [row.id]).get(row.id, ()))


def _in(state: str) -> list[ColumnElement[bool]]:
    states = STATES.get(state, ())
    return [Delivery.state.in_(states)] if states else []


def redeliver(session: Session, destination: Destination, public_id: str, *, now: datetime) -> None:
    """Send one message again, whatever became of it; its id is the same, so that it is known to be."""
    _refuse_if_off(destination)
    one = Delivery.public_id == public_id
    if not _requeue(session, destination, one, ("accepted", "cancelled", "deferred", *FAILED), now):
        raise NotFound


def redeliver_failed(session: Session, destination: Destination, *, now: datetime) -> int:
    """Send again all that was given up, but for tests; how many there were."""
    _refuse_if_off(destination)
    return _requeue(session, destination, Delivery.kind != TEST, FAILED, now)


def has_failed(session: Session, destination: Destination) -> bool:
    """Whether there is something that `redeliver_failed` sends."""
    failed = select(Delivery.id).where(
        Delivery.destination_id == destination.id, Delivery.state.in_(FAILED), Delivery.kind != TEST
    )
    return session.scalar(failed.limit(1)) is not None


def retry_now(session: Session, destination: Destination, *, now: datetime) -> int:
    """Do not wait any longer; how many there were."""
    _refuse_if_off(destination)
    return _requeue(session, destination, Delivery.destination_id == destination.id, ("deferred",), now)


def _refuse_if_off(destination: Destination) -> None:
    if not destination.enabled:
        raise Refused("Switch the integration on first.")


def _requeue(
    session: Session,
    destination: Destination,
    which: ColumnElement[bool],
    states: Collection[str],
    now: datetime,
) -> int:
    destination.held_until = None
    found = select(Delivery).where(
        Delivery.destination_id == destination.id, which, Delivery.state.in_(states)
    )
    rows = session.scalars(found.order_by(Delivery.id).limit(MOST)).all()
    for row in rows:
        row.state, row.send_at, row.put_off_until = delivery_states.QUEUED, now, now
        row.data = {posting.BY_HAND: True}
        row.attempt_count, row.claimed_until, row.finished_at = 0, None, None
    session.flush()
    return len(rows)


def this_week(session: Session, project_id: int, *, now: datetime) -> dict[int, int]:
    """How many messages arrived in the last seven days, by the destination's id."""
    found = (
        select(Delivery.destination_id, func.count())
        .join(Destination, Destination.id == Delivery.destination_id)
        .where(
            Destination.project_id == project_id,
            Delivery.state == "accepted",
            Delivery.finished_at > now - WEEK,
        )
        .group_by(Delivery.destination_id)
    )
    return {destination_id or 0: count for destination_id, count in session.execute(found)}


def next_try(session: Session, project_id: int) -> dict[int, datetime]:
    """When what is next is tried, by the destination's id: what waits behind it has to wait."""
    found = (
        select(Destination.id, func.min(Delivery.send_at), Destination.held_until)
        .join(Delivery, Destination.id == Delivery.destination_id)
        .where(
            Destination.project_id == project_id,
            Delivery.state.in_(delivery_states.WAITING),
            posting.is_next(),
        )
        .group_by(Destination.id, Destination.held_until)
    )
    return {key: max(at, held_until or at) for key, at, held_until in session.execute(found)}
