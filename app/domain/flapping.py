"""Issues that come back again and again: marked by two reopenings within a day, told of seldom meanwhile."""

from collections.abc import Iterable
from datetime import datetime, timedelta

WITHIN = timedelta(hours=24)
REOPENINGS = 2
CALM = timedelta(hours=12)
# Of an issue that is flapping, its coming back is told once in this time.
SELDOM = timedelta(hours=6)
# The activities of a resolution that nobody looked at an event for: a clock did it, a release, or one
# run of a job that went well.
UNPROVEN = (
    "set_resolved_by_age",
    "set_resolved_by_recovery",
    "set_resolved_in_release",
    "set_resolved_in_commit",
)
KINDS = ("regression", "alert.regression")


def until(
    reopened: Iterable[tuple[datetime, str]], *, flapping_until: datetime | None, now: datetime
) -> datetime | None:
    """Until when an issue that came back just now is flapping; None if it is not.

    `reopened`: when it came back, this time included, each with the activity that had resolved it.
    """
    counted = sum(how in UNPROVEN and at > now - WITHIN for at, how in reopened)
    is_flapping = flapping_until is not None and flapping_until > now
    return now + CALM if is_flapping or counted >= REOPENINGS else None
