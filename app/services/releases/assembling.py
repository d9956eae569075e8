"""Makes bundles of chunks: asked for in a request, done by a job, looked at by whoever asks again.

`build` is what takes time, and needs no session; `claim` and `settle` are the transactions around it.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import delete, exists, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.domain.bundles import BadBundle, Manifest
from app.models import (
    ArtifactBundle,
    ArtifactBundleProject,
    ArtifactBundleRelease,
    ArtifactFile,
    Organization,
    Project,
)
from app.models.artifacts import ASSEMBLING, ERROR, OK, WAITING
from app.services import access
from app.services.access import Viewer
from app.services.releases import archives, chunking
from app.services.releases import shelf as shelves
from app.services.releases.shelf import Draft, Shelf, TooLarge
from app.services.upserting import insert_all, insert_missing

MAX_BUNDLE = 2 << 30
MAX_CHUNKS = 1024
NOT_FOUND = "not_found"
OTHERS = "A bundle with this checksum is here in other pieces, for projects that you do not see."
# Longer than a job may take: whoever claimed a bundle before that has died.
CLAIM = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class State:
    """Of a bundle, as `web-api.md` 3 names it."""

    state: str
    missing: Sequence[str] = ()
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Upload:
    """What was asked for: which chunks make which bundle, and what it is for."""

    checksum: str
    chunks: list[str]
    projects: Sequence[Project]
    version: str = ""
    dist: str = ""


@dataclass(frozen=True, slots=True)
class Work:
    """A bundle that is being made."""

    id: int
    organization_id: int
    checksum: str
    chunks: Sequence[str]


@dataclass(frozen=True, slots=True)
class Built:
    """What came of it: a file, or what is wrong with it."""

    draft: Draft | None = None
    manifest: Manifest | None = None
    sizes: dict[str, int] | None = None
    error: str = ""
    lost: Sequence[str] = ()


def ask(
    session: Session, shelf: Shelf, organization: Organization, upload: Upload, *, by: Viewer, now: datetime
) -> State:
    """What has become of the bundle; it is begun if all of it is here.

    One that is there for projects that the asker does not see is for theirs too once they have shown that
    they have it: by uploading it. Knowing its checksum is not enough.
    """
    found = _named(session, organization, upload.checksum)
    if found is None or not _sees(session, by, found):
        missing = chunking.missing(session, organization.id, upload.chunks)
        if missing or not upload.chunks:
            return State(NOT_FOUND, missing)
        found = found or _begin(session, organization, upload, now=now)
        if upload.chunks != (found.chunks or [found.checksum]):
            return State(ERROR, detail=OTHERS)
        if found.state == OK:
            chunking.spend(session, shelf, organization.id, upload.chunks)
    if found.state != ERROR:
        found.uploaded_at = found.used_at = now
        associate(session, found.id, upload.projects, upload.version, upload.dist)
    return State(found.state, detail=found.detail or None)


def _named(session: Session, organization: Organization, checksum: str) -> ArtifactBundle | None:
    """Of archives alone: files that were uploaded one by one are no bundle that anybody can name."""
    here = (ArtifactBundle.organization_id == organization.id) & ArtifactBundle.is_archive
    return session.scalar(select(ArtifactBundle).where(here, ArtifactBundle.checksum == checksum))


def _sees(session: Session, viewer: Viewer, bundle: ArtifactBundle) -> bool:
    """One of the projects that it is for."""
    link = (ArtifactBundleProject.bundle_id == bundle.id) & (ArtifactBundleProject.project_id == Project.id)
    return bool(session.scalar(select(exists().where(link, access.sees_project(viewer)))))


def _begin(session: Session, organization: Organization, upload: Upload, *, now: datetime) -> ArtifactBundle:
    """A row of the session, so that a worker is woken; of two who ask at once one makes it."""
    made = ArtifactBundle(
        organization_id=organization.id,
        checksum=upload.checksum,
        is_archive=True,
        chunks=upload.chunks,
        state=WAITING,
        uploaded_at=now,
        used_at=now,
    )
    try:
        with session.begin_nested():
            session.add(made)
    except IntegrityError:
        found = _named(session, organization, upload.checksum)
        if found is None:
            raise
        return found
    return made


def associate(session: Session, bundle_id: int, projects: Iterable[Project], version: str, dist: str) -> None:
    """Say whose events the bundle is for, and of which build it is."""
    rows = [{"bundle_id": bundle_id, "project_id": project.id} for project in projects]
    insert_missing(session, ArtifactBundleProject, rows, "bundle_id", "project_id")
    if version:
        build = {"bundle_id": bundle_id, "version": version, "dist": dist}
        insert_missing(session, ArtifactBundleRelease, [build], "bundle_id", "version", "dist")


def waiting(session: Session, *, now: datetime, limit: int) -> Sequence[int]:
    """The bundles that nobody works on, oldest first."""
    found = select(ArtifactBundle.id).where(_is_free(now)).order_by(ArtifactBundle.id).limit(limit)
    return session.scalars(found).all()


def _is_free(now: datetime) -> Any:
    dead = (ArtifactBundle.state == ASSEMBLING) & (ArtifactBundle.claimed_at < now - CLAIM)
    return or_(ArtifactBundle.state == WAITING, dead)


def claim(session: Session, bundle_id: int, *, now: datetime) -> Work | None:
    """For the one worker that gets it."""
    won = (
        update(ArtifactBundle)
        .where(ArtifactBundle.id == bundle_id, _is_free(now))
        .values(state=ASSEMBLING, claimed_at=now)
        .returning(
            ArtifactBundle.id,
            ArtifactBundle.organization_id,
            ArtifactBundle.checksum,
            ArtifactBundle.chunks,
        )
        .execution_options(synchronize_session=False)
    )
    row = session.execute(won).one_or_none()
    return Work(*row) if row else None


@contextmanager
def build(shelf: Shelf, work: Work) -> Iterator[Built]:
    """The archive, whole and checked, or what is wrong with it."""
    places = [shelf.where(work.organization_id, shelves.CHUNKS, sha1) for sha1 in work.chunks]
    lost = [sha1 for sha1, place in zip(work.chunks, places, strict=True) if not place.exists()]
    if lost:
        yield Built(lost=lost)
        return
    try:
        with shelf.draft(_joined(places), limit=MAX_BUNDLE) as draft:
            yield _checked(draft, work)
    except TooLarge:
        yield Built(error=f"The bundle is larger than {MAX_BUNDLE >> 30} GB.")


def _joined(places: Sequence[Path]) -> Iterator[bytes]:
    for place in places:
        yield from shelves.pieces_of(place)


def _checked(draft: Draft, work: Work) -> Built:
    if draft.sha1 != work.checksum:
        return Built(error="The chunks together have another SHA-1 than the bundle.")
    try:
        manifest, sizes = archives.check(draft.path)
    except BadBundle as bad:
        return Built(error=str(bad))
    return Built(draft, manifest, sizes)


def settle(session: Session, shelf: Shelf, work: Work, built: Built, *, now: datetime) -> None:
    """Write down what came of it. Whose claim ran out meanwhile has no say any more."""
    mine = (ArtifactBundle.id == work.id) & (ArtifactBundle.state == ASSEMBLING)
    bundle = session.scalar(select(ArtifactBundle).where(mine).with_for_update())
    if bundle is None:
        return
    if built.lost:
        chunking.disown(session, work.organization_id, list(built.lost))
        session.delete(bundle)  # whoever asks again is told what to upload
        return
    if built.draft is None or built.manifest is None:
        bundle.state, bundle.detail = ERROR, built.error[:500]
        return
    _keep_files(session, bundle, built.manifest, built.sizes or {}, now=now)
    associate(session, bundle.id, (), built.manifest.release, built.manifest.dist)
    bundle.state = OK
    session.flush()
    shelf.put(built.draft, work.organization_id, shelves.BUNDLES)
    chunking.spend(session, shelf, work.organization_id, work.chunks)


def _keep_files(
    session: Session, bundle: ArtifactBundle, manifest: Manifest, sizes: dict[str, int], *, now: datetime
) -> None:
    session.execute(delete(ArtifactFile).where(ArtifactFile.bundle_id == bundle.id))
    rows: list[dict[str, Any]] = [
        {
            "bundle_id": bundle.id,
            "kind": file.kind,
            "url": file.url,
            "debug_id": file.debug_id,
            "source_map": file.source_map,
            "member": file.member,
            "sha1": None,
            "size": sizes[file.member],
            "headers": {},
            "created_at": now,
        }
        for file in manifest.files
    ]
    insert_all(session, ArtifactFile, rows)
