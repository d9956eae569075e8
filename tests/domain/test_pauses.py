"""When maintenance windows hold: once or every week, over the days on which clocks change."""

import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import pauses
from app.domain.errors import Refused
from app.domain.kinds import KINDS
from app.domain.pauses import Window

PARIS, LORD_HOWE = "Europe/Paris", "Australia/Lord_Howe"
ZONES = (PARIS, LORD_HOWE, "America/New_York", "UTC", "Asia/Kathmandu", "Pacific/Apia")


def at(text, zone="UTC"):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def weekly(start, end, zone=PARIS, **columns):
    return Window(at(start, zone), at(end, zone), True, zone, **columns)


ONCE = Window(at("2026-11-23T22:00"), at("2026-11-23T23:30"))
SATURDAYS = weekly("2026-10-17T22:00", "2026-10-18T04:00")


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-11-23T21:59:59", None),
        ("2026-11-23T22:00", "2026-11-23T23:30"),
        ("2026-11-23T23:29:59", "2026-11-23T23:30"),
        ("2026-11-23T23:30", None),
    ],
)
def test_one_holds_from_its_beginning_and_not_at_its_end(now, until):
    assert pauses.until([ONCE], at(now)) == (at(until) if until else None)


@pytest.mark.parametrize(
    ("zone", "now", "until"),
    [
        (PARIS, "2026-10-10T23:00", None),  # before the first
        (PARIS, "2026-10-17T22:00", "2026-10-18T04:00"),
        (PARIS, "2026-10-18T04:00", None),
        (PARIS, "2026-10-20T12:00", None),
        (PARIS, "2026-10-24T23:00", "2026-10-25T04:00"),  # clocks go back in this night
        (PARIS, "2027-03-28T01:30", "2027-03-28T04:00"),  # and forward in this one
    ],
)
def test_a_weekly_one_keeps_to_the_clock_of_its_zone(zone, now, until):
    assert pauses.until([SATURDAYS], at(now, zone)) == (at(until, zone) if until else None)


def test_in_the_night_of_the_change_it_lasts_as_long_as_the_clock_says():
    longer, shorter = (
        SATURDAYS.span_at(at(text, PARIS)) for text in ("2026-10-25T00:00", "2027-03-28T00:00")
    )
    assert longer[1] - longer[0] == timedelta(hours=7)
    assert shorter[1] - shorter[0] == timedelta(hours=5)


def test_an_end_in_the_hour_that_is_skipped_is_the_jump():
    window = weekly("2027-03-21T01:00", "2027-03-21T02:30")
    assert window.span_at(at("2027-03-28T01:30", PARIS))[1] == at("2027-03-28T03:00", PARIS)


def test_windows_that_touch_are_one():
    second = Window(ONCE.ends_at, ONCE.ends_at + timedelta(hours=1))
    assert pauses.until([ONCE, second], at("2026-11-23T22:30")) == second.ends_at


@pytest.mark.parametrize(
    ("kind", "scope", "holds"),
    [
        ("alert.new", "alerts", True),
        ("alert.again", "alerts", True),
        ("storm", "alerts", True),
        ("regression", "alerts", True),
        ("comment", "alerts", False),
        ("assigned", "alerts", False),
        ("comment", "all", True),
        ("assigned", "all", True),
        ("test", "all", False),
        ("sign_in", "all", False),
        ("integration_off", "all", False),
        ("rule_changed", "all", False),
    ],
)
def test_what_it_holds(kind, scope, holds):
    window = Window(ONCE.starts_at, ONCE.ends_at, scope=scope)
    assert window.holds_for(KINDS[kind], "production") is holds


def test_an_environment_is_held_alone():
    window = Window(ONCE.starts_at, ONCE.ends_at, environment="staging")
    assert window.holds_for(KINDS["alert.new"], "staging")
    assert not window.holds_for(KINDS["alert.new"], "production")
    assert not window.holds_for(KINDS["alert.new"], None)


@pytest.mark.parametrize(
    ("window", "field"),
    [
        (Window(ONCE.ends_at, ONCE.starts_at), "ends_at"),
        (Window(ONCE.starts_at, ONCE.starts_at), "ends_at"),
        (Window(at("2026-11-01T00:00"), at("2026-11-02T00:00")), "ends_at"),  # over
        (Window(at("2026-11-23T00:00"), at("2026-12-25T00:00")), "ends_at"),
        (weekly("2026-11-23T00:00", "2026-11-29T00:01"), "ends_at"),
        (Window(ONCE.starts_at, ONCE.ends_at, scope="some"), "scope"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(window, field):
    with pytest.raises(Refused) as refused:
        pauses.checked(window, now=at("2026-11-20T12:00"))
    assert refused.value.field == field


def test_weekly_ones_that_leave_no_gap_are_found():
    first = weekly("2026-11-23T00:00", "2026-11-27T00:00")
    second = weekly("2026-11-27T00:00", "2026-11-30T00:00")
    assert pauses.never_end([first, second])
    assert not pauses.never_end([first])
    assert not pauses.never_end([first, weekly("2026-11-27T00:00", "2026-11-29T23:59")])


def test_ended_early_a_weekly_one_comes_again_next_week():
    rest = pauses.skipping(SATURDAYS, at("2026-10-24T23:00", PARIS))
    assert rest.span_at(at("2026-10-24T23:30", PARIS)) is None
    assert rest.span_at(at("2026-10-31T23:30", PARIS)) is not None
    assert pauses.skipping(ONCE, at("2026-11-23T23:00")) is None


def test_how_windows_are_said():
    assert pauses.words(ONCE) == "Mon 23 Nov 2026 22:00 to 23:30"
    assert pauses.words(SATURDAYS) == "Sat 22:00 to Sun 04:00 every week"


starts = st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 1)).map(
    lambda d: d.replace(second=0, microsecond=0)
)


@st.composite
def weeklies(draw):
    zone, minutes = draw(st.sampled_from(ZONES)), draw(st.integers(1, 6 * 24 * 60))
    start = draw(starts)
    first = start.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    last = (start + timedelta(minutes=minutes)).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    return Window(first, max(last, first + timedelta(minutes=1)), True, zone)


moments = st.datetimes(datetime(2025, 1, 1), datetime(2029, 1, 1), timezones=st.just(UTC))


@given(weeklies(), moments)
def test_a_weekly_one_shows_the_same_clock_each_week(window, now):
    span = window.span_at(now) or window.next_span(now)
    zone = ZoneInfo(window.zone)
    shown, first = (moment.astimezone(zone) for moment in (span[0], window.starts_at))
    assert shown.weekday() == first.weekday() or abs(shown.hour - first.hour) >= 22
    wall = shown.hour * 60 + shown.minute - first.hour * 60 - first.minute
    assert abs(wall) <= 61 or window.zone == "Pacific/Apia" or shown.day != first.day


@given(weeklies(), moments)
def test_holding_ends_when_it_says(window, now):
    until = pauses.until([window], now)
    if until is None:
        assert window.span_at(now) is None
    else:
        assert until > now
        assert window.span_at(until - timedelta(seconds=1))
        assert pauses.until([window], until) is None


@given(weeklies(), moments)
def test_it_is_never_before_its_first_time(window, now):
    if now < window.starts_at:
        assert window.span_at(now) is None
        assert window.last_span(now) is None


@given(weeklies(), moments)
def test_its_times_do_not_overlap_and_follow_each_other(window, now):
    spans = sorted(window._spans_near(max(now, window.starts_at)))
    assert all(first[1] <= second[0] for first, second in itertools.pairwise(spans))


@given(weeklies(), moments)
def test_ended_early_it_does_not_hold_any_more(window, now):
    if window.span_at(now):
        rest = pauses.skipping(window, now)
        assert rest is None or rest.span_at(now) is None
