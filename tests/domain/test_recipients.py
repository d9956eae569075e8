"""Phones agree by a code, are not flooded, and are left alone when they say so."""

from datetime import UTC, datetime, timedelta

import pytest

from app.domain import recipients
from app.domain.recipients import MORE, NO, YES, Recipients

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ANN, BOB = "+15005550009", "+15005550010"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def known():
    return Recipients()


def again(known):
    """As it is read next time."""
    return Recipients.read(known.marks_text, known.ledger_text)


def test_a_number_is_confirmed_by_the_code_that_was_sent_to_it(known):
    known.ask(ANN, "012345", "salt", now=NOW)
    kept = again(known)
    assert "012345" not in kept.ledger_text
    assert not kept.is_confirmed(ANN)
    assert kept.confirm(ANN, " 012345 ", now=NOW + 14 * MINUTE) == ""
    assert again(kept).is_confirmed(ANN)
    assert not kept.is_confirmed(BOB)


def test_a_code_is_for_one_number_once(known):
    known.ask(ANN, "012345", "salt", now=NOW)
    known.ask(BOB, "999999", "salt", now=NOW)
    assert known.confirm(BOB, "012345", now=NOW)
    assert known.confirm(ANN, "012345", now=NOW) == ""
    assert known.confirm(ANN, "012345", now=NOW)


def test_a_code_ends_after_a_quarter_of_an_hour(known):
    known.ask(ANN, "012345", "salt", now=NOW)
    assert known.is_asked(ANN, now=NOW + 14 * MINUTE)
    assert known.confirm(ANN, "012345", now=NOW + 15 * MINUTE)


def test_a_code_cannot_be_guessed_for_long(known):
    known.ask(ANN, "012345", "salt", now=NOW)
    for guess in range(5):
        assert known.confirm(ANN, f"{guess:06}", now=NOW)
        known = again(known)
    assert not known.is_asked(ANN, now=NOW)
    assert known.confirm(ANN, "012345", now=NOW)
    assert not known.is_confirmed(ANN)


def test_codes_do_not_follow_each_other_at_once(known):
    assert known.may_be_asked(ANN, now=NOW)
    known.ask(ANN, "012345", "salt", now=NOW)
    assert not known.may_be_asked(ANN, now=NOW + MINUTE / 2)
    assert known.may_be_asked(ANN, now=NOW + MINUTE)
    assert known.may_be_asked(BOB, now=NOW)


def room(known, now, hourly=10, daily=50):
    return known.room(ANN, hourly=hourly, daily=daily, now=now)


def test_ten_an_hour_then_once_that_there_is_more_then_nothing(known):
    for number in range(10):
        assert room(known, NOW) == YES
        known.sent(ANN, f"msg{number}", now=NOW + number * MINUTE)
    later = NOW + 10 * MINUTE
    assert room(known, later) == MORE
    known.sent_more(ANN, "msg10", now=later)
    assert room(again(known), later) == NO
    assert known.room(BOB, hourly=10, daily=50, now=later) == YES
    assert room(known, NOW + 61 * MINUTE) == YES


def test_fifty_a_day_whatever_the_hour(known):
    for hour in range(10):
        for _ in range(5):
            known.sent(ANN, "msg", now=NOW + timedelta(hours=hour))
    later = NOW + timedelta(hours=12)
    assert room(known, later) == MORE
    known.sent_more(ANN, "more", now=later)
    assert room(known, later + timedelta(hours=2)) == NO
    assert room(known, NOW + timedelta(days=1, hours=1)) == YES


def test_it_is_said_once_an_hour_that_there_is_more(known):
    known.sent(ANN, "a", now=NOW)
    assert room(known, NOW, hourly=1) == MORE
    known.sent_more(ANN, "b", now=NOW)
    known.sent(ANN, "c", now=NOW + 61 * MINUTE)
    assert room(known, NOW + 62 * MINUTE, hourly=1) == MORE


def test_two_messages_that_never_arrive_end_a_number_and_one_reported_twice_does_not(known):
    known.report_missing(ANN, "SM1", "30005")
    known.report_missing(ANN, "SM1", "30005")
    assert known.off(ANN) == ""
    known.report_missing(ANN, "SM2", "30006")
    assert again(known).off(ANN) == "30006"


def test_a_message_that_arrives_in_between_makes_up_for_one_that_did_not(known):
    known.report_missing(ANN, "SM1", "30005")
    known.arrived(ANN)
    known.report_missing(ANN, "SM2", "30005")
    assert known.off(ANN) == ""


def test_who_is_switched_on_again_stays_confirmed(known):
    known.ask(ANN, "1", "s", now=NOW)
    known.confirm(ANN, "1", now=NOW)
    known.switch_off(ANN, "21610")
    known.switch_on(ANN)
    assert (known.off(ANN), known.is_confirmed(ANN)) == ("", True)


def test_who_has_a_message_is_known_until_nobody_retries_it(known):
    known.sent(ANN, "msg1", now=NOW)
    assert again(known).has(ANN, "msg1")
    assert not known.has(BOB, "msg1")
    known.keep_only([ANN, BOB], now=NOW + timedelta(hours=3))
    assert not known.has(ANN, "msg1")


def test_what_was_taken_off_the_list_is_forgotten_but_for_a_stop_and_what_it_was_sent_today(known):
    for number in (ANN, BOB):
        known.ask(number, "1", "s", now=NOW)
        known.confirm(number, "1", now=NOW)
        known.sent(number, "msg", now=NOW)
    known.switch_off(BOB, "21610")
    known.keep_only([], now=NOW + MINUTE)
    assert (known.is_confirmed(ANN), known.off(BOB)) == (False, "21610")
    assert room(known, NOW + MINUTE, hourly=1) == MORE
    known.keep_only([], now=NOW + timedelta(days=2))
    assert known.ledger == {}


@pytest.mark.parametrize("text", ["", "nonsense", "[]", "null", '{"numbers": {}}'])
def test_what_cannot_be_read_is_nothing(text):
    known = Recipients.read(text if text != '{"numbers": {}}' else "", text)
    assert not known.is_confirmed(ANN)
    assert room(known, NOW) == YES


def test_numbers_are_taken_as_people_write_them():
    written = ["+1 (500) 555-0009", "+15005550009", "+44 20.7946 0958", " "]
    assert recipients.numbers_in(written) == ["+15005550009", "+442079460958"]


def test_a_mask_shows_what_one_knows_anyway():
    assert recipients.masked(ANN) == "+15•••0009"
    assert recipients.masked("+1234") == "•••"
