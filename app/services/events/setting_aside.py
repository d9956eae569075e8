"""Entries that cannot be digested are kept with the reason: nothing is lost, and the rest goes on."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.models import UndigestedEntry
from app.services.events.stream_entry import Entry


def set_aside(session: Session, entry: Entry, error: Exception, *, now: datetime) -> None:
    session.add(
        UndigestedEntry(
            project_id=entry.project_id or None,
            stream_id=entry.id,
            error=f"{type(error).__name__}: {error}".replace("\0", "")[:4000],
            created_at=now,
            body=entry.body,
        )
    )
