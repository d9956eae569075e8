"""When new issues are a storm, and what may have begun it; when an issue is flapping."""

from datetime import UTC, datetime, timedelta

import pytest

from app.domain import flapping, storms

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.mark.parametrize(
    ("seconds_between", "count", "is_one"),
    [(1, 20, False), (1, 21, True), (30, 21, True), (31, 21, False), (60, 100, False)],
)
def test_more_than_twenty_within_ten_minutes_are_one(seconds_between, count, is_one):
    seen = [NOON - timedelta(seconds=seconds_between * n) for n in range(count)]
    assert storms.is_one(seen, at=NOON) is is_one


def test_it_is_over_after_a_quarter_of_an_hour():
    assert not storms.is_over(NOON, now=NOON + 14.9 * MINUTE)
    assert storms.is_over(NOON, now=NOON + 15 * MINUTE)


def test_most_that_began_with_a_release_have_one_cause():
    seen = [("2.0", NOON + n * timedelta(seconds=3)) for n in range(34)] + [("1.9", NOON)] * 3
    found = storms.cause(seen, {"2.0": NOON, "1.9": NOON - 24 * HOUR})
    assert (found.release, found.count) == ("2.0", 34)


@pytest.mark.parametrize(
    "seen",
    [
        [],
        [(None, NOON)] * 30,
        [("2.0", NOON + 3 * MINUTE)] * 30,
        [("2.0", NOON)] * 15 + [(None, NOON)] * 15,
    ],
)
def test_else_no_cause_is_named(seen):
    assert storms.cause(seen, {"2.0": NOON}) is None


BY_AGE, BY_HAND = "set_resolved_by_age", "set_resolved"


@pytest.mark.parametrize(
    ("reopened", "before", "until"),
    [
        ([(NOON, BY_AGE)], None, None),
        ([(NOON - 23 * HOUR, BY_AGE), (NOON, "set_resolved_in_release")], None, NOON + 12 * HOUR),
        ([(NOON - 25 * HOUR, BY_AGE), (NOON, BY_AGE)], None, None),
        ([(NOON - HOUR, BY_HAND), (NOON, BY_HAND)], None, None),
        ([(NOON - HOUR, BY_AGE), (NOON, BY_HAND)], None, None),
        ([(NOON, BY_HAND)], NOON + HOUR, NOON + 12 * HOUR),  # still flapping: every reopening counts
        ([(NOON, BY_AGE)], NOON - HOUR, None),
    ],
)
def test_an_issue_that_came_back_twice_in_a_day_is_flapping(reopened, before, until):
    assert flapping.until(reopened, flapping_until=before, now=NOON) == until
