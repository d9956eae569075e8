"""How far the ingest stream is digested: a row that moves in the same transaction as what it counts."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import IngestCursor
from app.services.events.stream_entry import order
from app.services.upserting import insert_missing

START = "0-0"


@dataclass(frozen=True, slots=True)
class Position:
    """`generation` tells one Redis from the next: in a new or emptied one the stream begins anew."""

    generation: str
    last_id: str


def position(session: Session, stream: str) -> Position:
    row = session.get(IngestCursor, stream)
    return Position(row.generation, row.last_id) if row else Position("", START)


def lock(session: Session, stream: str) -> IngestCursor:
    """The row, held until the transaction ends: whoever digests at the same time waits here."""
    insert_missing(session, IngestCursor, [{"stream": stream, "generation": "", "last_id": START}], "stream")
    query = select(IngestCursor).where(IngestCursor.stream == stream).with_for_update()
    return session.scalars(query.execution_options(populate_existing=True)).one()


def is_digested(cursor: IngestCursor, generation: str, entry_id: str) -> bool:
    return cursor.generation == generation and order(entry_id) <= order(cursor.last_id)


def advance(cursor: IngestCursor, generation: str, entry_id: str) -> None:
    """Never backwards: a slower digester must not undo what a quicker one has written."""
    if not is_digested(cursor, generation, entry_id):
        cursor.generation, cursor.last_id = generation, entry_id
