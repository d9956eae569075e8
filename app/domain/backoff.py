"""When to try again, and when to give up (`experience.md` 1.8): 1, 5, 15, 60 minutes, then hourly to 24 h."""

from datetime import datetime, timedelta

STEPS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(minutes=60))
GIVE_UP_AFTER = timedelta(hours=24)


def next_try(
    attempts: int, *, created_at: datetime, now: datetime, lasts: timedelta = GIVE_UP_AFTER
) -> datetime | None:
    """The time of the next try after this many failed ones, or None when it has been long enough.

    `lasts` is how long the message is worth anything.
    """
    at = now + STEPS[min(attempts, len(STEPS)) - 1]
    return at if at - created_at <= min(lasts, GIVE_UP_AFTER) else None
