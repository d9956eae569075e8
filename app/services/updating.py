"""Several changes of an issue at once, as the API asks for them: each by the service that the page calls."""

from collections.abc import Callable, Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from app.domain.errors import Refused
from app.domain.issue_update import Assignment, Update
from app.models import Activity, Issue, Team, User
from app.services import access, assigning, ignoring, reopening, resolving, subscribing

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
        assigning.assign(session, issue, to=_named(session, issue, asked.assignment), by=by, now=now)
    if asked.subscribed is True:
        subscribing.subscribe(session, issue, user=by, now=now, via=via)
    if asked.subscribed is False:
        subscribing.unsubscribe(session, issue, user=by, now=now, via=via)


def _named(session: Session, issue: Issue, assignment: Assignment) -> User | Team | None:
    """Whom an assignment names: `user:5`, `team:3`, `#payments`, an id, an address, a handle, nobody."""
    if assignment.who == "nobody":
        return None
    users, teams = access.assignable(session, issue.project)
    name = assignment.value.strip().lower()
    if assignment.who == "team":
        found: list[User | Team] = [team for team in teams if name in (str(team.id), team.slug)]
    else:
        found = [user for user in users if name in _names(user)]
    if not found:
        raise Refused(f"“{assignment.value}” has no access to {issue.project.name}.", field="assignedTo")
    return found[0]


def _names(user: User) -> set[str]:
    return {str(user.id), user.handle, *(address.address for address in user.addresses)}
