"""Puts the original source into events of minified JavaScript, as they are digested.

Nothing here may fail an event, or hold up the others for long: what goes wrong is noted on the event.
"""

import logging
import time
from collections.abc import Callable, Sequence

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session

from app.domain import source_maps
from app.domain.source_maps import Note
from app.domain.stacks import JAVASCRIPT, Data, Frame
from app.models import Project
from app.services.releases.map_finding import Build, Found, MapFinder
from app.services.releases.maps import Maps, Unusable
from app.services.releases.shelf import Shelf

log = logging.getLogger(__name__)

# For all events that are read together.
MOST_SECONDS = 10.0


class Unminifier:
    """For one batch of events. `used` are the bundles that they needed."""

    def __init__(self, session: Session, shelf: Shelf, maps: Maps) -> None:
        self._finder, self._maps = MapFinder(session, shelf), maps
        self._until = time.monotonic() + MOST_SECONDS
        self.used: set[int] = set()

    def of(self, project: Project) -> Callable[[Data], list[Note]]:
        """What changes the regular data of an event, and says what went wrong."""

        def unminify(data: Data) -> list[Note]:
            try:
                return source_maps.distinct(self._unminify(project, data))
            except (OperationalError, InterfaceError):
                raise  # the database is away: the event waits
            except Exception:
                log.exception("an event was left minified", extra={"project": project.id})
                return [source_maps.note("map_malformed", "")]

        return unminify

    def _unminify(self, project: Project, data: Data) -> list[Note]:
        if data["platform"] not in JAVASCRIPT:
            return []
        frames = source_maps.minified_frames(data)
        ids = {file: id_ for file, id_ in source_maps.debug_ids(data).items() if file in frames}
        if not frames or not (ids or self._finder.has_any(project)):
            return []
        build = Build(project.id, data.get("release", ""), data.get("dist", ""))
        notes: list[Note] = []
        found = self._found(project, build, frames, ids, notes)
        for address, pair in found.items():
            notes += self._map(address, frames[address], pair)
        if found:
            source_maps.lighten(data)
        return notes

    def _found(
        self,
        project: Project,
        build: Build,
        frames: dict[str, list[Frame]],
        ids: dict[str, str],
        notes: list[Note],
    ) -> dict[str, Found]:
        """Address of a file → what belongs to it."""
        by_id = self._finder.by_debug_ids(project, set(ids.values())) if ids else {}
        found = {file: by_id[id_] for file, id_ in ids.items() if id_ in by_id}
        left = [address for address in frames if address not in found]
        if not left:
            return found
        has_build = bool(build.release) and self._finder.has_build(build)
        names = {address: source_maps.names_of(address) for address in left} if has_build else {}
        by_name = self._finder.by_names(build, {each for several in names.values() for each in several})
        for address in left:
            got = next((by_name[name] for name in names.get(address, ()) if name in by_name), None)
            problem = _problem(got, ids.get(address), has_build=has_build, frames=frames[address])
            if problem:
                notes.append(source_maps.note(problem, address if has_build or address in ids else ""))
            elif got:
                found[address] = got
        return found

    def _map(self, address: str, frames: Sequence[Frame], found: Found) -> list[Note]:
        if found.pair is None:
            return [source_maps.note(found.problem, address)]
        if time.monotonic() > self._until:
            return [source_maps.note("map_too_slow", address)]
        self.used.add(found.bundle_id)
        try:
            tokens = self._maps.look_up(found.pair, [(frame["lineno"], frame["colno"]) for frame in frames])
        except Unusable as unusable:
            return [source_maps.note(unusable.problem, address)]
        for frame, token in zip(frames, tokens, strict=True):
            if token:
                source_maps.apply(frame, token)
        return [] if all(tokens) else [source_maps.note("map_position", address)]


def _problem(got: Found | None, debug_id: str | None, *, has_build: bool, frames: Sequence[Frame]) -> str:
    """Why a file that has no debug id, or an unknown one, is left as it is; empty if `got` may be used."""
    if got is not None:
        differs = debug_id is not None and got.debug_id not in (None, debug_id)
        return "map_debug_id_differs" if differs else ""
    if debug_id is not None:
        return "map_missing"
    if all(frame.get("in_app") is False for frame in frames):
        return ""  # of a library that nobody built
    return "map_name_missing" if has_build else "map_no_link"
