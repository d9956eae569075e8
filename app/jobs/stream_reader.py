"""The digester's end of the ingest stream."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from redis import Redis
from redis.exceptions import OutOfMemoryError

from app.services.events.cursors import START, Position
from app.services.events.stream_entry import GENERATION, STREAM, Entry, from_fields, order

# How often digesting was begun from an entry, and came to no end.
STARTS = "tocsin:ingest:starts"

_STEP = 100
# A batch is held in memory at once, and bodies may be large.
_MAX_BYTES = 16 << 20

RawEntry = tuple[bytes, Mapping[bytes, bytes]]


class StreamReader:
    def __init__(self, connection: Redis) -> None:
        self._connection = connection

    def take(self, at: Position, count: int) -> tuple[str, list[Entry]]:
        """The generation of the stream, and the entries after the position; all, if it is of another one."""
        entries: list[Entry] = []
        size = 0
        while len(entries) < count and size < _MAX_BYTES:
            after = entries[-1].id if entries else at.last_id
            generation, step = self._read(after, min(_STEP, count - len(entries)))
            if generation != at.generation:
                if entries:
                    break
                at = Position(generation, START)
                continue
            entries += step
            size += sum(len(entry.body) for entry in step)
            if len(step) < _STEP:
                break
        return at.generation, entries

    def wait(self, at: Position, *, seconds: float) -> None:
        """Until there is something after the position, or the time is up."""
        self._connection.xread({STREAM: at.last_id}, count=1, block=int(seconds * 1000))

    def note_start(self, generation: str, first: Entry) -> int:
        """How often these entries were begun, this time included, since `forget_starts`."""
        try:
            return int(self._connection.hincrby(STARTS, f"{generation} {first.id}", 1))
        except OutOfMemoryError:
            return 1  # Digesting is what makes room again.

    def forget_starts(self) -> None:
        self._connection.delete(STARTS)

    def trim(self, at: Position) -> None:
        """Remove what is digested."""
        milliseconds, sequence = order(at.last_id)
        self._connection.xtrim(STREAM, minid=f"{milliseconds}-{sequence + 1}", approximate=False)

    def _read(self, after: str, count: int) -> tuple[str, list[Entry]]:
        """Asked for the generation before and after, since Redis could be emptied between.

        No transaction, and as a rule nothing is written: a full Redis refuses both until this has made room.
        """
        with self._connection.pipeline(transaction=False) as pipe:
            pipe.get(GENERATION)
            pipe.xrange(STREAM, min=f"({after}", count=count)
            pipe.get(GENERATION)
            before, raw, generation = pipe.execute()
        if before is None or before != generation:
            self._connection.set(GENERATION, secrets.token_hex(8), nx=True)
            return self._read(after, count)
        return generation.decode(), [from_fields(*each) for each in _entries(raw)]


def _entries(raw: Any) -> Sequence[RawEntry]:
    return [(entry_id, fields) for entry_id, fields in raw if fields]
