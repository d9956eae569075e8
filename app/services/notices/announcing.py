"""Notices that are decided about as they are made, by whoever makes them: they never wait in the outbox."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.models import Notice, User
from app.services.issues import timeline


def announce(
    session: Session,
    kind: str,
    project_id: int | None,
    data: Mapping[str, Any],
    *,
    by: User | None = None,
    now: datetime,
) -> Notice:
    """Flushes, so that it has its id."""
    row = timeline.project_notice_row(kind, project_id, now=now, activity=None)
    notice = Notice(**{**row, "data": dict(data), "actor_id": by.id if by else None, "planned_at": now})
    session.add(notice)
    session.flush()
    return notice
