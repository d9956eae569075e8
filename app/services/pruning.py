"""Forgetting what is older than the retention, a few rows at a time so that nobody waits for the lock."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.models import Attachment, Delivery, Event, Notice, OneTimeLink

CHUNK = 500


def prune_events(session: Session, *, before: datetime) -> int:
    """Delete a chunk of events received before then; how many there were."""
    old = session.scalars(select(Event.id).where(Event.received_at < before).limit(CHUNK)).all()
    session.execute(delete(Event).where(Event.id.in_(old)))
    session.execute(delete(Attachment).where(Attachment.created_at < before))
    return len(old)


def prune_notices(session: Session, *, before: datetime) -> int:
    """Delete a chunk of notices, with their verdicts, deliveries and attempts; how many there were."""
    old = session.scalars(
        select(Notice.id).where(Notice.occurred_at < before, Notice.planned_at.is_not(None)).limit(CHUNK)
    ).all()
    session.execute(delete(Notice).where(Notice.id.in_(old)))
    session.execute(delete(Delivery).where(Delivery.verdict_id.is_(None), Delivery.created_at < before))
    session.execute(delete(OneTimeLink).where(OneTimeLink.expires_at < before))
    return len(old)
