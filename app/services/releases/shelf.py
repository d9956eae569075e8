"""Where uploaded files lie: below the data directory, an organization's own, named by their SHA-1.

A file appears whole or not at all. Rows are written before it appears and committed after, and removed before
it disappears and committed after: so a row that is there has its file.
"""

import hashlib
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

CHUNKS, BUNDLES, FILES = "chunks", "bundles", "files"
PIECE = 64 << 10


class TooLarge(Exception):
    """More than may be kept under one name."""


class Draft:
    """A file that is being written, and its hash so far."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self._hash = hashlib.sha1(usedforsecurity=False)

    @property
    def sha1(self) -> str:
        return self._hash.hexdigest()


class Shelf:
    def __init__(self, data_dir: Path) -> None:
        self.directory = data_dir / "artifacts"

    def where(self, organization_id: int, kind: str, sha1: str) -> Path:
        return self.directory / str(organization_id) / kind / sha1[:2] / sha1

    @contextmanager
    def draft(self, pieces: Iterable[bytes], *, limit: int) -> Iterator[Draft]:
        """The pieces in a file without a name yet; what is not put in its place in time is thrown away."""
        room = self.directory / "drafts"
        room.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = Draft(room / secrets.token_hex(16))
        try:
            with made.path.open("xb") as file:
                for piece in pieces:
                    made.size += len(piece)
                    if made.size > limit:
                        raise TooLarge
                    made._hash.update(piece)
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
            yield made
        finally:
            made.path.unlink(missing_ok=True)

    def put(self, draft: Draft, organization_id: int, kind: str) -> None:
        """In its place, at once."""
        place = self.where(organization_id, kind, draft.sha1)
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft.path.replace(place)

    def forget(self, organization_id: int, kind: str, sha1s: Iterable[str]) -> None:
        for sha1 in sha1s:
            self.where(organization_id, kind, sha1).unlink(missing_ok=True)

    def organizations(self) -> list[int]:
        """Those that have anything here."""
        with suppress(FileNotFoundError):
            return [int(each.name) for each in self.directory.iterdir() if each.name.isdigit()]
        return []

    def forget_organization(self, organization_id: int) -> None:
        shutil.rmtree(self.directory / str(organization_id), ignore_errors=True)

    def forget_drafts(self, *, before: float) -> None:
        """What was begun before that moment, by somebody who died over it."""
        with suppress(FileNotFoundError):
            for each in (self.directory / "drafts").iterdir():
                with suppress(FileNotFoundError):
                    if each.stat().st_mtime < before:
                        each.unlink()


def pieces_of(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece
