"""Finds the source maps of a project's minified files: by debug id, else by release, dist and name.

For a batch of events: what was looked for once, found or not, is not looked for again.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import ColumnElement, Row, Select, exists, select
from sqlalchemy.orm import Session

from app.domain import source_maps
from app.domain.bundles import MAP, MINIFIED
from app.models import (
    ArtifactBundle,
    ArtifactBundleProject,
    ArtifactBundleRelease,
    ArtifactFile,
    Project,
)
from app.models.artifacts import OK
from app.services.releases import shelf as shelves
from app.services.releases.maps import MapPair, Place
from app.services.releases.shelf import Shelf


@dataclass(frozen=True, slots=True)
class Found:
    """What belongs to a minified file: its map, or why there is none."""

    pair: MapPair | None = None
    problem: str = ""
    bundle_id: int = 0
    debug_id: str | None = None


class Build(NamedTuple):
    project_id: int
    release: str
    dist: str


FileRow = Row[ArtifactFile, int, str]


class MapFinder:
    def __init__(self, session: Session, shelf: Shelf) -> None:
        self._session, self._shelf = session, shelf
        self._has_any: dict[int, bool] = {}
        self._has_build: dict[Build, bool] = {}
        self._by_id: dict[tuple[int, str], Found | None] = {}
        self._by_name: dict[tuple[Build, str], Found | None] = {}

    def has_any(self, project: Project) -> bool:
        """Whether anything was ever uploaded for the project."""
        if project.id not in self._has_any:
            named = exists().where(ArtifactBundleProject.project_id == project.id)
            self._has_any[project.id] = bool(self._session.scalar(select(named)))
        return self._has_any[project.id]

    def has_build(self, build: Build) -> bool:
        """Whether anything was uploaded for this release of it."""
        if build not in self._has_build:
            found = _files(build.project_id).join(_BUILDS, _SAME).where(_is_of(build)).limit(1)
            self._has_build[build] = self._session.execute(found).first() is not None
        return self._has_build[build]

    def by_debug_ids(self, project: Project, ids: Collection[str]) -> dict[str, Found]:
        new = {id_ for id_ in ids if (project.id, id_) not in self._by_id}
        if new:
            found = self._session.execute(_files(project.id).where(ArtifactFile.debug_id.in_(new))).all()
            for id_ in new:
                rows = [row for row in found if row[0].debug_id == id_]
                self._by_id[project.id, id_] = self._pair_of(rows)
        return {id_: got for id_ in ids if (got := self._by_id[project.id, id_])}

    def by_names(self, build: Build, names: Collection[str]) -> dict[str, Found]:
        new = {name for name in names if (build, name) not in self._by_name}
        if new:
            self._look_for_names(build, new)
        return {name: got for name in names if (got := self._by_name[build, name])}

    def _look_for_names(self, build: Build, names: Collection[str]) -> None:
        codes: dict[str, FileRow] = {}
        for row in self._named(build, names):
            if row[0].kind != MAP:
                codes.setdefault(row[0].url, row)
        wanted = {name: source_maps.map_names(row[0].url, row[0].source_map) for name, row in codes.items()}
        maps: dict[str, FileRow] = {}
        for row in self._named(build, {each for several in wanted.values() for each in several}):
            maps.setdefault(row[0].url, row)
        for name in names:
            self._by_name[build, name] = None
            if name in codes:
                fitting = [maps[each] for each in wanted[name] if each in maps]
                self._by_name[build, name] = self._joined(fitting[0] if fitting else None, codes[name])

    def _named(self, build: Build, names: Collection[str]) -> Sequence[FileRow]:
        """Those of the dist before those of none, the latest first."""
        named = _files(build.project_id, _BUILDS.dist.desc()).join(_BUILDS, _SAME)
        return self._session.execute(named.where(_is_of(build), ArtifactFile.url.in_(names))).all()

    def _pair_of(self, rows: Sequence[FileRow]) -> Found | None:
        """The latest map, with its file from the same bundle."""
        map_ = next((row for row in rows if row[0].kind == MAP), None)
        codes = [row for row in rows if row[0].kind == MINIFIED]
        if map_ is None and not codes:
            return None
        of_bundle = [row for row in codes if map_ is None or row[0].bundle_id == map_[0].bundle_id]
        return self._joined(map_, of_bundle[0] if of_bundle else None)

    def _joined(self, map_: FileRow | None, code: FileRow | None) -> Found:
        debug_id = code[0].debug_id if code else None
        if map_ is None:
            return Found(problem="map_reference_missing", debug_id=debug_id)
        pair = MapPair(self._place(map_), self._place(code) if code else None)
        return Found(pair, bundle_id=map_[0].bundle_id, debug_id=debug_id)

    def _place(self, row: FileRow) -> Place:
        file, organization_id, checksum = row
        kind, sha1 = (shelves.FILES, file.sha1) if file.sha1 else (shelves.BUNDLES, checksum)
        return Place(str(self._shelf.where(organization_id, kind, sha1)), file.member)


_BUILDS = ArtifactBundleRelease
_SAME = _BUILDS.bundle_id == ArtifactBundle.id


def _is_of(build: Build) -> ColumnElement[bool]:
    return (_BUILDS.version == build.release) & _BUILDS.dist.in_({build.dist, ""})


def _files(project_id: int, *first: ColumnElement[str]) -> Select[ArtifactFile, int, str]:
    """Files for the project's events with their bundles, the latest first."""
    return (
        select(ArtifactFile, ArtifactBundle.organization_id, ArtifactBundle.checksum)
        .join(ArtifactBundle, ArtifactBundle.id == ArtifactFile.bundle_id)
        .join(ArtifactBundleProject, ArtifactBundleProject.bundle_id == ArtifactBundle.id)
        .where(ArtifactBundleProject.project_id == project_id, ArtifactBundle.state == OK)
        .order_by(*first, ArtifactBundle.uploaded_at.desc(), ArtifactFile.id.desc())
    )
