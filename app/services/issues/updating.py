"""Several changes of an issue at once, as the API asks for them: each by the service that the page calls."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from app.domain.errors import Refused
from app.domain.issue_update import IgnoreWish, Update
from app.domain.resolutions import Target
from app.models import Issue, User
from app.services.issues import (
    assigning,
    bookmarking,
    ignoring,
    naming,
    prioritising,
    reopening,
    resolving,
    seeing,
)
from app.services.issues.timeline import Batch
from app.services.preferences import subscribing

# The page's field at fault → the member of the body.
MEMBERS: Mapping[str, str] = {
    "release": "inRelease",
    "repository": "inCommit",
    "commit": "inCommit",
    "until": "ignoreDuration",
    "event_count": "ignoreCount",
    "event_window": "ignoreWindow",
    "user_count": "ignoreUserCount",
    "user_window": "ignoreUserWindow",
}


def update(
    session: Session,
    issue: Issue,
    asked: Update,
    *,
    by: User,
    now: datetime,
    via: str,
    batch: Batch | None = None,
) -> None:
    """Apply what is asked; what is so already changes nothing. `Refused` when it may not be."""
    if asked.move == "resolve":
        _resolve(session, issue, asked.into, by=by, now=now, batch=batch)
    if asked.move == "ignore":
        _ignore(session, issue, asked.until, by=by, now=now, batch=batch)
    if asked.move == "reopen":
        reopening.reopen(session, issue, by=by, now=now, batch=batch)
    if asked.assignment:
        to = naming.assignee(session, issue.project, asked.assignment, field="assignedTo")
        assigning.assign(session, issue, to=to, by=by, now=now, batch=batch)
    if asked.importance is not None:
        prioritising.choose(session, issue, asked.importance or None, by=by, now=now)
    _for_oneself(session, issue, asked, by=by, now=now, via=via)


def _for_oneself(session: Session, issue: Issue, asked: Update, *, by: User, now: datetime, via: str) -> None:
    """What concerns nobody else."""
    if asked.subscribed is True:
        subscribing.subscribe(session, issue, user=by, now=now, via=via)
    if asked.subscribed is False:
        subscribing.unsubscribe(session, issue, user=by, now=now, via=via)
    if asked.bookmarked is True:
        bookmarking.add(session, issue, user=by, now=now)
    if asked.bookmarked is False:
        bookmarking.remove(session, issue, user=by)
    if asked.seen is True:
        seeing.note(session, issue.id, by.id, seen_at=seeing.moment_of(issue, now=now))
    if asked.seen is False:
        seeing.forget(session, issue, user=by)


def _ignore(
    session: Session,
    issue: Issue,
    wish: IgnoreWish | None,
    *,
    by: User,
    now: datetime,
    batch: Batch | None,
) -> None:
    until = wish.condition(now) if wish else None
    if wish and wish.until_worse:
        until = ignoring.until_worse(session, issue, now=now)
    try:
        ignoring.ignore(session, issue, by=by, now=now, until=until, batch=batch)
    except Refused as error:
        raise Refused(error.message, field=MEMBERS.get(error.field or "", "statusDetails")) from None


def _resolve(
    session: Session, issue: Issue, into: Target | None, *, by: User, now: datetime, batch: Batch | None
) -> None:
    try:
        resolving.resolve(session, issue, by=by, now=now, into=into, batch=batch)
    except Refused as error:
        raise Refused(error.message, field=MEMBERS.get(error.field or "", "statusDetails")) from None
