"""When integrations are tried again, and when no more."""

from datetime import UTC, datetime, timedelta

import pytest

from app.domain.backoff import LADDERS

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def delay(ladder, attempts, *, waited=timedelta(), chance=0.0):
    at = LADDERS[ladder].next_try(attempts, due_since=NOW - waited, now=NOW, chance=chance)
    return at and at - NOW


LASTING = {"paging": 24, "chat": 6, "short": 1, "sms": 1, "webhook": 78}


@pytest.mark.parametrize(("ladder", "hours"), LASTING.items())
def test_what_has_lost_its_worth_is_not_tried_again(ladder, hours):
    assert delay(ladder, 1, waited=timedelta(hours=hours) - timedelta(minutes=1)) is not None
    assert delay(ladder, 1, waited=timedelta(hours=hours)) is None


def test_delays_grow_and_the_last_one_stays():
    assert [delay("chat", tries).total_seconds() for tries in range(1, 8)] == [
        5,
        30,
        120,
        600,
        1800,
        1800,
        1800,
    ]


def test_chance_spreads_them():
    assert delay("paging", 2, chance=0.5) == timedelta(seconds=15)
    assert delay("webhook", 2, chance=1.0) == timedelta(seconds=270)


def test_a_text_message_is_tried_again_three_times_at_most():
    assert [delay("sms", tries) is not None for tries in range(1, 6)] == [True, True, True, False, False]
