"""Organizations, teams and projects: making them, who belongs to them, and the keys that SDKs send with."""

import secrets
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy import Select, delete, insert, select
from sqlalchemy.orm import Session, joinedload, selectinload

from app.domain import roles, slugs
from app.domain.errors import Refused
from app.models import (
    Membership,
    Organization,
    Project,
    ProjectKey,
    Team,
    TeamMember,
    User,
    team_projects,
)
from app.services.rules import rule_templates

PLATFORMS = {
    "python": "Python",
    "python-flask": "Flask",
    "python-django": "Django",
    "python-fastapi": "FastAPI",
    "javascript": "JavaScript (browser)",
    "node": "Node.js",
    "other": "Other",
}


# Organizations


def find_organization(session: Session, slug: str) -> Organization | None:
    return session.scalar(select(Organization).where(Organization.slug == slug.strip().lower()))


def create_organization(
    session: Session, *, slug: str, name: str = "", owner: User | None = None, now: datetime
) -> Organization:
    slug = slugs.organization_slug(slug)
    if find_organization(session, slug):
        raise Refused(f"There is an organization “{slug}” already.", field="slug")
    organization = Organization(slug=slug, name=named(name, slug), created_at=now)
    session.add(organization)
    session.flush()
    if owner:
        add_member(session, organization, owner, role=roles.OWNER, now=now)
    return organization


def membership(session: Session, organization: Organization, user: User) -> Membership | None:
    mine = (Membership.organization_id == organization.id) & (Membership.user_id == user.id)
    return session.scalar(select(Membership).where(mine))


def add_member(
    session: Session, organization: Organization, user: User, *, role: str = roles.MEMBER, now: datetime
) -> Membership:
    """Make the person a member. Whoever is one already keeps the role they have."""
    existing = membership(session, organization, user)
    if existing:
        return existing
    if role not in roles.ROLES:
        raise Refused(f"There is no role {role}. There are {', '.join(roles.ROLES)}.", field="role")
    made = Membership(organization=organization, user=user, role=role, created_at=now)
    session.add(made)
    session.flush()
    return made


def change_role(session: Session, member: Membership, role: str) -> None:
    if role not in roles.ROLES:
        raise Refused(f"There is no role {role}.", field="role")
    if member.role == roles.OWNER and role != roles.OWNER:
        _keep_an_owner(session, member)
    member.role = role


def remove_member(session: Session, member: Membership) -> None:
    """Take somebody out of the organization and of all its teams. The account stays."""
    if member.role == roles.OWNER:
        _keep_an_owner(session, member)
    teams = select(Team.id).where(Team.organization_id == member.organization_id)
    session.execute(
        delete(TeamMember).where(TeamMember.user_id == member.user_id, TeamMember.team_id.in_(teams))
    )
    session.delete(member)
    session.flush()


def _keep_an_owner(session: Session, leaving: Membership) -> None:
    """Two owners who leave at once would each count on the other: the organization's row lets in one."""
    only_one = select(Organization.id).where(Organization.id == leaving.organization_id).with_for_update()
    session.execute(only_one)
    another = select(Membership.id).where(
        Membership.organization_id == leaving.organization_id,
        Membership.role == roles.OWNER,
        Membership.id != leaving.id,
    )
    if session.scalar(another.limit(1)) is None:
        raise Refused(
            "An organization keeps at least one owner: make somebody else owner first.", field="role"
        )


# Teams


def find_team(session: Session, organization: Organization, slug: str) -> Team | None:
    named_so = (Team.organization_id == organization.id) & (Team.slug == slug.strip().lower())
    return session.scalar(select(Team).where(named_so))


def teams(session: Session, organization: Organization) -> list[Team]:
    found = select(Team).where(Team.organization_id == organization.id).order_by(Team.slug)
    return list(session.scalars(found))


def teams_of(session: Session, organization: Organization, user: User) -> list[Team]:
    """The organization's teams that the person is in."""
    mine = select(TeamMember.team_id).where(TeamMember.user_id == user.id)
    found = select(Team).where(Team.organization_id == organization.id, Team.id.in_(mine))
    return list(session.scalars(found.order_by(Team.slug)))


def create_team(
    session: Session, organization: Organization, *, slug: str, name: str = "", now: datetime
) -> Team:
    slug = slugs.team_slug(slug)
    if find_team(session, organization, slug):
        raise Refused(f"There is a team “{slug}” already.", field="slug")
    team = Team(organization=organization, slug=slug, name=named(name, slug), created_at=now)
    session.add(team)
    session.flush()
    return team


def add_to_team(session: Session, team: Team, user: User, *, now: datetime) -> None:
    """Put the person in the team; who is not yet in its organization becomes a member of that too."""
    add_member(session, team.organization, user, now=now)
    if session.get(TeamMember, (team.id, user.id)) is None:
        session.add(TeamMember(team_id=team.id, user_id=user.id))
        session.flush()


def set_teams(session: Session, member: Membership, teams: Sequence[Team]) -> None:
    """The teams of this organization that the member is in, from now on."""
    of_organization = select(Team.id).where(Team.organization_id == member.organization_id)
    session.execute(
        delete(TeamMember).where(
            TeamMember.user_id == member.user_id, TeamMember.team_id.in_(of_organization)
        )
    )
    session.add_all(TeamMember(team_id=team.id, user_id=member.user_id) for team in teams)
    session.flush()


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A person in the organization, and the teams they are in."""

    member: Membership
    teams: list[Team]


def people(session: Session, organization: Organization) -> list[MemberRow]:
    """Everybody in the organization with their teams, in two queries."""
    members = session.scalars(
        select(Membership)
        .join(Membership.user)
        .where(Membership.organization_id == organization.id)
        .order_by(User.name, User.id)
        .options(joinedload(Membership.user).selectinload(User.addresses))
    )
    of_person: dict[int, list[Team]] = {}
    for team, user_id in session.execute(_team_members(organization)):
        of_person.setdefault(user_id, []).append(team)
    return [MemberRow(member, of_person.get(member.user_id, [])) for member in members]


@dataclass(frozen=True, slots=True)
class TeamRow:
    team: Team
    people: int
    projects: list[Project]


def team_rows(session: Session, organization: Organization, *, seen: Collection[Project]) -> list[TeamRow]:
    """The teams, how many people are in each, and those of its projects that are among `seen`."""
    counts = Counter(team.id for team, _ in session.execute(_team_members(organization)))
    found = select(Team).where(Team.organization_id == organization.id).order_by(Team.slug)
    teams = session.scalars(found.options(selectinload(Team.projects)))
    seen_ids = {project.id for project in seen}
    return [
        TeamRow(team, counts[team.id], [each for each in team.projects if each.id in seen_ids])
        for team in teams
    ]


def _team_members(organization: Organization) -> Select[Team, int]:
    return (
        select(Team, TeamMember.user_id)
        .join(TeamMember, TeamMember.team_id == Team.id)
        .where(Team.organization_id == organization.id)
        .order_by(Team.slug)
    )


# Projects and keys


def find_project(session: Session, organization: Organization, slug: str) -> Project | None:
    named_so = (Project.organization_id == organization.id) & (Project.slug == slug.strip().lower())
    return session.scalar(select(Project).where(named_so))


def create_project(
    session: Session,
    organization: Organization,
    *,
    slug: str,
    name: str = "",
    platform: str = "other",
    teams: Sequence[Team] = (),
    with_rules: bool = True,
    now: datetime,
) -> Project:
    """A project that is ready to ring: with a key, and the rules with which new projects start."""
    slug = slugs.project_slug(slug)
    if find_project(session, organization, slug):
        raise Refused(f"There is a project “{slug}” already.", field="slug")
    project = Project(
        organization=organization,
        slug=slug,
        name=named(name, slug),
        platform=platform.strip()[:32] or "other",
        created_at=now,
        teams=list(teams),
    )
    session.add(project)
    session.flush()
    if with_rules:
        rule_templates.start(session, project, now=now)
    create_key(session, project, label="Default", now=now)
    return project


def give_to_team(session: Session, project: Project, team: Team) -> None:
    link = {"team_id": team.id, "project_id": project.id}
    existing = select(team_projects).filter_by(**link)
    if session.execute(existing).first() is None:
        session.execute(insert(team_projects).values(**link))
        session.expire(project, ["teams"])


def create_key(session: Session, project: Project, *, label: str = "", now: datetime) -> ProjectKey:
    key = ProjectKey(
        project=project,
        public=secrets.token_hex(16),
        label=_label(label),
        created_at=now,
    )
    session.add(key)
    session.flush()
    return key


def keys(session: Session, project: Project) -> list[ProjectKey]:
    found = select(ProjectKey).where(ProjectKey.project_id == project.id).order_by(ProjectKey.id)
    return list(session.scalars(found))


def find_key(session: Session, project_id: int, public: str) -> ProjectKey | None:
    """By its public half, whether it works or not."""
    named = (ProjectKey.project_id == project_id) & (ProjectKey.public == public)
    return session.scalar(select(ProjectKey).where(named))


def default_key(session: Session, project: Project) -> ProjectKey | None:
    """The key that snippets show: the oldest one that works."""
    return next((key for key in keys(session, project) if key.is_active), None)


def rename_key(key: ProjectKey, label: str) -> None:
    key.label = _label(label)


def limit_key(key: ProjectKey, *, count: int | None, window: int | None) -> None:
    """At most `count` events in `window` seconds; None for no limit of its own."""
    if count is None:
        key.rate_limit_count = key.rate_limit_window = None
        return
    if not 1 <= count <= 1_000_000 or window is None or not 1 <= window <= 86_400:
        raise Refused("A limit has 1 to 1,000,000 events in 1 to 86,400 seconds.", field="rate_limit_count")
    key.rate_limit_count, key.rate_limit_window = count, window


def dsn(url: str, key: ProjectKey, project: Project) -> str:
    """What an SDK is given: `scheme://key@host/project`."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{key.public}@{parts.netloc}{parts.path.rstrip('/')}/{project.id}"


def _label(label: str) -> str:
    tidy = " ".join(label.split()) or "Default"
    if len(tidy) > 64:
        raise Refused("A key's label has up to 64 characters.", field="label")
    return tidy


def named(name: str, slug: str) -> str:
    """The name as it is stored: tidied, and the slug where none is given."""
    tidy = " ".join(name.split())
    if len(tidy) > 200 or not tidy.isprintable():
        raise Refused("A name has up to 200 characters.", field="name")
    return tidy or slug
