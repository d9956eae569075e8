"""Many new issues at once: when it is a storm, how long it lasts, and what they may have in common."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

MOST = 20
WITHIN = timedelta(minutes=10)
QUIET = timedelta(minutes=15)
UPDATE = timedelta(hours=1)
SAME_CAUSE = timedelta(minutes=2)
STORM = "storm"
NEW = "alert.new"


@dataclass(frozen=True, slots=True)
class Cause:
    """What so many of the new issues began right after."""

    release: str
    count: int
    at: datetime


def is_one(first_seen: Iterable[datetime], *, at: datetime) -> bool:
    """Whether these new issues, of which the last is of that moment, are too many at once."""
    return sum(at - WITHIN <= each <= at + WITHIN for each in first_seen) > MOST


def is_over(latest_at: datetime, *, now: datetime) -> bool:
    return now - latest_at >= QUIET


def cause(issues: Sequence[tuple[str | None, datetime]], began: Mapping[str, datetime]) -> Cause | None:
    """The release whose first event most of these issues followed within minutes, if there is one.

    `issues`: the release each was first seen in, and when; `began`: when each release had its first event.
    """
    near = Counter(
        release
        for release, first_seen in issues
        if release and release in began and first_seen - began[release] <= SAME_CAUSE
    )
    if not near:
        return None
    release, count = near.most_common(1)[0]
    return Cause(release, count, began[release]) if 2 * count > len(issues) else None
