"""Choosing how much an issue matters, over what its level says. Nobody is told of it."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.domain import importance
from app.models import Activity, Issue, User
from app.services import access
from app.services.issues import timeline


def choose(session: Session, issue: Issue, chosen: str | None, *, by: User, now: datetime) -> Activity | None:
    """Give the issue this priority, or None: the one of its level. None if somebody chose that already."""
    access.hold(session, issue)
    if issue.importance == chosen:
        return None
    was = importance.of(issue.importance, issue.level)
    issue.importance = chosen
    data = {"priority": importance.of(chosen, issue.level), "was": was, "by_level": chosen is None}
    return timeline.record(session, issue, "set_priority", by=by, now=now, data=data)
