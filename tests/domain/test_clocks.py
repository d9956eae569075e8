"""A moment is as short as it can be without being mistaken, on the reader's own clock."""

from datetime import UTC, datetime

import pytest

from app.domain.clocks import Clock

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)  # a Monday
SHORT = {
    "later today": ("2026-11-23T20:00", "UTC", "20:00"),
    "earlier today": ("2026-11-23T08:00", "UTC", "08:00"),
    "the next time that it is eight": ("2026-11-24T08:00", "UTC", "08:00"),
    "on somebody else's clock": ("2026-11-24T08:00", "Asia/Tokyo", "17:00"),
    "the day after": ("2026-11-25T08:00", "UTC", "Wed 08:00"),
    "yesterday": ("2026-11-22T08:00", "UTC", "Sun 08:00"),
    "in two weeks": ("2026-12-07T08:00", "UTC", "7 Dec 08:00"),
}


@pytest.mark.parametrize(("at", "zone", "words"), SHORT.values(), ids=SHORT)
def test_a_moment_in_short(at, zone, words):
    assert Clock(NOON, zone).short(datetime.fromisoformat(at).replace(tzinfo=UTC)) == words


def test_a_record_names_day_and_zone():
    clock = Clock(NOON, "Europe/Berlin")
    assert clock.full(NOON) == "Mon 23 Nov 2026 13:00 CET"
    assert clock.second(NOON) == "Mon 23 Nov 2026 13:00:00 CET"
