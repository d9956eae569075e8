"""Sending again, by an operator's hand, what has not arrived."""

from datetime import datetime

from sqlalchemy import func, or_, update
from sqlalchemy.orm import Session

from app.models import Delivery


def requeue(session: Session, *, failed: bool, destination: str | None, now: datetime) -> int:
    """Have deliveries that wait for another try sent now, with `failed` also those that were given up.

    `destination` narrows it to one address, or to the name of an integration. Returns how many there were.
    """
    states = ("deferred", "failed", "expired") if failed else ("deferred",)
    # A personal mail has lost its link by now; whoever needs it asks for a new one.
    tells = or_(Delivery.verdict_id.is_not(None), Delivery.digest_id.is_not(None))
    waiting = update(Delivery).where(Delivery.state.in_(states), tells)
    if destination:
        waiting = waiting.where(func.lower(Delivery.address) == destination.strip().lower())
    again = waiting.values(
        state="queued", send_at=now, put_off_until=now, attempt_count=0, claimed_until=None, finished_at=None
    ).returning(Delivery.id)
    return len(session.scalars(again).all())
