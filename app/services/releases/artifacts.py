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
from app.services import access
from app.services.access import Viewer
from app.services.releases import assembling
from app.services.releases import shelf as shelves
from app.services.releases.release_owners import NotYours
from app.services.releases.shelf import Draft, Shelf
from app.services.upserting import insert_missing

MAX_FILE = 40 << 20
MAX_FILES_OF_RELEASE = 5000
PORTION = 50
UNSEEN = "This file is for projects that you do not see, too. Somebody who sees all of them can do that."
# An error is kept so long for whoever asks for it.
ERRORS_KEPT = timedelta(days=1)
USE_NOTED = timedelta(days=1)
_REFERENCE = re.compile(rb"//[#@]\s?sourceMappingURL=(\S{1,500})\s*$", re.MULTILINE)
_TAIL = 4096
_MARK = "files:"


def files_of(release: Release, viewer: Viewer, checksums: Collection[str] = ()) -> Select[ArtifactFile]:
    """What was uploaded for the release file by file, for projects that are seen."""
    own = ArtifactBundle.is_archive.is_(False) & (ArtifactBundle.organization_id == release.organization_id)
    build = ArtifactBundleRelease.version == release.version
    link = (ArtifactBundleProject.bundle_id == ArtifactBundle.id) & (
        ArtifactBundleProject.project_id == Project.id
    )
    found = (
        select(ArtifactFile)
        .join(ArtifactBundle, ArtifactBundle.id == ArtifactFile.bundle_id)
        .join(ArtifactBundleRelease, ArtifactBundleRelease.bundle_id == ArtifactBundle.id)
        .where(own, build, exists().where(link, access.sees_project(viewer)).correlate(ArtifactBundle))
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
    """A single file of a release; one of the same name, for the same projects, is replaced."""
    bundle = _single_files(session, release, projects, dist, now=now)
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


def _single_files(
    session: Session, release: Release, projects: Sequence[Project], dist: str, *, now: datetime
) -> ArtifactBundle:
    """The bundle of what is uploaded for a build file by file. Held, so that two uploads do not cross.

    Projects that share a release do not share files. Its name is no SHA-1, as that of each archive is.
    """
    ids = sorted(project.id for project in projects)
    named = "\n".join([release.version, dist, *map(str, ids)])
    checksum = _MARK + hashlib.sha256(named.encode()).hexdigest()[: 40 - len(_MARK)]
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


def delete_file(session: Session, shelf: Shelf, file: ArtifactFile, *, by: Viewer) -> None:
    """A single file of a release; with the last one its bundle goes.

    `NotYours` where it is for a project that this person does not see, too.
    """
    link = (ArtifactBundleProject.bundle_id == file.bundle_id) & (
        ArtifactBundleProject.project_id == Project.id
    )
    if session.scalar(select(exists().where(link, ~access.sees_project(by)))):
        raise NotYours(UNSEEN)
    bundle = session.get_one(ArtifactBundle, file.bundle_id, with_for_update=True)
    sha1 = file.sha1
    session.delete(file)
    session.flush()
    if not session.scalar(select(exists().where(ArtifactFile.bundle_id == bundle.id))):
        session.delete(bundle)
        session.flush()
    _forget_content(session, shelf, bundle.organization_id, [sha1])


def delete_files(session: Session, shelf: Shelf, release: Release, *, of: Project | None = None) -> None:
    """All of its single files; of one project, what is for others too stays for those."""
    own = ArtifactBundle.is_archive.is_(False) & (ArtifactBundle.organization_id == release.organization_id)
    build = select(ArtifactBundleRelease.bundle_id).where(ArtifactBundleRelease.version == release.version)
    held = select(ArtifactBundle).where(own, ArtifactBundle.id.in_(build)).order_by(ArtifactBundle.id)
    if of:
        theirs = ArtifactBundleProject.project_id == of.id
        held = held.where(ArtifactBundle.id.in_(select(ArtifactBundleProject.bundle_id).where(theirs)))
    for bundle in session.scalars(held.with_for_update()).all():
        if of:
            remove(session, shelf, bundle, of)
        else:
            take_away(session, shelf, bundle)


def remove(session: Session, shelf: Shelf, bundle: ArtifactBundle, project: Project) -> None:
    """The project's events use it no more. With its last project it goes, and its files with it."""
    here = ArtifactBundleProject.bundle_id == bundle.id
    session.execute(delete(ArtifactBundleProject).where(here, ArtifactBundleProject.project_id == project.id))
    if not session.scalar(select(exists().where(here))):
        take_away(session, shelf, bundle)


def note_use(session: Session, bundle_ids: Collection[int], *, now: datetime) -> None:
    """Events needed these bundles. Their first use, then to within a day, so that it is seldom written."""
    if bundle_ids:
        is_first = ArtifactBundle.used_at <= ArtifactBundle.uploaded_at
        is_old = ArtifactBundle.used_at < now - USE_NOTED
        stale = ArtifactBundle.id.in_(bundle_ids) & (is_first | is_old)
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
