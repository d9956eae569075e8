"""Whom a name means among those who can be given an issue: for comments, the Assign field and the API."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.assignees import Assignment
from app.domain.errors import Refused
from app.models import EmailAddress, Project, Team, User
from app.services import access

MOST_NAMES = 8  # as many as are quicker to choose from than to type on


def bearers(session: Session, users: Sequence[User], names: Collection[str]) -> list[User]:
    """Those of `users` who bear one of these names, handles or primary addresses; one query at most."""
    return list(dict.fromkeys(by_name(session, users, names).values()))


def by_name(session: Session, users: Sequence[User], names: Collection[str]) -> dict[str, User]:
    """Which of `users` each name means; what means none of them is left out."""
    addresses = [name for name in names if "@" in name]
    owners: dict[str, int] = {}
    if addresses:
        # The others are for their owner to know.
        known = EmailAddress.address.in_(addresses) & EmailAddress.is_primary
        found = select(EmailAddress.address, EmailAddress.user_id).where(known)
        owners = {address: user_id for address, user_id in session.execute(found)}
    by_handle, by_id = {user.handle: user for user in users}, {user.id: user for user in users}
    meant = {name: by_handle.get(name) or by_id.get(owners.get(name, 0)) for name in names}
    return {name: user for name, user in meant.items() if user}


@dataclass(frozen=True, slots=True)
class Name:
    """How somebody is written in a comment, and who that is."""

    written: str
    called: str


def beginning(session: Session, project: Project, typed: str, *, reader: User) -> list[Name]:
    """Names that complete "@pr" or "#pay": handles that begin so first, then people with such a name."""
    sign, start = typed[:1], typed[1:].lower()
    users, teams = access.assignable(session, project)
    if sign == "#":
        fitting = [team for team in teams if team.slug.startswith(start)]
        return [Name(f"#{team.slug}", team.name) for team in fitting][:MOST_NAMES]
    others = [user for user in users if user.id != reader.id]
    by_handle = [user for user in others if user.handle.startswith(start)]
    by_name = [user for user in others if any(part.startswith(start) for part in user.name.lower().split())]
    found = dict.fromkeys([*by_handle, *by_name]) if sign == "@" else ()
    return [Name(f"@{user.handle}", user.name) for user in found][:MOST_NAMES]


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
