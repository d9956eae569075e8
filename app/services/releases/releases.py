"""Looking up releases and commits by name: what an issue can be resolved in, and which release is newer.

Making and changing releases is `releasing`, making them of events `releases_seen`; what pages show of them
are `release_lists` and `release_pages`, who may do what `release_owners` and `repository_owners`.
"Newest" and "latest" go by the order date: when a release was finished, else when it was first seen.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Select, cast, exists, func, literal, null, or_, select, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.domain import commits
from app.domain.errors import Refused
from app.domain.resolutions import LATEST
from app.models import (
    Commit,
    Organization,
    Project,
    Release,
    ReleaseCommit,
    ReleaseEnvironment,
    ReleaseProject,
    Repository,
    User,
)
from app.models.base import UtcDateTime
from app.services.releases import release_order, repository_owners

SHORTEST_SHA = 4
OFFERED = 20
order_date = release_order.DATE
NEWEST_FIRST = (order_date.desc(), Release.id.desc())


class Seen(Protocol):
    """What is asked of an event."""

    @property
    def release(self) -> str | None: ...

    @property
    def received_at(self) -> datetime: ...


# A row of a list that a page shows: of which list it is, a name, a value, a moment, a number, and a total.
Listed = tuple[str, str, str, Any, int, int]
RELEASE, REPOSITORY = "release", "repository"


@dataclass(frozen=True, slots=True)
class Offer:
    """In what the issues of a project can be resolved: its newest releases, and repositories with commits."""

    releases: Sequence[str]
    repositories: Sequence[str]


def offer(session: Session, project: Project) -> Offer:
    """One query."""
    return offer_of(session.execute(union_all(*(select(each.subquery()) for each in offered(project)))))


def offered(project: Project) -> tuple[Select[*Listed], Select[*Listed]]:
    """The queries behind an offer, for a query that asks for more: see `offer_of`."""
    newest = _of_project(project.id).order_by(*release_order.NEWEST_FIRST).limit(OFFERED)
    has_commits = exists().where(Commit.repository_id == Repository.id)
    of_project = repository_owners.of_project(project) & has_commits
    repositories = _listed(REPOSITORY, Repository.name, cast(null(), UtcDateTime), Repository.id)
    return (
        newest.with_only_columns(*_listed(RELEASE, Release.version, order_date, Release.id)),
        select(*repositories).where(of_project),
    )


def _listed(
    sort: str, name: InstrumentedAttribute[str], at: ColumnElement[Any], number: InstrumentedAttribute[int]
) -> Sequence[ColumnElement[Any]]:
    return (
        literal(sort).label("sort"),
        name.label("name"),
        literal("").label("value"),
        at.label("at"),
        number.label("number"),
        literal(0).label("total"),
    )


def offer_of(rows: Iterable[Listed]) -> Offer:
    """The releases newest first, the repositories by name; other rows are passed over."""
    known = list(rows)
    newest = sorted(
        ((at, number, name) for sort, name, _, at, number, _ in known if sort == RELEASE), reverse=True
    )
    return Offer([name for *_, name in newest], sorted(row[1] for row in known if row[0] == REPOSITORY))


def newest(session: Session, project: Project) -> Release:
    """`Refused` when the project has no release, with what to do instead."""
    found = session.scalars(_of_project(project.id).order_by(*NEWEST_FIRST).limit(1)).first()
    if found is None:
        raise Refused(
            f"{project.name} has no release yet: one exists as soon as an event names it. "
            "Until then, resolve without naming a release.",
            field="release",
        )
    return found


def newest_of(
    session: Session,
    project_id: int,
    environment: str | None,
    *,
    until: datetime | None = None,
    limit: int | None = OFFERED,
) -> Sequence[Release]:
    """The newest releases of a project, or of those seen in an environment of it, newest first."""
    found = _of_project(project_id)
    if environment is not None:
        found = select(Release).join(ReleaseEnvironment, ReleaseEnvironment.release_id == Release.id)
        here = (ReleaseEnvironment.project_id == project_id) & (ReleaseEnvironment.environment == environment)
        found = found.where(here)
    if until is not None:
        found = found.where(Release.date_added <= until)
    return session.scalars(found.order_by(*NEWEST_FIRST).limit(limit)).all()


def is_known(release: Release, event: Seen) -> bool:
    """Whether there was the release already when the event came in; an event makes its own known."""
    return release.version == event.release or release.date_added <= event.received_at


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


def commit_named(
    session: Session, organization_id: int, repository: str, sha: str, *, by: User | None
) -> Commit:
    """A commit by its hash, or by the beginning of it. `Refused` when there is none, or more than one.

    Of repositories that `by` may use: a guess shall not read the commits of others.
    """
    sha = sha.strip().lower()
    if not repository.strip():
        raise Refused("Name the repository of the commit.", field="repository")
    if len(sha) < SHORTEST_SHA or not sha.isalnum():
        raise Refused("Give the commit’s hash, or at least its first four characters.", field="commit")
    where = (Repository.organization_id == organization_id) & (Repository.name == repository.strip())
    whose = by or session.get_one(Organization, organization_id)
    place = session.scalar(select(Repository).where(where, repository_owners.usable_by(whose)))
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
        .order_by(*NEWEST_FIRST)
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


def is_before(release: Release) -> ColumnElement[bool]:
    """A condition on `Release`: those that come before this one, by their order dates."""
    at = release.order_date
    return or_(at > order_date, (order_date == at) & (Release.id < release.id))


def _of_project(project_id: int) -> Select[Release]:
    joined = select(Release).join(ReleaseProject, ReleaseProject.release_id == Release.id)
    return joined.where(ReleaseProject.project_id == project_id)
