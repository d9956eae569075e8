"""The digester: takes batches from the ingest stream, one transaction each, with the cursor inside it."""

import logging
import signal
import time
from collections.abc import Sequence
from threading import Event as Flag
from types import FrameType

from flask import Flask, current_app
from redis import Redis, RedisError
from redis.exceptions import OutOfMemoryError
from sqlalchemy.orm import Session

from app import queue
from app.clock import now
from app.db import AWAY, db, transaction
from app.jobs import doorbell
from app.jobs.stream_reader import StreamReader
from app.services.events import cursors, digesting
from app.services.events.cursors import Position
from app.services.events.setting_aside import set_aside
from app.services.events.stream_entry import STREAM, Entry
from app.services.releases.maps import Maps
from app.services.releases.shelf import Shelf
from app.services.releases.unminifying import Unminifier
from app.services.rules.ceilings import Ceilings

log = logging.getLogger(__name__)

LEASE_SECONDS = 5.0
PAUSE_SECONDS = 1.0
MIN_BATCH, MAX_BATCH = 10, 500
# SQLite has one writer: while a batch is written, pages that change something wait.
LONGEST_TRANSACTION = 0.4
# Who reads an entry and is killed over it, as by a lack of memory, must not be so for ever.
MOST_STARTS = 3

# While the database is away or overloaded, the stream keeps everything until it is back.


class Deadly(Exception):
    """An entry that ends the process that reads it."""


def main(app: Flask) -> None:
    """Digest until SIGTERM or SIGINT."""
    stop = Flag()

    def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask_to_stop)
    with app.app_context():
        Digester(queue.connect(app.config["SETTINGS"])).run(stop)


class Digester:
    """One works at a time, under a lease; should two overlap, the cursor's row keeps the counts exact."""

    def __init__(self, connection: Redis) -> None:
        self._reader = StreamReader(connection)
        self._lease = queue.Lease(connection, "digest", LEASE_SECONDS)
        self._leading = False
        self._position: Position | None = None
        self._batch = MAX_BATCH
        self._suspects = 0  # entries ahead that may have killed a digester
        self._ceilings = Ceilings()
        self._shelf = Shelf(current_app.config["SETTINGS"].tocsin_data_dir)
        self._maps = Maps()

    def run(self, stop: Flag) -> None:
        while not stop.is_set():
            try:
                if not self._lead():
                    stop.wait(PAUSE_SECONDS)
                elif not self.turn():
                    self._reader.wait(self._at(), seconds=PAUSE_SECONDS)
            except (RedisError, *AWAY) as error:
                log.warning("digesting waits: %s", str(error).splitlines()[0])
                self._position = None
                stop.wait(PAUSE_SECONDS)
        self._maps.close()
        if self._leading:
            self._lease.release()

    def turn(self) -> bool:
        """Digest one batch; False when there was none."""
        at = self._at()
        generation, entries = self._reader.take(at, 1 if self._suspects else self._batch)
        if not entries:
            self._position = Position(
                generation, at.last_id if generation == at.generation else cursors.START
            )
            return False
        notice_ids, last = self._dare(generation, entries)
        self._position = Position(generation, last.id)
        self._reader.trim(self._position)
        if notice_ids:
            doorbell.ring(notice_ids)
        return True

    def _dare(self, generation: str, entries: Sequence[Entry]) -> tuple[list[int], Entry]:
        """Digest under a note in Redis, which stays if this process is killed. Returns the last entry too.

        Entries that were begun before are digested one by one: in the end the one at fault stands alone.
        """
        starts = self._reader.note_start(generation, entries[0])
        if starts > 1:
            self._suspects = MAX_BATCH
        if self._suspects:
            entries = entries[:1]
            self._suspects -= 1
        try:
            if starts > MOST_STARTS:
                _give_up(generation, entries[0], Deadly(f"{MOST_STARTS} digesters did not survive it"))
                return [], entries[0]
            return self._digest(generation, entries), entries[-1]
        finally:
            self._reader.forget_starts()

    def _lead(self) -> bool:
        try:
            leading = self._lease.renew() if self._leading else self._lease.acquire()
        except OutOfMemoryError:
            leading = True  # Only digesting makes room again, and two at it do no harm.
        if leading and not self._leading:
            # Another one may have digested meanwhile.
            self._position = None
        self._leading = leading
        return leading

    def _at(self) -> Position:
        if self._position is None:
            with Session(db.engine) as session:
                self._position = cursors.position(session, STREAM)
        return self._position

    def _digest(self, generation: str, entries: Sequence[Entry]) -> list[int]:
        """All entries, in order; the ids of the notices that they rang."""
        notice_ids: list[int] = []
        while entries:
            done, rung = self._digest_first(generation, entries)
            notice_ids += rung
            entries = entries[done:]
        return notice_ids

    def _digest_first(self, generation: str, entries: Sequence[Entry]) -> tuple[int, list[int]]:
        """As many of the first entries as can be; at last the one at fault stands alone, and is set aside."""
        try:
            return self._keep(generation, entries)
        except AWAY:
            raise
        except Exception as error:
            log.warning("%d entries cannot be digested together: %s", len(entries), type(error).__name__)
            if len(entries) == 1:
                _give_up(generation, entries[0], error)
                return 1, []
        return self._digest_first(generation, entries[: len(entries) // 2])

    def _keep(self, generation: str, entries: Sequence[Entry]) -> tuple[int, list[int]]:
        with Session(db.engine) as session:
            unminifier = Unminifier(session, self._shelf, self._maps)
            batch = digesting.read_all(session, entries, unminifier=unminifier)
        began = time.monotonic()
        # What was counted in a batch that is taken back never was: it is kept only if all goes well.
        ceilings, self._ceilings = self._ceilings, Ceilings()
        with transaction() as session:
            cursor = cursors.lock(session, STREAM)
            batch.leave_out(lambda entry: cursors.is_digested(cursor, generation, entry.id))
            kept = digesting.keep(session, batch, now=now(), ceilings=ceilings)
            cursors.advance(cursor, generation, entries[batch.taken - 1].id)
        self._ceilings = ceilings
        self._adapt(time.monotonic() - began)
        return batch.taken, kept.notice_ids

    def _adapt(self, seconds: float) -> None:
        """Shorter batches when writing takes long, longer ones again when it does not."""
        factor = 0.5 if seconds > LONGEST_TRANSACTION else 1.25 if seconds < LONGEST_TRANSACTION / 2 else 1
        self._batch = max(MIN_BATCH, min(MAX_BATCH, int(self._batch * factor)))


def _give_up(generation: str, entry: Entry, error: Exception) -> None:
    with transaction() as session:
        cursor = cursors.lock(session, STREAM)
        if not cursors.is_digested(cursor, generation, entry.id):
            set_aside(session, entry, error, now=now())
            cursors.advance(cursor, generation, entry.id)
