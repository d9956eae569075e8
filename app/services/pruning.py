"""Forgetting what is older than the retention, a few rows at a time so that nobody waits for the lock."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, inspect, or_, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.domain.check_ins import IN_PROGRESS
from app.models import (
    Attachment,
    Base,
    CheckIn,
    ClientLoss,
    Delivery,
    Digest,
    EndedSession,
    Event,
    Feedback,
    InboundMessage,
    IngestCount,
    IssueCount,
    IssueHour,
    Notice,
    OneTimeLink,
    UndigestedEntry,
)
from app.services.notices import telling

CHUNK = 500

# What came in, and the counts of it: kept as long as events are.
RECEIVED: Sequence[tuple[type[Base], InstrumentedAttribute[datetime]]] = (
    (Event, Event.received_at),
    (Attachment, Attachment.created_at),
    (UndigestedEntry, UndigestedEntry.created_at),
    (Feedback, Feedback.created_at),
    (IngestCount, IngestCount.hour),
    (ClientLoss, ClientLoss.hour),
    (IssueHour, IssueHour.hour),
    (IssueCount, IssueCount.start),
)


def prune_events(session: Session, *, before: datetime) -> int:
    """Delete a chunk of each kind of what was received before then; the size of the largest."""
    # How a run that is under way ends is still to be found out.
    is_over = CheckIn.status != IN_PROGRESS
    return max(
        forget(session, CheckIn, (CheckIn.started_at < before) & is_over),
        *(forget(session, model, at < before) for model, at in RECEIVED),
    )


def prune_sessions(session: Session, *, now: datetime) -> None:
    """Delete what remembers sessions whose cookies have run out."""
    session.execute(delete(EndedSession).where(EndedSession.forget_at < now))


def prune_inbound(session: Session, *, before: datetime) -> int:
    """Delete a chunk of the mail that people sent."""
    done = InboundMessage.outcome != "waiting"
    return forget(session, InboundMessage, (InboundMessage.received_at < before) & done)


def prune_notices(session: Session, *, before: datetime) -> int:
    """Delete a chunk of notices, with their verdicts, deliveries and attempts; and of mails without one."""
    spent = or_(OneTimeLink.expires_at < before, OneTimeLink.used_at < before)
    return max(
        _forget_notices(session, (Notice.occurred_at < before) & Notice.planned_at.is_not(None)),
        forget(session, Delivery, (Delivery.created_at < before) & Delivery.verdict_id.is_(None)),
        forget(session, Digest, Digest.closed_at < before),
        forget(session, OneTimeLink, spent),
    )


def _forget_notices(session: Session, is_old: ColumnElement[bool]) -> int:
    """Whether their issues were told of depends on what is left of them."""
    old = session.execute(select(Notice.id, Notice.issue_id).where(is_old).limit(CHUNK)).all()
    issue_ids = {row.issue_id for row in old if row.issue_id}
    telling.lock(session, issue_ids)
    count = forget(session, Notice, Notice.id.in_([row.id for row in old]))
    telling.look_again(session, issue_ids)
    return count


def forget(session: Session, model: type[Base], is_old: ColumnElement[bool]) -> int:
    """Delete a chunk of the rows; how many there were."""
    key = tuple_(*inspect(model).primary_key)
    old = [tuple(row) for row in session.execute(select(*key.clauses).where(is_old).limit(CHUNK))]
    if old:
        session.execute(delete(model).where(key.in_(old)).execution_options(synchronize_session=False))
    return len(old)
