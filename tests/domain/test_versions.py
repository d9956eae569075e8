"""Which of two releases is newer."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import versions

DAY = datetime(2026, 11, 20, tzinfo=UTC)


@dataclass
class Release:
    version: str
    order_date: datetime


def newer(one: str, other: str, *, days: int = 0) -> bool:
    """`days` is by how much the first is younger."""
    return versions.newer(Release(one, DAY + timedelta(days=days)), Release(other, DAY))


# From the lowest to the highest, as semver.org orders them.
ORDERED = (
    "0.9.12",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "1.0.1",
    "1.2.0",
    "1.10.0",
    "2.0",
    "2.0.0.1",
    "10.0.0",
)


@pytest.mark.parametrize(("lower", "higher"), list(pairwise(ORDERED)))
@pytest.mark.parametrize("package", ["", "shop@", "com.example.shop@"])
def test_versions_are_compared_by_their_numbers_however_old_they_are(lower, higher, package):
    assert newer(package + higher, package + lower, days=-3)
    assert not newer(package + lower, package + higher, days=3)


@pytest.mark.parametrize("same", ["1.2.3+build5", "v1.2.3", "1.2.3.0"])
def test_what_means_the_same_version_is_not_newer(same):
    assert not newer(same, "1.2.3", days=1)
    assert not newer("1.2.3", same, days=1)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("shop@1.0.0", "web@2.0.0"),
        ("1.0.0", "shop@2.0.0"),
        ("1f0c3aa", "9c1d2e7"),
        ("1f0c3aa", "1.0.0"),
        ("20261120", "20261119"),
        ("1.0.0.0.0", "2.0.0"),
        ("", "1.0.0"),
    ],
)
def test_without_a_version_in_common_the_dates_decide(one, other):
    assert newer(one, other, days=1)
    assert not newer(one, other, days=-1)
    assert not newer(one, other)


@pytest.mark.parametrize(
    "text", ["1", "1.", "1.2.3-", "1.2.3-a..b", "1..2", "release-1.2", "1.2.3 ", "٣.١", "@", "x@"]
)
def test_what_is_no_version_is_none(text):
    assert versions.parse(text) is None


@given(st.text(max_size=200))
def test_no_text_is_too_odd_to_compare(text):
    assert not newer(text, text)


parts = st.tuples(*[st.integers(0, 3)] * 3, st.sampled_from(["", "-a", "-a.1", "-2", "-rc.1.x"]))
names = parts.map(lambda each: "{}.{}.{}{}".format(*each))


@given(names, names, names)
def test_newer_is_an_order(one, other, third):
    assert not (newer(one, other) and newer(other, one))
    if newer(one, other) and newer(other, third):
        assert newer(one, third)
