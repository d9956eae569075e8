"""The ends of being on call that are offered, by the hour."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from app.domain import on_call

PARIS = ZoneInfo("Europe/Paris")
CASES = {
    "in the morning": (
        "2026-11-23 09:00",
        {"evening": "18:00", "2h": "11:00", "8h": "17:00", "morning": "09:00"},
    ),
    "shortly before the evening": ("2026-11-23 17:40", {"2h": "19:40", "8h": "01:40", "morning": "09:00"}),
    "at night": ("2026-11-23 23:00", {"2h": "01:00", "8h": "07:00", "morning": "09:00"}),
    "the night in which the clock goes on": (
        "2026-03-28 22:00",
        {"2h": "00:00", "8h": "07:00", "morning": "09:00"},
    ),
}


@pytest.mark.parametrize(("now", "ends"), CASES.values(), ids=CASES)
def test_what_is_offered(now, ends):
    at = datetime.fromisoformat(now).replace(tzinfo=PARIS).astimezone(UTC)
    offered = on_call.choices(PARIS, at)
    assert {choice.name: f"{choice.until.astimezone(PARIS):%H:%M}" for choice in offered} == ends
    assert all(choice.until > at for choice in offered)


def test_what_is_not_offered_cannot_be_chosen():
    at = datetime(2026, 11, 23, 20, tzinfo=UTC)
    assert on_call.chosen("evening", PARIS, at) is None
    assert on_call.chosen("", PARIS, at) is None
    assert on_call.chosen("2h", PARIS, at) == datetime(2026, 11, 23, 22, tzinfo=UTC)
