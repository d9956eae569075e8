"""What there is to tell of a deploy, as far as its reader may see: commits, fixes, projects, new issues."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain import commits
from app.models import (
    Commit,
    CommitFile,
    Deploy,
    DeployProject,
    EmailAddress,
    Issue,
    Notice,
    Project,
    Release,
    ReleaseCommit,
    ReleaseProject,
    Resolution,
    User,
)
from app.services import access
from app.services.releases import releases

MOST_COMMITS, MOST_ISSUES, MOST_PROJECTS = 20, 20, 20


@dataclass(frozen=True, slots=True)
class Line:
    """A commit: short name, first line, author; `is_own` if it is the reader's."""

    sha: str
    line: str
    author: str
    repository: str
    is_own: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """A project that the deploy is of."""

    name: str
    organization_slug: str
    slug: str
    resolved: int
    new: int


@dataclass(frozen=True, slots=True)
class Deployed:
    """All of it. The lists may be cut; the numbers are whole."""

    version: str
    environment: str
    at: datetime
    before: str
    commits: int
    own: int
    authors: int
    files: int
    lines: Sequence[Line]
    resolved: Sequence[str]
    places: Sequence[Place]
    url: str = ""


def of(session: Session, notice: Notice, reader: User) -> Deployed:
    """Raises `LookupError` where the deploy is gone."""
    deploy = session.get(Deploy, notice.activity.data["deploy"]) if notice.activity else None
    if deploy is None:
        raise LookupError(f"notice {notice.public_id} has lost its deploy")
    release = deploy.release
    addresses = _addresses(session, reader)
    found = _commits(session, release)
    of_it = select(ReleaseCommit.commit_id).where(ReleaseCommit.release_id == release.id)
    own = func.count().filter(func.lower(Commit.author_email).in_(addresses or {""}))
    columns = (func.count(), func.count(Commit.author_email.distinct()), own)
    counted = session.execute(select(*columns).where(Commit.id.in_(of_it))).one()
    files = select(func.count(CommitFile.path.distinct())).where(CommitFile.commit_id.in_(of_it))
    projects = _projects(session, deploy, reader)
    issues = _resolved(session, release, [project.id for project in projects])
    return Deployed(
        version=release.version,
        environment=deploy.environment,
        at=deploy.date_finished,
        before=_before(session, release),
        commits=counted[0],
        authors=counted[1],
        own=counted[2],
        files=session.scalar(files) or 0,
        lines=[_line(commit, addresses) for commit in _first_own(found, addresses)],
        resolved=[issue.short_id for issue in issues][:MOST_ISSUES],
        places=_places(session, release, projects, issues),
        url=deploy.url,
    )


def _addresses(session: Session, reader: User) -> set[str]:
    own = (EmailAddress.user_id == reader.id) & EmailAddress.verified_at.is_not(None)
    return set(session.scalars(select(EmailAddress.address).where(own)))


def _commits(session: Session, release: Release) -> Sequence[Commit]:
    found = select(Commit).join(ReleaseCommit, ReleaseCommit.commit_id == Commit.id)
    found = found.where(ReleaseCommit.release_id == release.id).order_by(ReleaseCommit.position)
    return session.scalars(found).all()


def _first_own(found: Sequence[Commit], addresses: Collection[str]) -> Sequence[Commit]:
    """Where there is no room for all, the reader's own are not the ones that are left out."""
    own = [each for each in found if each.author_email.lower() in addresses]
    others = [each for each in found if each.author_email.lower() not in addresses]
    kept = {each.id for each in [*own, *others][:MOST_COMMITS]}
    return [each for each in found if each.id in kept]


def _line(commit: Commit, addresses: Collection[str]) -> Line:
    return Line(
        commits.short(commit.key),
        commits.first_line(commit.message),
        commit.author_name or commit.author_email,
        commit.repository.name,
        is_own=commit.author_email.lower() in addresses,
    )


def _projects(session: Session, deploy: Deploy, reader: User) -> Sequence[Project]:
    """Those that were deployed, and that the reader sees."""
    found = select(Project).join(DeployProject, DeployProject.project_id == Project.id)
    found = found.where(DeployProject.deploy_id == deploy.id, access.sees_project(reader))
    return session.scalars(found.order_by(Project.name, Project.id)).all()


def _resolved(session: Session, release: Release, project_ids: Collection[int]) -> Sequence[Issue]:
    """The issues of these projects that a commit of the release resolved in it."""
    found = (
        select(Issue)
        .join(Resolution, Resolution.issue_id == Issue.id)
        .where(
            Resolution.release_id == release.id,
            Resolution.commit_id.is_not(None),
            Issue.project_id.in_(project_ids),
            access.IS_THERE,
        )
    )
    return session.scalars(found.order_by(Issue.project_id, Issue.number)).all()


def _places(
    session: Session, release: Release, projects: Sequence[Project], issues: Sequence[Issue]
) -> list[Place]:
    ids = [project.id for project in projects]
    counted = select(Issue.project_id, func.count()).where(
        Issue.project_id.in_(ids), Issue.first_release == release.version, access.IS_THERE
    )
    new = {key: count for key, count in session.execute(counted.group_by(Issue.project_id))}
    return [
        Place(
            project.name,
            project.organization.slug,
            project.slug,
            sum(issue.project_id == project.id for issue in issues),
            new.get(project.id, 0),
        )
        for project in projects[:MOST_PROJECTS]
    ]


def _before(session: Session, release: Release) -> str:
    """The version of the release before it, of a project that both have."""
    ours = select(ReleaseProject.project_id).where(ReleaseProject.release_id == release.id)
    theirs = select(ReleaseProject.release_id).where(ReleaseProject.project_id.in_(ours))
    found = select(Release.version).where(Release.id.in_(theirs), releases.is_before(release))
    return session.scalars(found.order_by(*releases.NEWEST_FIRST).limit(1)).first() or ""
