"""Rate limits of keys: events counted in Redis, by fixed windows, over all web processes together."""

import time
from dataclasses import dataclass

from app.domain.ratelimits import EVENT_CATEGORIES, RateLimit
from app.ingest.keys import Key
from app.ingest.stream import Stream
from app.services.events.categories import FEEDBACK, MONITOR


@dataclass(frozen=True, slots=True)
class Count:
    """Whether one more event is over the limit, and the limits to tell the client of: those used up."""

    over: bool = False
    limits: tuple[RateLimit, ...] = ()


WITHIN = Count()
# Check-ins of a key in a minute: a few for each of as many monitors as a project may have.
CHECK_INS, CHECK_IN_WINDOW = 3000, 60


def count_event(stream: Stream, key: Key, *, has_feedback: bool = False) -> Count:
    """Count an event, or what comes without one and is kept like it, against its key's limit."""
    allowed, window = key.rate_limit_count, key.rate_limit_window
    if allowed is None or not window:
        return WITHIN
    slot, into = divmod(time.time(), window)
    counted = stream.count(f"tocsin:ingest:rate:{key.id}:{window}:{int(slot)}", seconds=window + 1)
    if counted < allowed:
        return WITHIN
    categories = (*EVENT_CATEGORIES, FEEDBACK) if has_feedback else EVENT_CATEGORIES
    return Count(counted > allowed, (RateLimit(window - into, window, "key", "key_quota", categories),))


def count_check_ins(stream: Stream, key: Key, more: int = 1) -> Count:
    """Count check-ins: monitors are few, and a loop that checks in is a mistake."""
    slot, into = divmod(time.time(), CHECK_IN_WINDOW)
    name = f"tocsin:ingest:check-ins:{key.id}:{int(slot)}"
    if stream.count(name, seconds=CHECK_IN_WINDOW + 1, more=more) <= CHECK_INS:
        return WITHIN
    limit = RateLimit(CHECK_IN_WINDOW - into, CHECK_IN_WINDOW, "key", "key_quota", categories=(MONITOR,))
    return Count(over=True, limits=(limit,))
