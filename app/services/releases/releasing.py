"""Releases as people and build servers make them: created, finished, archived, deleted, and read by them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, exists, func, select
from sqlalchemy.orm import Session

from app.domain import commits, versions
from app.domain.errors import NotFound, Refused
from app.models import (
    Activity,
    Commit,
    Deploy,
    DeployProject,
    Issue,
    Organization,
    Project,
    Release,
    ReleaseCommit,
    ReleaseProject,
    User,
)
from app.services import access
from app.services.access import Viewer
from app.services.releases import artifacts, release_order, release_owners, releases
from app.services.releases.shelf import Shelf
from app.services.upserting import insert_missing_returning

STATUSES = OPEN, ARCHIVED = "open", "archived"
LONGEST_URL, LONGEST_REF = 500, 200


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is to be set; None stays as it is."""

    url: str | None = None
    ref: str | None = None
    date_released: datetime | None = None
    status: str | None = None


def create(
    session: Session,
    organization: Organization,
    version: str,
    projects: Collection[Project],
    wishes: Wishes,
    *,
    by: User | None,
    now: datetime,
) -> tuple[Release, bool]:
    """The release of this name, and whether it is new; one that is there gets the projects that it lacks."""
    if not versions.is_possible(version):
        raise Refused(
            "A release’s name has 1 to 200 visible characters in one line, without slash and backslash; "
            "., .. and latest are taken.",
            field="version",
        )
    row = {"organization_id": organization.id, "version": version, "date_added": now}
    made = insert_missing_returning(session, Release, [row], "organization_id", "version")
    found = session.scalars(_of(organization.id).where(Release.version == version)).one()
    if made and not projects:
        raise Refused("A new release belongs to at least one project.", field="projects")
    release_owners.add_projects(session, found, projects, by=by)
    change(session, found, wishes, by=by, now=now)
    return found, bool(made)


def change(session: Session, release: Release, wishes: Wishes, *, by: User | None, now: datetime) -> None:
    """Set what is wished for. Being finished for the first time is an activity of its projects."""
    if wishes == Wishes():
        return
    release_owners.check(session, by, release, of_all=bool(wishes.status or wishes.date_released))
    check_url(wishes.url)
    if wishes.status is not None and wishes.status not in STATUSES:
        raise Refused(f"status is one of: {', '.join(STATUSES)}.", field="status")
    if wishes.url is not None:
        release.url = wishes.url[:LONGEST_URL]
    if wishes.ref is not None:
        release.ref = wishes.ref[:LONGEST_REF]
    if wishes.status is not None:
        release.status = wishes.status
    if wishes.date_released is not None:
        is_first = release.date_released is None
        release.date_released = wishes.date_released
        session.flush()
        release_order.keep(session, [release.id])
        if is_first:
            _note_finished(session, release, by=by, now=now)
    session.flush()


def check_url(url: str | None) -> None:
    """It is shown as a link: nothing else than an address of the web may be one."""
    if url and not commits.is_web(url):
        raise Refused("An address begins with https:// or http://.", field="url")


def _note_finished(session: Session, release: Release, *, by: User | None, now: datetime) -> None:
    for project_id in project_ids(session, release):
        session.add(
            Activity(
                project_id=project_id,
                type="release",
                actor_id=by.id if by else None,
                data={"version": release.version, "release": release.id},
                created_at=now,
            )
        )


def delete(session: Session, shelf: Shelf, release: Release, *, by: User | None) -> None:
    """Its single files go too. What was resolved in it stays so until an event from a later release."""
    release_owners.check_deleting(session, by, release)
    artifacts.delete_files(session, shelf, release)
    session.delete(release)
    session.flush()


# Finding


def project_ids(session: Session, release: Release) -> list[int]:
    found = select(ReleaseProject.project_id).where(ReleaseProject.release_id == release.id)
    return list(session.scalars(found.order_by(ReleaseProject.project_id)))


def visible(session: Session, viewer: Viewer, organization: Organization, version: str) -> Release:
    """A release of a project that the person sees, else `NotFound`."""
    if "\x00" in version:  # PostgreSQL refuses to look for it
        raise NotFound
    found = _of(organization.id).where(Release.version == version, seen_by(viewer))
    row = session.scalars(found).first()
    if row is None:
        raise NotFound
    return row


def seen_by(viewer: Viewer, project_ids: Collection[int] | None = None) -> ColumnElement[bool]:
    """A condition on `Release`: it is of a project that this person sees; of these, if any are named."""
    link = (ReleaseProject.release_id == Release.id) & (Project.id == ReleaseProject.project_id)
    seen = link & access.sees_project(viewer)
    if project_ids is not None:
        seen &= Project.id.in_(project_ids)
    return exists().where(seen).correlate(Release)


def listed(
    organization: Organization,
    viewer: Viewer,
    *,
    project_ids: Collection[int] | None = None,
    beginning: str = "",
    status: str = "",
) -> Select[Release]:
    """The releases that the person sees, newest first."""
    found = _of(organization.id).where(seen_by(viewer, project_ids))
    if beginning:
        found = found.where(_begins_with(beginning))
    if status:
        found = found.where(Release.status == status)
    return found.order_by(*releases.NEWEST_FIRST)


def _begins_with(text: str) -> ColumnElement[bool]:
    """People and mails call `shop@2.1.0-RC1` just 2.1.0-rc1."""
    whole = Release.version.istartswith(text, autoescape=True)
    return whole | Release.version.icontains(f"@{text.removeprefix('@')}", autoescape=True)


def recent(session: Session, places: Select[int]) -> Select[str, datetime, int]:
    """The newest releases of these projects as a query: as many as are offered, and one to tell of more."""
    return release_order.recent(session, places, OPEN, releases.OFFERED + 1)


def before_with_commits(session: Session, release: Release, viewer: Viewer) -> Release | None:
    """The newest earlier release of the same projects whose newest commit is named in full.

    It is one whose commits this person may read.
    """
    ours = select(ReleaseProject.project_id).where(ReleaseProject.release_id == release.id)
    theirs = select(ReleaseProject.release_id).where(ReleaseProject.project_id.in_(ours))
    first = (
        exists()
        .where(
            ReleaseCommit.release_id == Release.id,
            ReleaseCommit.position == 0,
            Commit.id == ReleaseCommit.commit_id,
            func.length(Commit.key).in_((40, 64)),
        )
        .correlate(Release)
    )
    found = _of(release.organization_id).where(Release.id.in_(theirs), releases.is_before(release), first)
    found = found.where(release_owners.owned_by(viewer))
    return session.scalars(found.order_by(*releases.NEWEST_FIRST).limit(1)).first()


def _of(organization_id: int) -> Select[Release]:
    return select(Release).where(Release.organization_id == organization_id)


# What a release is made of


@dataclass(frozen=True, slots=True)
class Facts:
    """Of one release: its projects as far as somebody sees them, and what there is of it for them.

    Who is no owner of it sees no commit, author or address; deploys are of projects that one sees.
    """

    is_owner: bool = False
    projects: Sequence[Project] = ()
    new_issues: int = 0
    commits: int = 0
    deploys: int = 0
    authors: Sequence[tuple[str, str]] = ()
    last_commit: Commit | None = None
    last_deploy: Deploy | None = None
    first_event_at: datetime | None = None
    last_event_at: datetime | None = None


def facts(session: Session, rows: Sequence[Release], viewer: Viewer) -> Mapping[int, Facts]:
    """By the id of the release, with a number of queries that does not grow with them."""
    ids = [row.id for row in rows]
    projects, owned, new, seen = _projects(session, ids, viewer)
    deploys, last_deploys = _deploys(session, ids, viewer)
    counts, authors = _commits(session, owned)
    last_commits = _last_commits(session, owned) if counts else {}
    return {
        row.id: Facts(
            row.id in owned,
            projects.get(row.id, ()),
            new.get(row.id, 0),
            counts.get(row.id, 0),
            deploys.get(row.id, 0),
            authors.get(row.id, ()),
            last_commits.get(row.id),
            last_deploys.get(row.id),
            min(seen.get(row.id, ()), default=None),
            max(seen.get(row.id, ()), default=None),
        )
        for row in rows
    }


def _projects(
    session: Session, ids: Collection[int], viewer: Viewer
) -> tuple[dict[int, list[Project]], set[int], dict[int, int], dict[int, list[datetime]]]:
    """By release; the releases that one of them owns; and of each, as far as it is of these projects:

    how many issues were first seen in it, and when its first and last events were.
    """
    here = (Issue.project_id == ReleaseProject.project_id) & (Issue.first_release == Release.version)
    new = select(func.count()).select_from(Issue).where(here, access.IS_THERE).scalar_subquery()
    found = (
        select(ReleaseProject, Project, new)
        .join(Project, Project.id == ReleaseProject.project_id)
        .join(Release, Release.id == ReleaseProject.release_id)
        .where(ReleaseProject.release_id.in_(ids), access.sees_project(viewer))
        .order_by(Project.slug)
    )
    theirs: dict[int, list[Project]] = {}
    owned = set()
    counts: dict[int, int] = {}
    seen: dict[int, list[datetime]] = {}
    for link, project, count in session.execute(found):
        theirs.setdefault(link.release_id, []).append(project)
        counts[link.release_id] = counts.get(link.release_id, 0) + count
        times = seen.setdefault(link.release_id, [])
        times += [at for at in (link.first_event_at, link.last_event_at) if at]
        if not link.is_guest:
            owned.add(link.release_id)
    return theirs, owned, counts, seen


def _commits(
    session: Session, ids: Collection[int]
) -> tuple[dict[int, int], dict[int, list[tuple[str, str]]]]:
    """How many each release has; and their authors, each once, by address: the newest commit's first."""
    found = (
        select(ReleaseCommit.release_id, Commit.author_name, Commit.author_email, func.count())
        .join(Commit, Commit.id == ReleaseCommit.commit_id)
        .where(ReleaseCommit.release_id.in_(ids))
        .group_by(ReleaseCommit.release_id, Commit.author_name, Commit.author_email)
        .order_by(func.min(ReleaseCommit.position))
    )
    counts: dict[int, int] = {}
    theirs: dict[int, dict[str, str]] = {}
    for release_id, name, email, count in session.execute(found):
        counts[release_id] = counts.get(release_id, 0) + count
        if email:
            theirs.setdefault(release_id, {}).setdefault(email, name or email)
    return counts, {key: [(name, email) for email, name in each.items()] for key, each in theirs.items()}


def _last_commits(session: Session, ids: Collection[int]) -> dict[int, Commit]:
    found = (
        select(ReleaseCommit.release_id, Commit)
        .join(Commit, Commit.id == ReleaseCommit.commit_id)
        .where(ReleaseCommit.release_id.in_(ids), ReleaseCommit.position == 0)
    )
    return {release_id: commit for release_id, commit in session.execute(found)}


def deploy_seen_by(viewer: Viewer, project_ids: Collection[int] | None = None) -> ColumnElement[bool]:
    """A condition on `Deploy`: it is of a project that this person sees; of these, if any are named."""
    link = (DeployProject.deploy_id == Deploy.id) & (Project.id == DeployProject.project_id)
    if project_ids is not None:
        link &= Project.id.in_(project_ids)
    return exists().where(link, access.sees_project(viewer)).correlate(Deploy)


def _deploys(
    session: Session, ids: Collection[int], viewer: Viewer
) -> tuple[dict[int, int], dict[int, Deploy]]:
    """How many each release has that the person sees, and the last of them."""
    count = func.count().label("count")
    of_release = (
        select(func.max(Deploy.id).label("newest"), count)
        .where(Deploy.release_id.in_(ids), deploy_seen_by(viewer))
        .group_by(Deploy.release_id)
        .subquery()
    )
    found = session.execute(
        select(Deploy, of_release.c.count).join(of_release, of_release.c.newest == Deploy.id)
    )
    rows = [(deploy, number) for deploy, number in found]
    return {each.release_id: number for each, number in rows}, {each.release_id: each for each, _ in rows}


def commits_of(release: Release) -> Select[Commit]:
    """Its commits, newest first."""
    found = select(Commit).join(ReleaseCommit, ReleaseCommit.commit_id == Commit.id)
    return found.where(ReleaseCommit.release_id == release.id).order_by(ReleaseCommit.position)
