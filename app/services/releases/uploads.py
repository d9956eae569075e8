"""What was uploaded for a project, as its pages list it."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, case, exists, func, select
from sqlalchemy.orm import Session

from app.domain.bundles import MINIFIED
from app.domain.errors import NotFound
from app.models import (
    ArtifactBundle,
    ArtifactBundleProject,
    ArtifactBundleRelease,
    ArtifactFile,
    Project,
    Release,
    User,
)
from app.services import access

PER_PAGE, MOST_BUILDS = 25, 5
FILES_PER_PAGE = 100


@dataclass(frozen=True, slots=True)
class Upload:
    """A bundle, or files that were uploaded one by one; `builds` are releases and dists, not all of many.

    `name` is that of its first file, of the minified ones if there are any; "" while it is not read.
    """

    bundle: ArtifactBundle
    name: str
    files: int
    size: int
    debug_ids: int
    builds: Sequence[tuple[str, str]]
    more_builds: int


def listed(session: Session, project: Project, *, version: str = "", page: int = 1) -> Sequence[Upload]:
    """A page of them and one more, the latest first; of one release, if any is named. Two queries."""
    facts = ArtifactFile.bundle_id == ArtifactBundle.id
    minified = case((ArtifactFile.kind == MINIFIED, ArtifactFile.url))
    numbers = (
        select(func.coalesce(func.min(minified), func.min(ArtifactFile.url), ""))
        .where(facts)
        .scalar_subquery(),
        select(func.count()).where(facts).scalar_subquery(),
        select(func.coalesce(func.sum(ArtifactFile.size), 0)).where(facts).scalar_subquery(),
        select(func.count(ArtifactFile.debug_id.distinct())).where(facts).scalar_subquery(),
    )
    found = _of(project).add_columns(*numbers)
    if version:
        found = found.where(_is_of(version))
    found = found.order_by(ArtifactBundle.uploaded_at.desc(), ArtifactBundle.id.desc())
    rows = session.execute(found.offset((page - 1) * PER_PAGE).limit(PER_PAGE + 1)).all()
    builds = _builds(session, [bundle.id for bundle, *_ in rows])
    return [
        Upload(
            bundle,
            name=name,
            files=files,
            size=size,
            debug_ids=debug_ids,
            builds=builds.get(bundle.id, [])[:MOST_BUILDS],
            more_builds=max(len(builds.get(bundle.id, [])) - MOST_BUILDS, 0),
        )
        for bundle, name, files, size, debug_ids in rows
    ]


def _of(project: Project) -> Select[ArtifactBundle]:
    link = ArtifactBundleProject.bundle_id == ArtifactBundle.id
    found = select(ArtifactBundle).join(ArtifactBundleProject, link)
    return found.where(ArtifactBundleProject.project_id == project.id)


def _is_of(version: str) -> ColumnElement[bool]:
    link = ArtifactBundleRelease.bundle_id == ArtifactBundle.id
    return exists().where(link, ArtifactBundleRelease.version == version)


def _builds(session: Session, bundle_ids: Sequence[int]) -> dict[int, list[tuple[str, str]]]:
    found = (
        select(ArtifactBundleRelease)
        .where(ArtifactBundleRelease.bundle_id.in_(bundle_ids))
        .order_by(ArtifactBundleRelease.version, ArtifactBundleRelease.dist)
    )
    builds: dict[int, list[tuple[str, str]]] = {}
    for row in session.scalars(found):
        builds.setdefault(row.bundle_id, []).append((row.version, row.dist))
    return builds


def count_of(session: Session, project: Project, release: Release) -> int:
    """How many there are for a release, in the project."""
    found = _of(project).where(_is_of(release.version)).with_only_columns(func.count())
    return session.scalar(found) or 0


def find(session: Session, project: Project, upload_id: int) -> ArtifactBundle:
    found = session.scalar(_of(project).where(ArtifactBundle.id == upload_id))
    if found is None:
        raise NotFound
    return found


def files(
    session: Session, bundle: ArtifactBundle, *, page: int = 1
) -> tuple[Sequence[ArtifactFile], int, Sequence[tuple[str, str]]]:
    """A page of its files, how many there are, and the builds that it is of."""
    here = ArtifactFile.bundle_id == bundle.id
    count = session.scalar(select(func.count()).where(here)) or 0
    found = select(ArtifactFile).where(here).order_by(ArtifactFile.url, ArtifactFile.id)
    rows = session.scalars(found.offset((page - 1) * FILES_PER_PAGE).limit(FILES_PER_PAGE)).all()
    return rows, count, _builds(session, [bundle.id]).get(bundle.id, [])


def others(session: Session, bundle: ArtifactBundle, project: Project, user: User) -> Sequence[Project]:
    """The other projects that it is for, as far as this person sees them."""
    found = (
        select(Project)
        .join(ArtifactBundleProject, ArtifactBundleProject.project_id == Project.id)
        .where(
            ArtifactBundleProject.bundle_id == bundle.id, Project.id != project.id, access.sees_project(user)
        )
    )
    return session.scalars(found.order_by(Project.name, Project.id)).all()
