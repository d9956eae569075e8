"""Times as mails write them."""

from datetime import UTC, datetime, timedelta

import pytest

from app.domain.moments import Moments, exact

AT = datetime(2026, 11, 23, 8, 14, 3, tzinfo=UTC)
PARIS = Moments("Europe/Paris", AT)


def test_a_moment_is_the_readers_and_names_its_zone():
    assert PARIS.when(AT) == "Mon 23 Nov 2026 09:14:03 CET"
    assert exact(AT, "America/Sao_Paulo") == "Mon 23 Nov 2026 05:14:03 UTC-03"


def test_summer_time_is_named_as_such():
    assert PARIS.when(datetime(2026, 7, 1, tzinfo=UTC)) == "Wed 1 Jul 2026 02:00:00 CEST"


def test_a_minute_of_the_day_itself_needs_no_day():
    assert PARIS.minute(AT - timedelta(hours=1)) == "08:14"
    assert PARIS.minute(AT - timedelta(days=14)) == "9 Nov 09:14"


@pytest.mark.parametrize(
    ("first", "words"),
    [
        (AT, "on 23 Nov"),
        (AT - timedelta(days=9), "14 to 23 Nov"),
        (AT - timedelta(days=30), "24 Oct to 23 Nov"),
        (AT - timedelta(days=400), "19 Oct 2025 to 23 Nov"),
    ],
)
def test_a_span_of_days_says_each_thing_once(first, words):
    assert PARIS.days(first, AT) == words


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(minutes=-3), "just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(hours=5, minutes=59), "5 hours ago"),
        (timedelta(days=11), "11 days ago"),
    ],
)
def test_ages_count_from_what_the_mail_is_about(before, words):
    assert PARIS.ago(AT - before) == words
