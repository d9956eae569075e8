"""What a person sees and may do. Every load goes through here: what one may not see does not exist.

A person sees, and acts in, the projects of their teams. Managers and owners see all projects of their
organization, superusers all of the instance; the role billing sees none.
"""

from typing import TypeVar

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, true, union_all
from sqlalchemy.orm import Session, aliased, joinedload, lazyload

from app.domain import lifecycle, roles
from app.domain.errors import NotFound, Refused
from app.models import (
    Event,
    Issue,
    IssueRedirect,
    Membership,
    Organization,
    Project,
    Team,
    TeamMember,
    User,
    team_projects,
)

T = TypeVar("T")
# Who looks: a person, or an organization by a token of its own, which sees what is in it and nothing else.
Viewer = User | Organization
_NAMED = aliased(Issue)

# A condition on `Issue`: what is being merged or deleted is gone for everybody, long before its rows are.
IS_THERE = Issue.status.not_in(lifecycle.HIDDEN)
# A condition on `Event`: those of deleted issues are gone with them; those that follow a merge are not.
IS_OF_AN_ISSUE = Event.issue.has(Issue.status != lifecycle.PENDING_DELETION)


def visible_organizations(session: Session, user: User) -> list[Organization]:
    found = select(Organization).where(_belongs(user)).order_by(Organization.name, Organization.id)
    return list(session.scalars(found))


def visible_organization(session: Session, viewer: Viewer, slug: str) -> Organization:
    found = select(Organization).where(Organization.slug == slug, _belongs(viewer))
    return _or_not_found(session.scalar(found))


def organizations_where(session: Session, user: User, permission: str) -> list[Organization]:
    """The organizations in which the person may do this, by name."""
    found = select(Organization).order_by(Organization.name, Organization.id)
    if not user.is_superuser:
        able = [role for role in roles.ROLES if roles.has(role, permission)]
        mine = (Membership.user_id == user.id) & Membership.role.in_(able)
        found = found.where(Organization.id.in_(select(Membership.organization_id).where(mine)))
    return list(session.scalars(found))


def visible_projects(session: Session, viewer: Viewer) -> list[Project]:
    found = select(Project).where(sees_project(viewer)).order_by(Project.name, Project.id)
    return list(session.scalars(found))


def visible_project(session: Session, viewer: Viewer, org_slug: str, project_slug: str) -> Project:
    named = (Organization.slug == org_slug) & (Project.slug == project_slug)
    found = select(Project).join(Project.organization).where(named, sees_project(viewer))
    found = found.options(joinedload(Project.pauses))  # every page says whether the project is paused
    return _or_not_found(session.scalars(found).unique().first())


def visible_issue(
    session: Session, user: User, issue_id: int, *, with_teams: bool = False, with_pauses: bool = False
) -> Issue:
    """The issue, or the one that it was merged into; `with_teams` reads those of its project too.

    With them, or by themselves, its maintenance windows.
    """
    found = _issues(user).where(named(issue_id))
    if with_teams:
        teams = joinedload(Issue.project).joinedload(Project.teams).options(lazyload(Team.organization))
        found = found.options(teams)
    if with_teams or with_pauses:
        found = found.options(joinedload(Issue.project).joinedload(Project.pauses))
    return _or_not_found(session.scalars(found).unique().first())


def visible_issue_by_short_id(session: Session, user: User, org: Organization, short_id: str) -> Issue:
    """Short ids can repeat over time when projects change their slug: the newest issue has the name."""
    here = Project.organization_id == org.id
    found = _issues(user).where(here, named(short_id.strip().upper()))
    return _or_not_found(session.scalar(found.order_by(Issue.id.desc()).limit(1)))


def named(*names: int | str) -> ColumnElement[bool]:
    """A condition on `Issue`: those with these ids or short ids, and those that such were merged into."""
    ids = [name for name in names if isinstance(name, int)]
    short_ids = [name for name in names if isinstance(name, str)]
    if len(names) == len(ids) == 1:
        instead = select(IssueRedirect.to_id).where(IssueRedirect.from_id == ids[0]).scalar_subquery()
        return Issue.id == func.coalesce(instead, ids[0])
    merged = select(IssueRedirect.to_id)
    ways = [
        select(_NAMED.id).where(_NAMED.id.in_(ids)),
        merged.where(IssueRedirect.from_id.in_(ids)),
        select(_NAMED.id).where(_NAMED.short_id.in_(short_ids)),
        merged.where(IssueRedirect.short_id.in_(short_ids)),
    ]
    return Issue.id.in_(union_all(*ways))  # for an `OR`, PostgreSQL reads all issues


def hold(session: Session, issue: Issue) -> None:
    """Keep the issue as it is until the transaction ends; `NotFound` if it went since it was loaded."""
    held = select(Issue.id).where(Issue.id == issue.id, IS_THERE).with_for_update()
    _or_not_found(session.scalar(held))
    session.refresh(issue)


def can(session: Session, user: User, where: Project | Organization, permission: str) -> bool:
    """Whether the person may do this there; the permissions are those of `roles.LOWEST`."""
    if user.is_superuser:
        return user.is_active
    if isinstance(where, Organization):
        found = role_of(user, where.id)
    else:
        seen = exists().where(Project.id == where.id, sees_project(user))
        found = role_of(user, where.organization_id).where(seen)
    role = session.scalar(found)
    return user.is_active and role is not None and roles.has(role, permission)


def refuse_above(session: Session, user: User, organization: Organization, role: str) -> None:
    """Nobody gives, changes or takes away a role above their own."""
    if role not in roles.ROLES:
        raise Refused(f"There is no role {role}.", field="role")
    own = role_in(session, user, organization.id)
    if not user.is_superuser and not (own and roles.may_give(own, role)):
        raise Refused(f"Only somebody who is {role} can do that.", field="role")


def role_in(session: Session, user: User, organization_id: int) -> str | None:
    return session.scalar(role_of(user, organization_id))


def role_of(user: User, organization_id: int) -> Select[str]:
    """Their role in the organization, as a query or a part of one."""
    return select(Membership.role).where(
        Membership.organization_id == organization_id, Membership.user_id == user.id
    )


def project_member_ids(session: Session, project_id: int) -> set[int]:
    """The active people in a team that has the project: those whom the project's notices concern."""
    return set(session.scalars(_member_ids(project_id)))


def project_admin_ids(session: Session, project: Project) -> set[int]:
    """Who looks after the project: its members with the rights to; without any, those of the organization."""
    able = [role for role in roles.ROLES if roles.has(role, "edit_project")]
    found = (
        select(User.id)
        .join(Membership, Membership.user_id == User.id)
        .where(
            Membership.organization_id == project.organization_id, Membership.role.in_(able), User.is_active
        )
    )
    members = set(session.scalars(found.where(is_member(project.id))))
    everywhere = Membership.role.in_(roles.SEES_EVERY_PROJECT)
    return members or set(session.scalars(found.where(everywhere)))


def member_project_ids(session: Session, user: User) -> set[int]:
    """The projects that concern the person: those of their teams, however much more they may see."""
    mine = _team_members().where(TeamMember.user_id == user.id)
    return set(session.scalars(mine.with_only_columns(team_projects.c.project_id)))


def assignable(session: Session, project: Project) -> tuple[list[User], list[Team]]:
    """Who can be given an issue of the project: its members and its teams."""
    members = select(User).where(is_member(project.id)).order_by(User.name, User.id)
    return list(session.scalars(members)), project_teams(session, project)


def project_teams(session: Session, project: Project) -> list[Team]:
    """The teams that have the project, by name."""
    having = select(Team).join(team_projects, team_projects.c.team_id == Team.id)
    return list(session.scalars(having.where(team_projects.c.project_id == project.id).order_by(Team.slug)))


def is_member(project_id: int) -> ColumnElement[bool]:
    """A condition on `User`: those whom the project's notices concern."""
    return User.id.in_(_member_ids(project_id))


def is_in_a_team() -> ColumnElement[bool]:
    """A condition on `User`: those whom the notices of some project concern."""
    return User.id.in_(_team_members())


def menu(session: Session, user: User) -> list[tuple[Organization, list[Project]]]:
    """What the header's menus list: organizations, each with the projects that this person sees."""
    seen = (Project.organization_id == Organization.id) & sees_project(user)
    found = (
        select(Organization, Project)
        .outerjoin(Project, seen)
        .where(_belongs(user))
        .order_by(Organization.name, Organization.id, Project.name, Project.id)
        .options(lazyload(Project.organization))
    )
    places: dict[Organization, list[Project]] = {}
    for organization, project in session.execute(found):
        places.setdefault(organization, []).extend([project] if project else [])
    return list(places.items())


def sees_project(viewer: Viewer) -> ColumnElement[bool]:
    """A condition on `Project`, for queries of one's own."""
    if isinstance(viewer, Organization):
        return Project.organization_id == viewer.id
    if viewer.is_superuser:
        return true()
    mine = Membership.user_id == viewer.id
    by_role = select(Membership.organization_id).where(mine, Membership.role.in_(roles.SEES_EVERY_PROJECT))
    by_team = _team_members().where(TeamMember.user_id == viewer.id)
    return or_(
        Project.organization_id.in_(by_role),
        Project.id.in_(by_team.with_only_columns(team_projects.c.project_id)),
    )


def sees_issue(user: User) -> ColumnElement[bool]:
    """A condition on `Issue` joined with its `Project`, for queries of one's own."""
    return and_(sees_project(user), IS_THERE)


def _belongs(viewer: Viewer) -> ColumnElement[bool]:
    if isinstance(viewer, Organization):
        return Organization.id == viewer.id
    if viewer.is_superuser:
        return true()
    return Organization.id.in_(select(Membership.organization_id).where(Membership.user_id == viewer.id))


def _issues(user: User) -> Select[Issue]:
    team = joinedload(Issue.assignee_team).options(lazyload(Team.organization))
    together = (joinedload(Issue.assignee_user), team)
    return select(Issue).join(Issue.project).where(sees_issue(user)).options(*together)


def _member_ids(project_id: int) -> Select[int]:
    return (
        _team_members()
        .join(User, User.id == TeamMember.user_id)
        .where(team_projects.c.project_id == project_id, User.is_active)
    )


def _team_members() -> Select[int]:
    """People in teams with projects, as far as their role in the team's organization lets them see any."""
    is_member = (Membership.user_id == TeamMember.user_id) & (
        Membership.organization_id == Team.organization_id
    )
    return (
        select(TeamMember.user_id)
        .join(Team, Team.id == TeamMember.team_id)
        .join(team_projects, team_projects.c.team_id == Team.id)
        .join(Membership, is_member)
        .where(Membership.role.not_in(roles.SEES_NO_PROJECT))
    )


def _or_not_found(found: T | None) -> T:
    if found is None:
        raise NotFound
    return found
