"""Resolving an issue."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.models import Activity, Issue, User
from app.services.moving import move


def resolve(session: Session, issue: Issue, *, by: User, now: datetime) -> Activity | None:
    """Settle the issue; an event received later reopens it. Resolving twice tells no one twice."""
    return move(session, issue, "resolve", by=by, now=now)
