"""The sweep of monitors: check-ins that did not come, and runs that did not end."""

from datetime import datetime, timedelta

from app.clock import now
from app.db import reading, transaction
from app.jobs import doorbell
from app.jobs.stream_reader import StreamReader
from app.services.events import cursors, digesting
from app.services.events.digesting import Batch
from app.services.events.stream_entry import STREAM
from app.services.monitors import checking_in, monitor_rows

# Few at a time: after an outage each may have ten misses, and an event for each.
CHUNK, MOST_CHUNKS = 20, 100
# Between the moment that an entry is stamped with and its place in the stream.
GRACE = timedelta(seconds=5)


def sweep(at: datetime) -> None:
    """Looks first: where nothing is due, nobody waits for a lock."""
    until = digested_until(at) - GRACE
    for _ in range(MOST_CHUNKS):
        with reading() as session:
            if not monitor_rows.is_due(session, until):
                return
        with transaction() as session:
            # As the digester does, so that it waits: a check-in counts before it is missed, or after.
            cursors.lock(session, STREAM)
            found = checking_in.lapse(session, until, now=now(), most=CHUNK)
            kept = digesting.keep(session, Batch(reads=found.failures), now=now())
        doorbell.ring(kept.notice_ids)


def digested_until(at: datetime) -> datetime:
    """Up to when everything that came in is digested: what waits in the stream may be the check-in itself."""
    with reading() as session:
        position = cursors.position(session, STREAM)
    _, waiting = StreamReader(doorbell.redis()).take(position, 1)
    return min([at, *(entry.received_at for entry in waiting)])
