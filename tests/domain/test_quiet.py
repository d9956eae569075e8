"""Quiet hours on the clock of a zone: across midnight, merged, and right when the clock is changed."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import quiet
from app.domain.quiet import Window, never_ends, quiet_until

PARIS = ZoneInfo("Europe/Paris")
MON, TUE, WED, THU, FRI, SAT, SUN = range(7)
WORKDAYS, EVERY_DAY = range(MON, SAT), range(7)


def window(days, start, end):
    return Window(frozenset(days), quiet.minute_of(start), quiet.minute_of(end))


def at(text, zone=PARIS):
    """A moment as its clock shows it; in an hour that comes twice, the first."""
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def utc(text):
    return at(text, UTC)


NIGHTS = [window(WORKDAYS, "19:00", "08:00")]
WEEKEND = [
    window([FRI], "19:00", "24:00"),
    window([SAT, SUN], "00:00", "24:00"),
    window([MON], "00:00", "08:00"),
]

# 23 November 2026 is a Monday.
CASES = {
    "before the evening": (NIGHTS, "2026-11-23 18:59:59", None),
    "as it begins": (NIGHTS, "2026-11-23 19:00", "2026-11-24 08:00"),
    "after midnight": (NIGHTS, "2026-11-24 03:00", "2026-11-24 08:00"),
    "just before it ends": (NIGHTS, "2026-11-24 07:59:59", "2026-11-24 08:00"),
    "as it ends": (NIGHTS, "2026-11-24 08:00", None),
    "Friday night reaches into Saturday": (NIGHTS, "2026-11-28 07:00", "2026-11-28 08:00"),
    "no Saturday night": (NIGHTS, "2026-11-28 20:00", None),
    "no Sunday night, so Monday morning is loud": (NIGHTS, "2026-11-23 07:00", None),
    "a whole weekend, from its evening": (WEEKEND, "2026-11-20 19:00", "2026-11-23 08:00"),
    "a whole weekend, at midnight": (WEEKEND, "2026-11-22 00:00", "2026-11-23 08:00"),
    "a whole weekend is over": (WEEKEND, "2026-11-23 08:00", None),
    "windows that overlap": (
        [window([MON], "10:00", "12:00"), window([MON], "11:30", "14:00")],
        "2026-11-23 10:30",
        "2026-11-23 14:00",
    ),
    "windows with a gap between": (
        [window([MON], "10:00", "12:00"), window([MON], "12:01", "14:00")],
        "2026-11-23 10:30",
        "2026-11-23 12:00",
    ),
    "one inside another": (
        [window([MON], "10:00", "16:00"), window([MON], "11:00", "12:00")],
        "2026-11-23 11:30",
        "2026-11-23 16:00",
    ),
    "nothing chosen": ([], "2026-11-23 03:00", None),
}


@pytest.mark.parametrize(("windows", "now", "until"), CASES.values(), ids=CASES)
def test_when_it_is_quiet_and_until_when(windows, now, until):
    assert quiet_until(windows, PARIS, at(now)) == (until and at(until))


# In Paris the clock goes from 02:00 to 03:00 on 29 March 2026 (at 01:00 UTC), and from 03:00 back to 02:00
# on 25 October (at 01:00 UTC). Both are Sundays.
CHANGES = {
    "a night in spring is an hour shorter": ("22:00", "06:00", "2026-03-28 21:00", "2026-03-29 04:00"),
    "a night in autumn is an hour longer": ("22:00", "06:00", "2026-10-24 20:00", "2026-10-25 05:00"),
    "it would end in the hour that is skipped": ("22:00", "02:30", "2026-03-28 22:00", "2026-03-29 01:00"),
    "it ends with the skipped hour": ("22:00", "03:00", "2026-03-28 22:00", "2026-03-29 01:00"),
    "it would begin in the skipped hour, just before": ("02:30", "06:00", "2026-03-29 00:59", None),
    "it would begin in the skipped hour": ("02:30", "06:00", "2026-03-29 01:00", "2026-03-29 04:00"),
    "it lies in the skipped hour": ("02:10", "02:50", "2026-03-29 01:00", None),
    "it ends in the hour that comes twice": ("22:00", "02:30", "2026-10-24 22:00", "2026-10-25 01:30"),
    "it ends in it, between the two": ("22:00", "02:30", "2026-10-25 00:45", "2026-10-25 01:30"),
    "it begins in the hour that comes twice": ("02:30", "06:00", "2026-10-25 00:30", "2026-10-25 05:00"),
    "it has not begun in it": ("02:30", "06:00", "2026-10-25 00:29", None),
    "it begins in the first and holds in the second": (
        "02:30",
        "06:00",
        "2026-10-25 01:10",
        "2026-10-25 05:00",
    ),
    "it lies in the hour that comes twice": ("02:10", "02:50", "2026-10-25 00:10", "2026-10-25 01:50"),
}


@pytest.mark.parametrize(("start", "end", "now", "until"), CHANGES.values(), ids=CHANGES)
def test_the_clock_is_changed(start, end, now, until):
    windows = [window(EVERY_DAY, start, end)]
    assert quiet_until(windows, PARIS, utc(now)) == (until and utc(until))


def test_a_day_that_a_country_skipped():
    samoa = ZoneInfo("Pacific/Apia")  # 30 December 2011 was left out, at midnight
    windows = [window([FRI], "08:00", "20:00"), window([SAT], "00:00", "06:00")]
    midnight = utc("2011-12-30 10:00")
    assert quiet_until(windows, samoa, midnight - timedelta(minutes=1)) is None
    assert quiet_until(windows, samoa, midnight) == midnight + timedelta(hours=6)


def test_who_has_one_free_hour_a_week_keeps_it_unless_the_clock_skips_it():
    windows = [
        window([SUN], "03:00", "24:00"),
        window(range(MON, SUN), "00:00", "24:00"),
        window([SUN], "00:00", "02:00"),
    ]
    assert quiet_until(windows, PARIS, at("2026-03-16 12:00")) == at("2026-03-22 02:00")
    assert quiet_until(windows, PARIS, at("2026-03-23 12:00")) == at("2026-04-05 02:00")


WHOLE = {
    "every day, all day": [window(EVERY_DAY, "00:00", "24:00")],
    "from eight to eight": [window(EVERY_DAY, "08:00", "08:00")],
    "days and nights": [window(EVERY_DAY, "08:00", "20:00"), window(EVERY_DAY, "20:00", "08:00")],
    "Sunday night reaches into Monday": [
        window([SUN], "12:00", "08:00"),
        window([MON], "08:00", "00:00"),
        window(range(TUE, SUN), "00:00", "24:00"),
        window([SUN], "00:00", "12:00"),
    ],
}


@pytest.mark.parametrize("windows", WHOLE.values(), ids=WHOLE)
def test_hours_that_leave_nothing_are_noticed(windows):
    assert never_ends(windows)
    assert quiet_until(windows, PARIS, at("2026-11-23 12:00")) is None


@pytest.mark.parametrize("windows", [[], NIGHTS, WEEKEND, [window(EVERY_DAY, "00:01", "00:00")]])
def test_hours_that_leave_something_are_fine(windows):
    assert not never_ends(windows)


WORDS = {
    "a range of days": (WORKDAYS, "19:00", "08:00", "Mon–Fri 19:00 to 08:00"),
    "all days": (EVERY_DAY, "22:00", "06:30", "Every day 22:00 to 06:30"),
    "a weekend": ([SAT, SUN], "00:00", "24:00", "Sat and Sun, all day"),
    "one day": ([WED], "12:00", "13:00", "Wed 12:00 to 13:00"),
    "days here and there": (
        [MON, WED, THU, FRI, SUN],
        "12:00",
        "13:00",
        "Mon, Wed–Fri and Sun 12:00 to 13:00",
    ),
}


@pytest.mark.parametrize(("days", "start", "end", "words"), WORDS.values(), ids=WORDS)
def test_how_hours_are_said(days, start, end, words):
    assert window(days, start, end).words == words


TYPED = {
    "19:00": 1140,
    "0:05": 5,
    " 08:30 ": 510,
    "08:30:00": 510,
    "24:00": 0,
    "24:01": None,
    "12:60": None,
    "12:5": None,
    "12": None,
    "": None,
    "ab:cd": None,
    "-1:00": None,
    "٣:00": None,
}


@pytest.mark.parametrize(("text", "minute"), TYPED.items(), ids=TYPED)
def test_what_is_typed_as_a_time(text, minute):
    assert quiet.minute_of(text) == minute


# What holds whatever people chose

zones = st.sampled_from(
    ["UTC", "Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca"]
).map(ZoneInfo)
some = st.lists(
    st.builds(
        Window,
        days=st.frozensets(st.integers(0, 6), min_size=1),
        start=st.integers(0, 95).map(lambda quarter: quarter * 15),
        end=st.integers(0, 95).map(lambda quarter: quarter * 15),
    ),
    min_size=1,
    max_size=4,
)
moments = st.integers(0, 366 * 24 * 60).map(
    lambda minute: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
)


@given(windows=some, zone=zones, now=moments)
def test_it_ends_and_then_is_not_quiet(windows, zone, now):
    until = quiet_until(windows, zone, now)
    if until is not None:
        assert now < until <= now + quiet.HORIZON + timedelta(days=1)
        assert quiet_until(windows, zone, until) is None


@given(windows=some, zone=zones, now=moments, data=st.data())
def test_it_is_as_quiet_all_the_way(windows, zone, now, data):
    until = quiet_until(windows, zone, now)
    if until is not None:
        minutes = int((until - now).total_seconds() // 60)
        between = now + timedelta(minutes=data.draw(st.integers(0, minutes - 1)))
        assert quiet_until(windows, zone, between) == until


@given(windows=some, more=some, zone=zones, now=moments)
def test_more_hours_are_never_less_quiet(windows, more, zone, now):
    until, longer = (quiet_until(each, zone, now) for each in (windows, windows + more))
    if until is not None and not never_ends(windows + more):
        assert longer is None or longer >= until


@given(windows=some, zone=zones, now=moments)
def test_inside_the_hours_on_the_clock_it_is_quiet(windows, zone, now):
    """What the clock shows decides, whichever hour it shows twice."""
    shown = now.astimezone(zone)
    minute = shown.hour * 60 + shown.minute
    inside = any(
        shown.weekday() in each.days and each.start <= minute < each.start + each.minutes for each in windows
    )
    if inside and not never_ends(windows):
        assert quiet_until(windows, zone, now) is not None


@given(windows=some)
def test_what_leaves_a_minute_of_the_week_ends_in_every_week(windows):
    ends = quiet_until(windows, ZoneInfo("UTC"), datetime(2026, 6, 1, tzinfo=UTC))
    if never_ends(windows):
        assert ends is None
    elif ends is not None:
        assert ends < datetime(2026, 6, 8, tzinfo=UTC) + timedelta(days=1)
