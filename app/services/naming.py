"""Whom a name means among those who can be given an issue: for comments, the Assign field and the API."""

from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.assignees import Assignment
from app.domain.errors import Refused
from app.models import EmailAddress, Project, Team, User
from app.services import access


def bearers(session: Session, users: Sequence[User], names: Collection[str]) -> list[User]:
    """Those of `users` who bear one of these names, handles or addresses in lower case; one query at most."""
    addresses = [name for name in names if "@" in name]
    ids: set[int] = set()
    if addresses:
        found = select(EmailAddress.user_id).where(EmailAddress.address.in_(addresses))
        ids = set(session.scalars(found))
    return [user for user in users if user.handle in names or user.id in ids]


def assignee(session: Session, project: Project, assignment: Assignment, *, field: str) -> User | Team | None:
    """Whom an assignment names. `Refused` when none of those who can be given an issue bears the name."""
    if assignment.who == "nobody":
        return None
    users, teams = access.assignable(session, project)
    name = assignment.value.strip().lower()
    found: Sequence[User | Team]
    if assignment.who == "team":
        found = [team for team in teams if name in (str(team.id), team.slug)]
    else:
        found = [user for user in users if name == str(user.id)]
        found = found or bearers(session, users, {name.removeprefix("@")})
    if not found:
        message = f"Nobody with access to {project.name} is called “{assignment.value}”."
        raise Refused(message, field=field)
    return found[0]
