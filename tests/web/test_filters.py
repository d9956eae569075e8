"""How times, numbers and names read."""

from datetime import UTC, datetime, timedelta

import pytest

from app.web.filters import ago, clock, compact, exact, initials, plural, second, skyline

NOW = datetime(2026, 11, 23, 8, 14, 3, tzinfo=UTC)
AGES = [
    (timedelta(seconds=3), "just now"),
    (timedelta(seconds=61), "1 min ago"),
    (timedelta(minutes=59), "59 min ago"),
    (timedelta(hours=1), "1 hour ago"),
    (timedelta(hours=47), "1 day ago"),
    (timedelta(days=13), "13 days ago"),
    (timedelta(days=22), "3 weeks ago"),
    (timedelta(days=61), "2 months ago"),
    (timedelta(days=800), "2 years ago"),
    (-timedelta(seconds=3), "in a moment"),
    (-timedelta(minutes=5), "in 5 min"),
    (-timedelta(hours=3), "in 3 hours"),
]
NUMBERS = [
    (0, "0"),
    (999, "999"),
    (1_000, "1k"),
    (1_234, "1.2k"),
    (9_999, "9.9k"),
    (12_480, "12k"),
    (999_999, "999k"),
    (1_250_000, "1.2m"),
]
NAMES = [
    ("Priya Nair", "PN"),
    ("Ana María de la Cruz", "AC"),
    ("max", "MA"),
    ("sam.okoro@example.com", "SO"),
    ("x", "X"),
    ("", "?"),
]


@pytest.mark.parametrize(("age", "words"), AGES)
def test_an_age_is_told_in_one_glance(age, words):
    assert ago(NOW - age, NOW) == words


def test_the_exact_moment_names_its_zone():
    assert exact(NOW, "Europe/Paris") == "Mon 23 Nov 2026 09:14:03 CET"
    assert exact(NOW) == "Mon 23 Nov 2026 08:14:03 UTC"


def test_events_of_one_minute_are_told_apart():
    assert second(NOW) == "Mon 23 Nov 08:14:03 UTC"


@pytest.mark.parametrize(
    ("at", "words"),
    [(NOW, "09:14"), (NOW - timedelta(days=20), "3 Nov"), (NOW - timedelta(days=751), "2 Nov 2024")],
)
def test_a_moment_in_a_list_is_as_short_as_it_can_be(at, words):
    assert clock(at, "Europe/Paris", NOW) == words


def test_today_is_the_readers_today():
    late = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
    assert clock(late, "Europe/Paris", NOW) == "00:30"
    assert clock(late, "UTC", NOW) == "22 Nov"


@pytest.mark.parametrize(("number", "words"), NUMBERS)
def test_large_numbers_are_shortened_and_never_rounded_up(number, words):
    assert compact(number) == words


def test_nouns_follow_their_number():
    assert [plural(n, "event") for n in (0, 1, 1200)] == ["0 events", "1 event", "1,200 events"]
    assert plural(2, "person", "people") == "2 people"


@pytest.mark.parametrize(("name", "letters"), NAMES)
def test_an_avatar_has_two_letters_where_the_name_has(name, letters):
    assert initials(name) == letters


def test_a_skyline_shows_even_one_event_beside_thousands():
    assert skyline([0, 1, 5000]) == "M0 12h2v-1h2v-11h2v12z"


def test_a_skyline_of_nothing_is_flat():
    assert skyline([0, 0]) == "M0 12h4v0z"
    assert skyline([]) == "M0 12h0v0z"
