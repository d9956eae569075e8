"""Whose a release is: commits, authors and deploys of a release are for its owners, not for whoever names it.

Its first projects own it, and those that somebody adds who sees one of them. A project that came otherwise,
by an event or by a person who guessed the version, is a guest: it has the release, and nothing that is in it.
A `User` that is None stands for the organization itself, which owns all of its releases.
"""

from collections.abc import Collection

from sqlalchemy import ColumnElement, exists, select, update
from sqlalchemy.orm import Session

from app.domain.errors import NotFound, Refused
from app.models import Project, Release, ReleaseProject, User
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
    return user is None or _is(session, release, owned_by(user))


def check(session: Session, user: User | None, release: Release, *, of_all: bool = False) -> None:
    """`NotYours` unless this person sees a project that owns the release; with `of_all`, all of those.

    `NotFound` for who sees none of its projects at all.
    """
    if user is None:
        return
    if not owns(session, user, release):
        raise NotYours(STRANGER) if _is(session, release, _has(access.sees_project(user))) else NotFound
    if of_all:
        _check_unseen(session, release, _has(~access.sees_project(user), ~ReleaseProject.is_guest))


def check_deleting(session: Session, user: User | None, release: Release) -> None:
    """Guests lose it too, so that all of its projects count."""
    check(session, user, release)
    if user:
        _check_unseen(session, release, _has(~access.sees_project(user)))


def add_projects(
    session: Session, release: Release, projects: Collection[Project], *, by: User | None
) -> None:
    """Projects that it lacks; what an owner adds owns it too."""
    if not projects:
        return
    is_owner = owns(session, by, release) or not _is(session, release, _has(~ReleaseProject.is_guest))
    links = [{"release_id": release.id, "project_id": project.id} for project in projects]
    releases_seen.add_to_projects(session, links, are_guests=not is_owner)
    if is_owner:
        named = ReleaseProject.project_id.in_([project.id for project in projects])
        session.execute(
            update(ReleaseProject)
            .where(ReleaseProject.release_id == release.id, named)
            .values(is_guest=False)
            .execution_options(synchronize_session=False)
        )


def _has(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """A condition on `Release`: one of its projects is such."""
    link = (ReleaseProject.release_id == Release.id) & (Project.id == ReleaseProject.project_id)
    return exists().where(link, *conditions).correlate(Release)


def _is(session: Session, release: Release, condition: ColumnElement[bool]) -> bool:
    return session.scalar(select(Release.id).where(Release.id == release.id, condition)) is not None


def _check_unseen(session: Session, release: Release, unseen: ColumnElement[bool]) -> None:
    if _is(session, release, unseen):
        raise NotYours(UNSEEN)
