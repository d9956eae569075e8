"""Ignoring an issue."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.models import Activity, Issue, User
from app.services.moving import move


def ignore(session: Session, issue: Issue, *, by: User, now: datetime) -> Activity | None:
    """Silence the issue for everyone until a person says otherwise: events are counted, nothing rings."""
    return move(session, issue, "ignore", by=by, now=now)
