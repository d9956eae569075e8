"""Takes the chunks that bundles are uploaded in: checked against their hashes, kept for a day at most."""

import re
import zlib
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import IO, Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app.domain.errors import Refused
from app.models import ArtifactBundle, ArtifactChunk, Organization
from app.models.artifacts import ASSEMBLING, WAITING
from app.services.pruning import CHUNK
from app.services.releases import shelf as shelves
from app.services.releases.shelf import Draft, Shelf
from app.services.upserting import insert_into

MAX_CHUNK = 8 << 20
MAX_CHUNKS_OF_REQUEST = 64
# Bundles that are being uploaded, all together: the disk is everybody's.
MAX_WAITING = 8 << 30
KEPT = timedelta(days=1)
SHA1 = re.compile(r"[0-9a-f]{40}")
_GZIP = 16 + zlib.MAX_WBITS


class Mismatch(Refused):
    """A chunk that is not what its name says."""


def pieces(stream: IO[bytes], *, is_packed: bool) -> Iterator[bytes]:
    """The content of a chunk, never more than a piece of it at a time, however it was packed."""
    if not is_packed:
        while piece := stream.read(shelves.PIECE):
            yield piece
        return
    unpacker = zlib.decompressobj(_GZIP)
    try:
        while not unpacker.eof:
            packed = unpacker.unconsumed_tail or stream.read(shelves.PIECE)
            if not packed:
                raise Mismatch("A chunk is cut off.")
            yield unpacker.decompress(packed, shelves.PIECE)
    except zlib.error:
        raise Mismatch("A chunk is not valid gzip.") from None


def check_room(session: Session, organization: Organization) -> None:
    waiting = select(func.coalesce(func.sum(ArtifactChunk.size), 0))
    size = session.scalar(waiting.where(ArtifactChunk.organization_id == organization.id)) or 0
    if size >= MAX_WAITING:
        raise Refused("Too much was uploaded within a day and is not part of any bundle. Try again tomorrow.")


def keep(
    session: Session, shelf: Shelf, organization_id: int, draft: Draft, *, name: str, now: datetime
) -> None:
    """Under its hash; a chunk that is there already is kept for another day."""
    if draft.sha1 != name:
        raise Mismatch(f"The content of chunk {name[:40]} has another SHA-1.")
    row: dict[str, Any] = {
        "organization_id": organization_id,
        "sha1": draft.sha1,
        "size": draft.size,
        "uploaded_at": now,
    }
    statement = insert_into(session, ArtifactChunk).values(row)
    again = statement.on_conflict_do_update(
        index_elements=["organization_id", "sha1"], set_={"uploaded_at": now}
    )
    session.execute(again)  # holds the row, so that nobody forgets the file meanwhile
    shelf.put(draft, organization_id, shelves.CHUNKS)


def missing(session: Session, organization_id: int, sha1s: list[str]) -> list[str]:
    """Those of the chunks that are not here."""
    here = (ArtifactChunk.organization_id == organization_id) & ArtifactChunk.sha1.in_(sha1s)
    known = set(session.scalars(select(ArtifactChunk.sha1).where(here)))
    return [sha1 for sha1 in dict.fromkeys(sha1s) if sha1 not in known]


def forget(session: Session, shelf: Shelf, *, before: datetime) -> int:
    """A portion of the chunks that were uploaded before then, with their files."""
    key = (ArtifactChunk.organization_id, ArtifactChunk.sha1)
    old = session.execute(select(*key).where(ArtifactChunk.uploaded_at < before).limit(CHUNK)).all()
    for organization_id, sha1 in old:
        is_old = (key[0] == organization_id) & (key[1] == sha1) & (ArtifactChunk.uploaded_at < before)
        gone = session.scalars(delete(ArtifactChunk).where(is_old).returning(ArtifactChunk.sha1)).all()
        shelf.forget(organization_id, shelves.CHUNKS, gone)
    return len(old)


def spend(session: Session, shelf: Shelf, organization_id: int, sha1s: Sequence[str]) -> None:
    """Their bundle is made. Gone with their files, they prove for nobody else that they have them too."""
    is_open = ArtifactBundle.state.in_((WAITING, ASSEMBLING))
    waiting = select(ArtifactBundle.chunks).where(ArtifactBundle.organization_id == organization_id, is_open)
    needed = {sha1 for chunks in session.scalars(waiting) for sha1 in chunks}
    spent = ArtifactChunk.sha1.in_(set(sha1s) - needed)
    here = ArtifactChunk.organization_id == organization_id
    gone = session.scalars(delete(ArtifactChunk).where(here, spent).returning(ArtifactChunk.sha1)).all()
    shelf.forget(organization_id, shelves.CHUNKS, gone)


def disown(session: Session, organization_id: int, sha1s: list[str]) -> None:
    """Chunks whose files are not here are to be uploaded again."""
    named = (ArtifactChunk.organization_id == organization_id) & ArtifactChunk.sha1.in_(sha1s)
    session.execute(delete(ArtifactChunk).where(named))
