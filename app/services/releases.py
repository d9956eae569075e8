"""Releases, repositories and commits, as far as issues are resolved in them.

"Newest" and "latest" go by the order date: when a release was finished, else when it was first seen.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import Session

from app.domain import commits
from app.domain.errors import Refused
from app.domain.resolutions import LATEST
from app.models import Commit, Project, Release, ReleaseCommit, ReleaseProject, Repository

SHORTEST_SHA = 4
OFFERED = 20
_NEWEST_FIRST = (func.coalesce(Release.date_released, Release.date_added).desc(), Release.id.desc())


@dataclass(frozen=True, slots=True)
class Offer:
    """In what the issues of a project can be resolved: its newest releases, and repositories with commits."""

    releases: Sequence[Release]
    repositories: Sequence[Repository]


def offer(session: Session, project: Project) -> Offer:
    return Offer(recent(session, project.id, limit=OFFERED), repositories(session, project.organization_id))


def recent(session: Session, project_id: int, *, limit: int) -> Sequence[Release]:
    """The newest releases of a project, newest first."""
    return session.scalars(_of_project(project_id).order_by(*_NEWEST_FIRST).limit(limit)).all()


def newest(session: Session, project: Project) -> Release:
    """`Refused` when the project has no release, with what to do instead."""
    found = session.scalars(_of_project(project.id).order_by(*_NEWEST_FIRST).limit(1)).first()
    if found is None:
        raise Refused(
            f"{project.name} has no release yet: one exists as soon as an event names it. "
            "Until then, resolve without naming a release.",
            field="release",
        )
    return found


def named(session: Session, project: Project, version: str) -> Release:
    """A release of the project; `latest` is the newest one. `Refused` when there is none of that name."""
    version = version.strip()
    if not version:
        raise Refused("Name the release.", field="release")
    if version == LATEST:
        return newest(session, project)
    found = session.scalar(_of_project(project.id).where(Release.version == version))
    if found is None:
        newest(session, project)
        raise Refused(f"{project.name} has no release “{version}”.", field="release")
    return found


def repositories(session: Session, organization_id: int) -> Sequence[Repository]:
    """Those of which commits are known, by name."""
    has_commits = exists().where(Commit.repository_id == Repository.id)
    found = select(Repository).where(Repository.organization_id == organization_id, has_commits)
    return session.scalars(found.order_by(Repository.name)).all()


def commit_named(session: Session, organization_id: int, repository: str, sha: str) -> Commit:
    """A commit by its hash, or by the beginning of it. `Refused` when there is none, or more than one."""
    sha = sha.strip().lower()
    if not repository.strip():
        raise Refused("Name the repository of the commit.", field="repository")
    if len(sha) < SHORTEST_SHA or not sha.isalnum():
        raise Refused("Give the commit’s hash, or at least its first four characters.", field="commit")
    where = (Repository.organization_id == organization_id) & (Repository.name == repository.strip())
    place = session.scalar(select(Repository).where(where))
    if place is None:
        raise Refused(f"There is no repository “{repository.strip()}” here.", field="repository")
    begins = (Commit.repository_id == place.id) & Commit.key.startswith(sha, autoescape=True)
    found = session.scalars(select(Commit).where(begins).order_by(func.length(Commit.key)).limit(2)).all()
    if not found:
        raise Refused(f"No commit {sha} of {place.name} is known here.", field="commit")
    if len(found) > 1 and found[0].key != sha:
        raise Refused(f"Several commits of {place.name} begin with {sha}. Give more of it.", field="commit")
    return found[0]


def of_commits(
    session: Session, project_ids: Collection[int], commit_ids: Collection[int]
) -> Mapping[tuple[int, int], Release]:
    """The newest release that a commit is part of, for each project and commit; one query."""
    if not commit_ids:
        return {}
    found = (
        select(ReleaseProject.project_id, ReleaseCommit.commit_id, Release)
        .join(Release, Release.id == ReleaseProject.release_id)
        .join(ReleaseCommit, ReleaseCommit.release_id == Release.id)
        .where(ReleaseProject.project_id.in_(project_ids), ReleaseCommit.commit_id.in_(commit_ids))
        .order_by(*_NEWEST_FIRST)
    )
    newest_of: dict[tuple[int, int], Release] = {}
    for project_id, commit_id, release in session.execute(found):
        newest_of.setdefault((project_id, commit_id), release)
    return newest_of


def told(commit: Commit) -> dict[str, Any]:
    """What an activity keeps of a commit, which may be edited or deleted later."""
    repository = commit.repository
    return {
        "commit": commit.key,
        "line": commits.first_line(commit.message),
        "author": commit.author_name or commit.author_email,
        "repository": repository.name,
        "url": commits.page(repository.url, repository.provider, commit.key),
    }


def _of_project(project_id: int) -> Select[Release]:
    joined = select(Release).join(ReleaseProject, ReleaseProject.release_id == Release.id)
    return joined.where(ReleaseProject.project_id == project_id)
