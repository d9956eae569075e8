"""The order that puts first what happens often and happened lately (`notifications.md` 10.3)."""

import math
from datetime import datetime

EVENTS_WEIGH = 600


def of(times_seen: int, last_seen: datetime) -> int:
    """600 × log10 of the events + the seconds of the last one, in thousandths: whole numbers sort exactly."""
    seconds = EVENTS_WEIGH * math.log10(max(times_seen, 1)) + last_seen.timestamp()
    return round(seconds * 1000)
