"""What was uploaded for releases: single files, what each bundle is still needed for, and its end."""

import hashlib
import re
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Select, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session

from app.domain import bundles
from app.domain.errors import Refused
from app.models import (
    ArtifactBundle,
    ArtifactBundleProject,
    ArtifactBundleRelease,
    ArtifactFile,
    Organization,
    Project,
    Release,
)
from app.models.artifacts import ERROR, OK
from app.services.releases import assembling
from app.services.releases import shelf as shelves
from app.services.releases.shelf import Draft, Shelf
from app.services.upserting import insert_missing

MAX_FILE = 40 << 20
MAX_FILES_OF_RELEASE = 5000
PORTION = 50
# An error is kept so long for whoever asks for it.
ERRORS_KEPT = timedelta(days=1)
USE_NOTED = timedelta(days=1)
_REFERENCE = re.compile(rb"//[#@]\s?sourceMappingURL=(\S{1,500})\s*$", re.MULTILINE)
_TAIL = 4096


def files_of(release: Release, checksums: Collection[str] = ()) -> Select[ArtifactFile]:
    """What was uploaded for the release file by file."""
    own = ArtifactBundle.is_archive.is_(False) & (ArtifactBundle.organization_id == release.organization_id)
    build = ArtifactBundleRelease.version == release.version
    found = (
        select(ArtifactFile)
        .join(ArtifactBundle, ArtifactBundle.id == ArtifactFile.bundle_id)
        .join(ArtifactBundleRelease, ArtifactBundleRelease.bundle_id == ArtifactBundle.id)
        .where(own, build)
        .order_by(ArtifactFile.url, ArtifactFile.id)
    )
    return found.where(ArtifactFile.sha1.in_(checksums)) if checksums else found


def dists_of(session: Session, files: Iterable[ArtifactFile]) -> dict[int, str]:
    """Bundle → the dist of the single files in it."""
    ids = {file.bundle_id for file in files}
    builds = select(ArtifactBundleRelease).where(ArtifactBundleRelease.bundle_id.in_(ids))
    return {row.bundle_id: row.dist for row in session.scalars(builds)}


def add_file(
    session: Session,
    shelf: Shelf,
    release: Release,
    projects: Sequence[Project],
    draft: Draft,
    *,
    name: str,
    dist: str,
    headers: dict[str, str],
    now: datetime,
) -> ArtifactFile:
    """A single file of a release; one of the same name is replaced."""
    bundle = _single_files(session, release, dist, now=now)
    assembling.associate(session, bundle.id, projects, release.version, dist)
    same = (ArtifactFile.bundle_id == bundle.id) & (ArtifactFile.url == name)
    replaced = set(session.scalars(delete(ArtifactFile).where(same).returning(ArtifactFile.sha1)))
    count = select(func.count()).where(ArtifactFile.bundle_id == bundle.id)
    if (session.scalar(count) or 0) >= MAX_FILES_OF_RELEASE:
        raise Refused(f"A release takes {MAX_FILES_OF_RELEASE} single files. Upload a bundle instead.")
    lower = {key.lower(): value for key, value in headers.items()}
    reference = lower.get("sourcemap") or lower.get("x-sourcemap") or _reference(draft.path)
    row = ArtifactFile(
        bundle_id=bundle.id,
        kind=bundles.MAP if name.endswith(".map") else bundles.MINIFIED,
        url=name,
        debug_id=bundles.debug_id(lower.get("debug-id")),
        source_map=reference[: bundles.MAX_URL],
        sha1=draft.sha1,
        size=draft.size,
        headers=headers,
        created_at=now,
    )
    session.add(row)
    session.flush()
    shelf.put(draft, release.organization_id, shelves.FILES)
    _forget_content(session, shelf, bundle.organization_id, replaced)
    return row


def _single_files(session: Session, release: Release, dist: str, *, now: datetime) -> ArtifactBundle:
    """The bundle of what is uploaded for a build file by file. Held, so that two uploads do not cross."""
    named = f"{release.version}\n{dist}".encode()
    checksum = hashlib.sha1(named, usedforsecurity=False).hexdigest()
    organization_id = release.organization_id
    row: dict[str, Any] = {
        "organization_id": organization_id,
        "checksum": checksum,
        "is_archive": False,
        "chunks": [],
        "state": OK,
        "detail": "",
        "uploaded_at": now,
        "used_at": now,
    }
    insert_missing(session, ArtifactBundle, [row], "organization_id", "checksum")
    here = (ArtifactBundle.organization_id == organization_id) & (ArtifactBundle.checksum == checksum)
    found = session.scalars(select(ArtifactBundle).where(here).with_for_update()).one()
    found.uploaded_at = found.used_at = now
    return found


def _reference(path: Path) -> str:
    """What a script says at its end about its source map."""
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, 2) - _TAIL))
        found = _REFERENCE.findall(file.read())
    return found[-1].decode("utf-8", "replace") if found else ""


def delete_file(session: Session, shelf: Shelf, file: ArtifactFile) -> None:
    """A single file of a release; with the last one its bundle goes."""
    bundle = session.get_one(ArtifactBundle, file.bundle_id, with_for_update=True)
    sha1 = file.sha1
    session.delete(file)
    session.flush()
    if not session.scalar(select(exists().where(ArtifactFile.bundle_id == bundle.id))):
        session.delete(bundle)
        session.flush()
    _forget_content(session, shelf, bundle.organization_id, [sha1])


def delete_files(session: Session, shelf: Shelf, release: Release) -> None:
    """All of its single files."""
    ids = set(session.scalars(files_of(release).with_only_columns(ArtifactFile.bundle_id).order_by(None)))
    held = select(ArtifactBundle).where(ArtifactBundle.id.in_(ids)).order_by(ArtifactBundle.id)
    for bundle in session.scalars(held.with_for_update()).all():
        take_away(session, shelf, bundle)


def note_use(session: Session, bundle_ids: Collection[int], *, now: datetime) -> None:
    """Events needed these bundles. To within a day, so that it is seldom written."""
    if bundle_ids:
        stale = ArtifactBundle.id.in_(bundle_ids) & (ArtifactBundle.used_at < now - USE_NOTED)
        session.execute(
            update(ArtifactBundle)
            .where(stale)
            .values(used_at=now)
            .execution_options(synchronize_session=False)
        )


def forget(session: Session, shelf: Shelf, *, unused_since: datetime, now: datetime) -> int:
    """A portion of the bundles that nothing needs any more, with their files."""
    has_project = exists().where(ArtifactBundleProject.bundle_id == ArtifactBundle.id)
    failed = (ArtifactBundle.state == ERROR) & (ArtifactBundle.uploaded_at < now - ERRORS_KEPT)
    orphaned = (ArtifactBundle.uploaded_at < now - ERRORS_KEPT) & ~has_project
    old = or_(ArtifactBundle.used_at < unused_since, failed, orphaned)
    found = select(ArtifactBundle).where(old).order_by(ArtifactBundle.id).limit(PORTION)
    leaving = session.scalars(found.with_for_update(skip_locked=True)).all()
    for bundle in leaving:
        take_away(session, shelf, bundle)
    return len(leaving)


def take_away(session: Session, shelf: Shelf, bundle: ArtifactBundle) -> None:
    """A bundle with all that is in it."""
    own = select(ArtifactFile.sha1).where(ArtifactFile.bundle_id == bundle.id, ArtifactFile.sha1.is_not(None))
    sha1s = set(session.scalars(own))
    session.execute(delete(ArtifactFile).where(ArtifactFile.bundle_id == bundle.id))
    session.delete(bundle)
    session.flush()
    if bundle.is_archive:
        shelf.forget(bundle.organization_id, shelves.BUNDLES, [bundle.checksum])
    _forget_content(session, shelf, bundle.organization_id, sha1s)


def _forget_content(
    session: Session, shelf: Shelf, organization_id: int, sha1s: Collection[str | None]
) -> None:
    """What no other build of the organization consists of too."""
    others = select(ArtifactFile.sha1).join(ArtifactBundle, ArtifactBundle.id == ArtifactFile.bundle_id)
    here = ArtifactBundle.organization_id == organization_id
    used = set(session.scalars(others.where(here, ArtifactFile.sha1.in_(sha1s))))
    shelf.forget(organization_id, shelves.FILES, [each for each in sha1s if each and each not in used])


def gone_organizations(session: Session, ids: Collection[int]) -> set[int]:
    """Those of the organizations that are no more."""
    return set(ids) - set(session.scalars(select(Organization.id).where(Organization.id.in_(ids))))
