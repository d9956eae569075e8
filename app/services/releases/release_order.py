"""The newest releases of projects, by what each link to one keeps of the release's order date.

Whoever links or dates a release sets it. An event sets it again, so that what was done at the same moment
as something else does not stay wrong.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ScalarSelect, Select, func, select, true, update
from sqlalchemy.orm import Session

from app.models import Project, Release, ReleaseProject

DATE = func.coalesce(Release.date_released, Release.date_added)
NEWEST_FIRST = ReleaseProject.ordered_at.desc(), ReleaseProject.release_id.desc()


def of_link() -> ScalarSelect[datetime]:
    """What a link keeps."""
    dated = select(DATE).where(Release.id == ReleaseProject.release_id)
    return dated.correlate(ReleaseProject).scalar_subquery()


def keep(session: Session, release_ids: Collection[int]) -> None:
    """These were linked to projects, or dated."""
    if release_ids:
        links = update(ReleaseProject).where(ReleaseProject.release_id.in_(release_ids))
        changed = links.values(ordered_at=of_link())
        session.execute(changed.execution_options(synchronize_session=False))


def newest_of_each(places: Select[int]) -> Select[int, str]:
    """Each of the projects that has releases, and the version of its newest one."""
    version = select(Release.version).join(ReleaseProject, ReleaseProject.release_id == Release.id)
    version = version.where(ReleaseProject.project_id == Project.id).order_by(*NEWEST_FIRST).limit(1)
    newest = version.correlate(Project).scalar_subquery().label("version")
    found = select(Project.id, newest).where(Project.id.in_(places)).subquery()
    return select(found.c.id, found.c.version).where(found.c.version.is_not(None))


def recent(session: Session, places: Select[int], status: str, limit: int) -> Select[str, datetime, int]:
    """The newest releases of the projects that have this status, as a query.

    The newest of each project, and of those the newest: PostgreSQL and SQLite say that in ways of their own.
    """
    theirs = select(ReleaseProject.release_id).join(Release, Release.id == ReleaseProject.release_id)
    theirs = theirs.where(ReleaseProject.project_id == Project.id, Release.status == status)
    newest = theirs.order_by(*NEWEST_FIRST).limit(limit).correlate(Project)
    found = select(Release.version, DATE.label("at"), Release.id).distinct()
    if session.get_bind().dialect.name == "postgresql":
        each = newest.lateral()
        found = found.select_from(Project).join(each, true()).join(Release, Release.id == each.c.release_id)
    else:
        found = found.select_from(Project).join(Release, Release.id.in_(newest))
    return found.where(Project.id.in_(places)).order_by(DATE.desc(), Release.id.desc()).limit(limit)
