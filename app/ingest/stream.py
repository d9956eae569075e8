"""The way into the Redis stream: one round trip an entry, on a connection of the thread's own."""

import threading
import time
from typing import Any

from redis import ConnectionPool
from redis.exceptions import ConnectionError as RedisGone
from redis.exceptions import OutOfMemoryError, RedisError

from app.services.events.stream_entry import STREAM, Entry

# What a digester that was away for a while can still catch up with, and what fits into the embedded Redis.
MAX_WAITING = 50_000
SAMPLE_SECONDS = 1.0

Command = tuple[Any, ...]


class StreamUnavailable(Exception):
    """Redis is away: nothing can be kept."""


class StreamFull(Exception):
    """More is waiting than can be held; `tally_fits` says whether at least the loss can be written down."""

    def __init__(self, *, tally_fits: bool) -> None:
        super().__init__("too many events are waiting")
        self.tally_fits = tally_fits


class Stream:
    """A client of few commands. redis-py's own costs twice as much for each event as its connection does."""

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool
        self._threads = threading.local()
        self._waiting = 0
        self._sample_at = 0.0

    def append(self, entry: Entry) -> None:
        """Keep an entry; StreamFull when too many wait already."""
        waiting = self._sampled_length()
        if waiting >= MAX_WAITING:
            raise StreamFull(tally_fits=waiting < 2 * MAX_WAITING)
        self._add(entry)

    def append_beyond(self, entry: Entry) -> None:
        """Keep a small entry although the stream is full."""
        self._add(entry)

    def count(self, name: str, *, seconds: int, more: int = 1) -> int:
        """So many more under this name; forgotten after some seconds."""
        counted, _ = self._call(("INCRBY", name, more), ("EXPIRE", name, seconds))
        return int(counted)

    def _add(self, entry: Entry) -> None:
        try:
            self._call(("XADD", STREAM, "*", *entry.fields()))
        except OutOfMemoryError as error:
            raise StreamFull(tally_fits=False) from error

    def _sampled_length(self) -> int:
        now = time.monotonic()
        if now >= self._sample_at:
            self._sample_at = now + SAMPLE_SECONDS
            self._waiting = int(self._call(("XLEN", STREAM))[0])
        return self._waiting

    def _call(self, *commands: Command) -> list[Any]:
        try:
            try:
                return self._once(commands)
            except RedisGone:
                # A server that was restarted leaves dead connections behind; the next one tells the truth.
                return self._once(commands)
        except OutOfMemoryError:
            raise
        except (RedisError, OSError) as error:
            raise StreamUnavailable(str(error)) from error

    def _once(self, commands: tuple[Command, ...]) -> list[Any]:
        connection = self._connection()
        try:
            connection.send_packed_command(connection.pack_commands(commands), check_health=False)
            # In an unread answer the next caller would find the last one's: read all, or hang up.
            return [connection.read_response() for _ in commands]
        except BaseException:
            connection.disconnect()
            raise

    def _connection(self) -> Any:
        if not hasattr(self._threads, "connection"):
            self._threads.connection = self._pool.make_connection()
        return self._threads.connection
