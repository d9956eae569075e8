"""Reopening an issue that was resolved or ignored."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.models import Activity, Issue, User
from app.services.issues.moving import move
from app.services.issues.timeline import Batch


def reopen(
    session: Session, issue: Issue, *, by: User | None, now: datetime, batch: Batch | None = None
) -> Activity | None:
    """Make the issue unresolved again, by hand."""
    return move(session, issue, "reopen", by=by, now=now, batch=batch)
