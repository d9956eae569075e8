"""The owners of a project's code as they are in force: whom the lines that an event matches stand for."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Select, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.domain import codeowners, ownership
from app.domain.codeowners import Imported
from app.domain.ownership import NO_ROOTS, Rules
from app.domain.ownership_lines import Match, Owner, Roots
from app.models import (
    Codeowners,
    EmailAddress,
    Event,
    Ownership,
    Team,
    TeamMember,
    User,
    team_projects,
)
from app.services import access
from app.services.events import event_body

# Texts that are kept as rules; the longest take some megabytes each.
KNOWN_TEXTS = 32


@dataclass(frozen=True, slots=True)
class OwnersInForce:
    """A project's rules and what follows from them; version 0 before anybody wrote any."""

    rules: Rules = field(default_factory=Rules)
    fallthrough: bool = True
    auto_assign: bool = False
    only_assignee: bool = False
    version: int = 0


class Because(NamedTuple):
    """Why somebody is an owner: a line, its text, and the team that it names if it is not the person."""

    line: int
    text: str
    team: str | None


@dataclass(frozen=True, slots=True)
class Resolved:
    """Whom the lines of an event name, in the order of the text.

    `users`: the people who can be told, those of teams among them. `teams`: the ids of teams. `unknown`: what
    names nobody who has access to the project.
    """

    users: Mapping[int, Because]
    teams: Mapping[int, Because]
    unknown: Sequence[str]
    matches: Sequence[Match] = ()


def rules_of(session: Session, project_id: int) -> OwnersInForce:
    return rules_of_all(session, [project_id]).get(project_id, OwnersInForce())


def rules_of_all(
    session: Session, project_ids: Iterable[int], *, only_assigning: bool = False
) -> dict[int, OwnersInForce]:
    """Those of the projects that have any, with one query; what is read is remembered by its text.

    `only_assigning` leaves out the projects that assign nothing by themselves.
    """
    ids = set(project_ids)
    if not ids:
        return {}
    of_file = Codeowners.project_id == Ownership.project_id
    found = select(Ownership, Codeowners).outerjoin(Codeowners, of_file).where(Ownership.project_id.in_(ids))
    if only_assigning:
        found = found.where(Ownership.auto_assign)
    return {row.Ownership.project_id: in_force(*row) for row in session.execute(found)}


def beside(
    found: Select[*tuple[Any, ...]], project_id: InstrumentedAttribute[int]
) -> Select[*tuple[Any, ...]]:
    """A query that brings the owners of each row's project along, for `in_force`."""
    return (
        found.outerjoin(Ownership, Ownership.project_id == project_id)
        .outerjoin(Codeowners, Codeowners.project_id == project_id)
        .add_columns(Ownership, Codeowners)
    )


def in_force(row: Ownership, file: Codeowners | None) -> OwnersInForce:
    names = tuple(sorted(file.names.items())) if file else ()
    roots = Roots(file.stack_root, file.source_root) if file else NO_ROOTS
    rules = _rules(row.raw, file.raw if file else "", names, roots)
    return OwnersInForce(rules, row.fallthrough, row.auto_assign, row.only_assignee, row.version)


@lru_cache(maxsize=KNOWN_TEXTS)
def _rules(raw: str, file: str, names: tuple[tuple[str, str], ...], roots: Roots) -> Rules:
    """What cannot be read names nobody: a text that was saved once must not stop an event."""
    written, _problems = ownership.read(raw)
    return Rules((*imported(file, dict(names)).lines, *written.lines), roots)


def imported(file: str, names: Mapping[str, str]) -> Imported:
    """A CODEOWNERS file, read with the names that somebody mapped to a #team or an address."""
    owners = {name.lower(): owner for name, text in names.items() if (owner := ownership.owner_of(text))}
    return codeowners.read(file, owners)


@dataclass(frozen=True, slots=True)
class Directory:
    """Whom some owners stand for in a project: teams with the active members they have, and people."""

    teams: Mapping[str, int]
    members: Mapping[str, Sequence[int]]
    people: Mapping[str, int]

    def knows(self, owner: Owner) -> bool:
        return owner.name in (self.teams if owner.is_team else self.people)

    def resolve(self, matches: Sequence[Match]) -> Resolved:
        """Everybody once: who is named by a line as such, before who is named through a team."""
        users: dict[int, Because] = {}
        teams: dict[int, Because] = {}
        unknown: dict[str, None] = {}
        for match in matches:
            for owner in match.line.owners:
                if not self.knows(owner):
                    unknown[owner.written] = None
                elif owner.is_team:
                    because = Because(match.number, match.line.called, owner.written)
                    teams.setdefault(self.teams[owner.name], because)
                    for user_id in self.members[owner.name]:
                        users.setdefault(user_id, because)
                else:
                    self._name(users, self.people[owner.name], match)
        return Resolved(users, teams, list(unknown), matches)

    @staticmethod
    def _name(users: dict[int, Because], user_id: int, match: Match) -> None:
        known = users.get(user_id)
        if known is None or known.team is not None:
            users[user_id] = Because(match.number, match.line.called, None)


def directory(session: Session, project_id: int, owners: Iterable[Owner]) -> Directory:
    """Whom these owners stand for; two queries at most, however many there are."""
    named = set(owners)
    slugs = {owner.name for owner in named if owner.is_team}
    addresses = {owner.name for owner in named if not owner.is_team}
    teams, members = _teams(session, project_id, slugs) if slugs else ({}, {})
    return Directory(teams, members, _people(session, project_id, addresses) if addresses else {})


def _teams(session: Session, project_id: int, slugs: set[str]) -> tuple[dict[str, int], dict[str, list[int]]]:
    """The teams that have the project, and their people as far as the project concerns them."""
    joined = (TeamMember.team_id == Team.id) & TeamMember.user_id.in_(_members(project_id))
    found = (
        select(Team.slug, Team.id, TeamMember.user_id)
        .join(team_projects, team_projects.c.team_id == Team.id)
        .outerjoin(TeamMember, joined)
        .where(team_projects.c.project_id == project_id, Team.slug.in_(slugs))
        .order_by(Team.slug, TeamMember.user_id)
    )
    teams: dict[str, int] = {}
    members: dict[str, list[int]] = {}
    for slug, team_id, user_id in session.execute(found):
        teams[slug] = team_id
        members.setdefault(slug, []).extend([user_id] if user_id else [])
    return teams, members


def _people(session: Session, project_id: int, addresses: set[str]) -> dict[str, int]:
    """Any address of a member, verified or not; where several claim one, whoever holds it."""
    columns = (EmailAddress.address, EmailAddress.user_id, EmailAddress.is_held.label("is_held"))
    named = EmailAddress.address.in_(addresses) & EmailAddress.user_id.in_(_members(project_id))
    return whose(session.execute(select(*columns).where(named).order_by(EmailAddress.id)))


def whose(rows: Iterable[tuple[str, int, bool]]) -> dict[str, int]:
    """Addresses with those who have them: of several whoever holds it, else whoever claimed it first."""
    found: dict[str, tuple[int, bool]] = {}
    for address, user_id, is_held in rows:
        if address not in found or (is_held and not found[address][1]):
            found[address] = user_id, is_held
    return {address: user_id for address, (user_id, _) in found.items()}


def _members(project_id: int) -> Select[int]:
    return select(User.id).where(access.is_member(project_id))


def resolve(session: Session, project_id: int, matches: Sequence[Match]) -> Resolved:
    """Whom the lines stand for, as things are now."""
    owners = [owner for match in matches for owner in match.line.owners]
    return directory(session, project_id, owners).resolve(matches)


def matches_of(rules: Rules, event: Event) -> list[Match]:
    if not rules.lines:
        return []
    data = event_body.unpack(event.body)
    return ownership.match(rules, data, data.get("tags") or ())
