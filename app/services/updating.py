"""Several changes of an issue at once, as the API asks for them: each by the service that the page calls."""

from collections.abc import Callable, Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from app.domain.issue_update import Update
from app.models import Activity, Issue, User
from app.services import assigning, ignoring, naming, reopening, resolving, subscribing

MOVES: Mapping[str, Callable[..., Activity | None]] = {
    "resolve": resolving.resolve,
    "ignore": ignoring.ignore,
    "reopen": reopening.reopen,
}


def update(session: Session, issue: Issue, asked: Update, *, by: User, now: datetime, via: str) -> None:
    """Apply what is asked; what is so already changes nothing. `Refused` when it may not be."""
    if asked.move:
        MOVES[asked.move](session, issue, by=by, now=now)
    if asked.assignment:
        to = naming.assignee(session, issue.project, asked.assignment, field="assignedTo")
        assigning.assign(session, issue, to=to, by=by, now=now)
    if asked.subscribed is True:
        subscribing.subscribe(session, issue, user=by, now=now, via=via)
    if asked.subscribed is False:
        subscribing.unsubscribe(session, issue, user=by, now=now, via=via)
