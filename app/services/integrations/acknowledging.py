"""Somebody acknowledged what rang: noted where the message stands; nothing is left to be silenced."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Attempt, Delivery, DestinationIssue
from app.services.integrations.asked import Afterwards, Asked

OVER = "over"


def acknowledge(session: Session, asked: Asked) -> Afterwards | None:
    """By the receipt of the emergency; one that is unknown, or was followed by another, changes nothing."""
    receipt = str(asked.act["receipt"])
    standing = session.scalar(
        select(DestinationIssue)
        .where(
            DestinationIssue.destination_id == asked.destination.id,
            DestinationIssue.references["receipt"].as_string() == receipt,
        )
        .with_for_update()
    )
    if standing is None:
        return None
    standing.references = {**standing.references, "emergency": OVER}
    standing.changed_at = asked.now
    tried = _last_try(session, standing)
    if tried is not None:
        by = f" by {asked.act['by']}" if asked.act["by"] else ""
        tried.response = f"{tried.response}\nAcknowledged{by}, {asked.now:%Y-%m-%d %H:%M:%S} UTC.".strip()
    return None


def _last_try(session: Session, standing: DestinationIssue) -> Attempt | None:
    """The one that rang: the last that was taken."""
    found = (
        select(Attempt)
        .join(Delivery, Delivery.id == Attempt.delivery_id)
        .where(
            Delivery.destination_id == standing.destination_id,
            Delivery.lane == standing.lane,
            Attempt.outcome == "accepted",
        )
        .order_by(Attempt.id.desc())
    )
    return session.scalar(found.limit(1))
