"""Which events show that a resolved issue is back (`notifications.md` 2.4)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from app.domain.resolutions import IN_COMMIT, IN_NEXT_RELEASE, IN_RELEASE, PENDING, SETTLED, is_back

CLICKED = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@dataclass
class Release:
    version: str
    order_date: datetime = CLICKED


@dataclass
class Resolution:
    kind: str
    state: str
    release: Release | None
    created_at: datetime = CLICKED


NEXT_AFTER_1 = Resolution(IN_NEXT_RELEASE, PENDING, Release("1.0"))
IN_2 = Resolution(IN_RELEASE, SETTLED, Release("2.0"))
BY_COMMIT = Resolution(IN_COMMIT, PENDING, None)
BY_COMMIT_IN_2 = Resolution(IN_COMMIT, SETTLED, Release("2.0"))
IN_ONE_THAT_IS_GONE = Resolution(IN_RELEASE, SETTLED, None)

CASES = {
    "resolved plainly": (None, "1.0", True),
    "resolved plainly, no release": (None, None, True),
    "next: the newest release of then": (NEXT_AFTER_1, "1.0", False),
    "next: an older one": (NEXT_AFTER_1, "0.9", False),
    "next: a newer one": (NEXT_AFTER_1, "1.1", True),
    "next: no release": (NEXT_AFTER_1, None, False),
    "in 2.0: an older one": (IN_2, "1.9", False),
    "in 2.0: itself": (IN_2, "2.0", True),
    "in 2.0: a newer one": (IN_2, "2.1", True),
    "in 2.0: no release": (IN_2, None, False),
    "by a commit that is in no release": (BY_COMMIT, "9.0", False),
    "by a commit of 2.0: an older release": (BY_COMMIT_IN_2, "1.9", False),
    "by a commit of 2.0: itself": (BY_COMMIT_IN_2, "2.0", True),
    "by a commit of 2.0: a newer one": (BY_COMMIT_IN_2, "2.1", True),
    "by a commit of 2.0: no release": (BY_COMMIT_IN_2, None, False),
    "in 2.0: one of another package, as old": (IN_2, "cart@9.0", False),
    "in 2.0: a hash, as old": (IN_2, "1f0c3aa", False),
    "next: a hash, as old": (NEXT_AFTER_1, "1f0c3aa", False),
}


@pytest.mark.parametrize(("resolution", "version", "back"), CASES.values(), ids=CASES)
def test_an_event_reopens_an_issue(resolution, version, back):
    assert is_back(resolution, Release(version) if version else None) == back


@pytest.mark.parametrize(("days", "back"), [(-1, False), (0, False), (1, True)])
def test_once_the_release_is_deleted_it_is_those_after_the_click(days, back):
    release = Release("1f0c3aa", CLICKED + timedelta(days=days))
    assert is_back(IN_ONE_THAT_IS_GONE, release) == back
