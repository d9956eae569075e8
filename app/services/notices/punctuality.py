"""How long what should be on its way has been waiting."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from app.domain import delivery_states
from app.models import Delivery, Destination, Notice
from app.services.integrations import posting

LATE = timedelta(seconds=120)


@dataclass(frozen=True, slots=True)
class Waits:
    notice_seconds: int  # since the oldest notice for which nobody was chosen yet
    delivery_seconds: int  # since the oldest delivery that could have been tried
    failed_last_hour: int

    @property
    def is_late(self) -> bool:
        return max(self.notice_seconds, self.delivery_seconds) > LATE.total_seconds()


def waits(session: Session, *, now: datetime) -> Waits:
    oldest_notice = session.scalar(
        select(func.coalesce(Notice.plan_after, Notice.occurred_at))
        .where(Notice.planned_at.is_(None))
        .order_by(Notice.id)
        .limit(1)
    )
    # What waits its turn at an integration, or while that is to be left alone, could not be tried yet.
    is_held = exists().where(Destination.id == Delivery.destination_id, Destination.held_until > now)
    could_go = Delivery.destination_id.is_(None) | (posting.is_next() & ~is_held)
    oldest_delivery = session.scalar(
        select(Delivery.send_at)
        .where(Delivery.state.in_(delivery_states.UNFINISHED), Delivery.send_at <= now, could_go)
        .order_by(Delivery.send_at)
        .limit(1)
    )
    failed = select(func.count()).where(
        Delivery.state == delivery_states.FAILED, Delivery.finished_at >= now - timedelta(hours=1)
    )
    return Waits(_since(oldest_notice, now), _since(oldest_delivery, now), session.scalar(failed) or 0)


def _since(moment: datetime | None, now: datetime) -> int:
    return max(0, int((now - moment).total_seconds())) if moment else 0
