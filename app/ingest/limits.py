"""Rate limits of keys: events counted in Redis, by fixed windows, over all web processes together."""

import time
from dataclasses import dataclass

from app.domain.ratelimits import RateLimit
from app.ingest.keys import Key
from app.ingest.stream import Stream


@dataclass(frozen=True, slots=True)
class Count:
    """Whether one more event is over the limit, and the limits to tell the client of: those used up."""

    over: bool = False
    limits: tuple[RateLimit, ...] = ()


WITHIN = Count()


def count_event(stream: Stream, key: Key) -> Count:
    """Count an event against its key's limit."""
    allowed, window = key.rate_limit_count, key.rate_limit_window
    if allowed is None or not window:
        return WITHIN
    slot, into = divmod(time.time(), window)
    counted = stream.count(f"tocsin:ingest:rate:{key.id}:{window}:{int(slot)}", seconds=window + 1)
    if counted < allowed:
        return WITHIN
    return Count(counted > allowed, (RateLimit(window - into, window, "key", "key_quota"),))
