"""Whose a repository is: commits are read by their hash by those whom it is for, and by nobody who guesses.

It is for the projects in whose releases its commits were first sent, and for those that somebody adds who
sees one of them; one that a provider's pushes come from is for whomever its hook names. Who names a
repository of strangers gets another one, with the project's slug behind it. The organization itself may use
all of its own.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, exists, func, or_, select, true
from sqlalchemy.orm import Session

from app.domain import roles
from app.domain.errors import NotFound, Refused
from app.models import (
    Commit,
    Membership,
    Organization,
    Project,
    PushHook,
    Release,
    Repository,
    RepositoryProject,
)
from app.services import access
from app.services.access import Viewer
from app.services.releases import release_owners
from app.services.upserting import insert_missing, insert_missing_returning

LONGEST_NAME = 200
MOST_LISTED = 500


@dataclass(frozen=True, slots=True)
class Line:
    """A repository in a list: how many of its commits are known, and the projects that it is for."""

    repository: Repository
    commits: int
    projects: Sequence[Project]


def usable_by(viewer: Viewer) -> ColumnElement[bool]:
    """A condition on `Repository`, within an organization of theirs."""
    if isinstance(viewer, Organization):
        return Repository.organization_id == viewer.id
    if viewer.is_superuser:
        return true()
    link = (RepositoryProject.repository_id == Repository.id) & (Project.id == RepositoryProject.project_id)
    of_seen = exists().where(link, access.sees_project(viewer)).correlate(Repository)
    sees_all = Membership.role.in_(roles.SEES_EVERY_PROJECT) & (Membership.user_id == viewer.id)
    of_all = Repository.organization_id.in_(select(Membership.organization_id).where(sees_all))
    return or_(Repository.is_shared, of_seen, of_all)


def of_project(project: Project) -> ColumnElement[bool]:
    """A condition on `Repository`: whoever sees the project may use it."""
    has_it = (RepositoryProject.repository_id == Repository.id) & (RepositoryProject.project_id == project.id)
    here = Repository.organization_id == project.organization_id
    return here & or_(Repository.is_shared, exists().where(has_it).correlate(Repository))


def named(
    session: Session, release: Release, names: Collection[str], *, by: Viewer
) -> Mapping[str, Repository]:
    """Those of them that there are for this person; the projects of the release have them from then on."""
    projects = release_owners.projects(session, release, by)
    places = _found(session, release, _apart(names, projects), by)
    _give(session, places.values(), projects)
    return places


def claimed(
    session: Session, release: Release, names: Collection[str], *, by: Viewer, now: datetime
) -> Mapping[str, Repository]:
    """The same; those that are not there for them yet are made, and belong to the projects of the release."""
    projects = release_owners.projects(session, release, by)
    apart = _apart(names, projects)
    places = _found(session, release, apart, by)
    missing = apart.keys() - places.keys()
    if missing:
        taken = missing - _make(session, release, missing, projects, now=now)
        _make(session, release, {apart[name] for name in taken}, projects, now=now)
        places = _found(session, release, apart, by)
    if lost := apart.keys() - places.keys():
        raise Refused(f"The repository “{min(lost)}” belongs to projects that you do not see.")
    _give(session, places.values(), projects)
    return places


def _found(session: Session, release: Release, apart: Mapping[str, str], by: Viewer) -> dict[str, Repository]:
    """By the name that was given: what this person may use of that name, else of the one apart."""
    here = Repository.organization_id == release.organization_id
    wanted = Repository.name.in_({*apart, *apart.values()})
    rows = {row.name: row for row in session.scalars(select(Repository).where(here, wanted, usable_by(by)))}
    found = {name: rows.get(name) or rows.get(apart[name]) for name in apart}
    return {name: row for name, row in found.items() if row}


def _make(
    session: Session,
    release: Release,
    names: Collection[str],
    projects: Collection[Project],
    *,
    now: datetime,
) -> set[str]:
    """Repositories of these projects; the names that nobody had."""
    rows = [_row(release.organization_id, name, now=now) for name in names]
    made = {
        row["name"] for row in insert_missing_returning(session, Repository, rows, "organization_id", "name")
    }
    if made:
        here = (Repository.organization_id == release.organization_id) & Repository.name.in_(made)
        _give(session, session.scalars(select(Repository).where(here)), projects)
    return made


def _row(organization_id: int, name: str, *, now: datetime) -> dict[str, object]:
    bare = {"provider": "", "url": "", "is_shared": False}
    return {"organization_id": organization_id, "name": name, "created_at": now, **bare}


def _give(session: Session, rows: Iterable[Repository], projects: Collection[Project]) -> None:
    links = [
        {"repository_id": row_id, "project_id": project.id}
        for row_id in {row.id for row in rows if not row.is_shared}
        for project in projects
    ]
    insert_missing(session, RepositoryProject, links, "repository_id", "project_id")


def _apart(names: Iterable[str], projects: Collection[Project]) -> dict[str, str]:
    """What a repository is called whose name strangers have already: "origin (shop)"."""
    mark = f" ({next(iter(projects)).slug})" if projects else ""
    return {name: f"{name[: LONGEST_NAME - len(mark)]}{mark}" for name in names}


# Those that pushes come from


def pushed(session: Session, hook: PushHook, name: str, url: str, *, now: datetime) -> Repository:
    """What a hook tells of. With the first push it is for whomever the hook says, whoever named it before."""
    row = {**_row(hook.organization_id, name, now=now), "url": url}
    insert_missing(session, Repository, [row], "organization_id", "name")
    here = (Repository.organization_id == hook.organization_id) & (Repository.name == name)
    found = session.scalars(select(Repository).where(here).with_for_update()).one()
    if not found.provider:
        share(session, found, only=hook.project)
    elif hook.project and not found.is_shared:
        _give(session, [found], [hook.project])
    found.provider, found.url = found.provider or hook.provider, found.url or url
    session.flush()
    return found


def share(session: Session, row: Repository, *, only: Project | None) -> None:
    """From now on it is for one project, or without one for all of the organization."""
    session.execute(delete(RepositoryProject).where(RepositoryProject.repository_id == row.id))
    row.is_shared = only is None
    session.flush()
    _give(session, [row], [only] if only else [])


def listed(session: Session, organization: Organization, viewer: Viewer) -> Sequence[Line]:
    """Those that they may use, by name."""
    count = select(func.count(Commit.id)).where(Commit.repository_id == Repository.id).scalar_subquery()
    found = (
        select(Repository, count)
        .where(Repository.organization_id == organization.id, usable_by(viewer))
        .order_by(Repository.name, Repository.id)
        .limit(MOST_LISTED)
    )
    rows = session.execute(found).all()
    having = (
        select(RepositoryProject.repository_id, Project)
        .join(Project, Project.id == RepositoryProject.project_id)
        .where(RepositoryProject.repository_id.in_([row.id for row, _ in rows]), access.sees_project(viewer))
        .order_by(Project.name, Project.id)
    )
    projects: dict[int, list[Project]] = {}
    for repository_id, project in session.execute(having):
        projects.setdefault(repository_id, []).append(project)
    return [Line(row, commits, projects.get(row.id, ())) for row, commits in rows]


def find(session: Session, viewer: Viewer, organization: Organization, repository_id: int) -> Repository:
    here = (Repository.organization_id == organization.id) & usable_by(viewer)
    row = session.scalar(select(Repository).where(Repository.id == repository_id, here))
    if row is None:
        raise NotFound
    return row
