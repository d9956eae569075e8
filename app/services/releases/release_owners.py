"""Whose a release is: commits, authors and deploys of a release are for its owners, not for whoever names it.

The projects for which it was made own it, and those that somebody adds who sees one of them. A project
that came otherwise, by an event or by a person who guessed the version, is a guest: it has the release, and
nothing that is in it. What only events named is free: theirs who first do something with it.
A `User` that is None stands for the organization itself, which owns all of its releases.
"""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, exists, or_, select, true, update
from sqlalchemy.orm import Session

from app.domain.errors import NotFound, Refused
from app.models import (
    ArtifactBundle,
    ArtifactBundleProject,
    ArtifactBundleRelease,
    Deploy,
    DeployProject,
    Project,
    Release,
    ReleaseCommit,
    ReleaseHead,
    ReleaseProject,
    User,
)
from app.services import access
from app.services.access import Viewer
from app.services.releases import releases_seen

STRANGER = (
    "This release belongs to projects that you do not see. Put the name of your package before its version, "
    "as in shop@1.2.0."
)
UNSEEN = (
    "This release belongs to projects that you do not see, too. Somebody who sees all of them can do that."
)


class NotYours(Refused):
    """What only owners of a release may do."""


def owned_by(viewer: Viewer) -> ColumnElement[bool]:
    """A condition on `Release`: one of the projects that own it is one that is seen."""
    return _has(access.sees_project(viewer), ~ReleaseProject.is_guest)


def owns(session: Session, user: User | None, release: Release) -> bool:
    """A free one is as good as one's own: there is nothing in it."""
    if user is None:
        return True
    return _is(session, release, or_(owned_by(user), _has(access.sees_project(user)) & _is_free()))


def projects(
    session: Session, release: Release, viewer: Viewer, *, are_guests: bool = False
) -> Sequence[Project]:
    """Those that own it, or those that are guests in it, as far as somebody sees them."""
    link = (ReleaseProject.project_id == Project.id) & (ReleaseProject.release_id == release.id)
    found = select(Project).join(ReleaseProject, link)
    found = found.where(ReleaseProject.is_guest.is_(are_guests), access.sees_project(viewer))
    return session.scalars(found.order_by(Project.slug)).all()


def check(session: Session, user: User | None, release: Release, *, of_all: bool = False) -> None:
    """`NotYours` unless this person sees a project that owns the release; with `of_all`, all of those.

    `NotFound` for who sees none of its projects at all. A free one is this person's from now on.
    """
    claim(session, user, release)
    if user is None:
        return
    if not owns(session, user, release):
        raise NotYours(STRANGER) if _is(session, release, _has(access.sees_project(user))) else NotFound
    if of_all:
        _check_unseen(session, release, _has(~access.sees_project(user), ~ReleaseProject.is_guest))


def claim(session: Session, user: User | None, release: Release) -> None:
    """Whoever does something with a free release does it for those of its projects that they see."""
    if not _hold_free(session, release):
        return
    seen = select(Project.id).where(access.sees_project(user) if user else true())
    _set_guests(session, release, ReleaseProject.project_id.in_(seen), are_guests=False)


def check_deleting(session: Session, user: User | None, release: Release) -> None:
    """Guests lose it too, so that all of its projects count."""
    check(session, user, release)
    if user:
        _check_unseen(session, release, _has(~access.sees_project(user)))


def add_projects(
    session: Session, release: Release, projects: Collection[Project], *, by: User | None
) -> None:
    """Projects that it lacks; what an owner adds owns it too.

    What the organization itself names is meant: who was there before and brought nothing is a guest then.
    """
    if not projects:
        return
    is_owner = _hold_free(session, release) or owns(session, by, release)
    named = ReleaseProject.project_id.in_([project.id for project in projects])
    if by is None:
        _set_guests(session, release, ~named & _brought_nothing(release), are_guests=True)
    links = [{"release_id": release.id, "project_id": project.id} for project in projects]
    releases_seen.add_to_projects(session, links, are_guests=not is_owner)
    if is_owner:
        _set_guests(session, release, named, are_guests=False)


def _set_guests(session: Session, release: Release, which: ColumnElement[bool], *, are_guests: bool) -> None:
    session.execute(
        update(ReleaseProject)
        .where(ReleaseProject.release_id == release.id, which)
        .values(is_guest=are_guests)
        .execution_options(synchronize_session=False)
    )


def _brought_nothing(release: Release) -> ColumnElement[bool]:
    """A condition on `ReleaseProject`, of this release: no commits, files or deploys came for the project."""
    here, project_id = release.id, ReleaseProject.project_id
    deployed = exists().where(
        Deploy.release_id == here,
        DeployProject.deploy_id == Deploy.id,
        DeployProject.project_id == project_id,
    )
    uploaded = exists().where(
        ArtifactBundleRelease.version == release.version,
        ArtifactBundle.id == ArtifactBundleRelease.bundle_id,
        ArtifactBundle.organization_id == release.organization_id,
        ArtifactBundleProject.bundle_id == ArtifactBundle.id,
        ArtifactBundleProject.project_id == project_id,
    )
    return ~or_(_has_commits(here), deployed.correlate(ReleaseProject), uploaded.correlate(ReleaseProject))


def _has_commits(release_id: Any) -> ColumnElement[bool]:
    """With a list of commits, or where it is known where it stands in a repository."""
    listed = exists().where(ReleaseCommit.release_id == release_id).correlate(Release)
    return or_(listed, exists().where(ReleaseHead.release_id == release_id).correlate(Release))


def _is_free() -> ColumnElement[bool]:
    """A condition on `Release`: nobody owns it, and nothing is in it that somebody owned who is gone."""
    deployed = exists().where(Deploy.release_id == Release.id).correlate(Release)
    return ~or_(_has(~ReleaseProject.is_guest), _has_commits(Release.id), deployed)


def _hold_free(session: Session, release: Release) -> bool:
    """Whether it is free; if so, it is for nobody else until the transaction ends."""
    if not _is(session, release, _is_free()):
        return False
    session.execute(select(Release.id).where(Release.id == release.id).with_for_update(key_share=True))
    return _is(session, release, _is_free())


def _has(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """A condition on `Release`: one of its projects is such."""
    link = (ReleaseProject.release_id == Release.id) & (Project.id == ReleaseProject.project_id)
    return exists().where(link, *conditions).correlate(Release)


def _is(session: Session, release: Release, condition: ColumnElement[bool]) -> bool:
    return session.scalar(select(Release.id).where(Release.id == release.id, condition)) is not None


def _check_unseen(session: Session, release: Release, unseen: ColumnElement[bool]) -> None:
    if _is(session, release, unseen):
        raise NotYours(UNSEEN)
