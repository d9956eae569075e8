"""When a job is due: crontabs in their zone, whatever its clocks do, and intervals of every unit."""

from datetime import UTC, datetime, timedelta
from itertools import chain, islice, takewhile

import pytest

from app.domain import schedules
from app.domain.schedules import CRONTAB, INTERVAL, BadSchedule, checked, missed

BERLIN = "Europe/Berlin"
MARGIN = timedelta(minutes=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}:00+00:00")


# In 2026 Berlin's clocks go from 02:00 to 03:00 on 29 March, and from 03:00 back to 02:00 on 25 October.
NEXT = {
    "each minute": (CRONTAB, "* * * * *", "UTC", "11-20T12:00", ["11-20T12:01", "11-20T12:02"]),
    "a nickname": (CRONTAB, "@daily", "UTC", "11-20T12:00", ["11-21T00:00", "11-22T00:00"]),
    "by the clock of its zone": (CRONTAB, "0 3 * * *", BERLIN, "11-20T12:00", ["11-21T02:00"]),
    "summer time": (CRONTAB, "0 9 * * *", BERLIN, "03-28T00:00", ["03-28T08:00", "03-29T07:00"]),
    "what the clock skips comes with the jump": (
        *(CRONTAB, "30 2 * * *", BERLIN, "03-28T12:00"),
        ["03-29T01:00", "03-30T00:30"],
    ),
    "what comes twice is due once": (
        *(CRONTAB, "30 2 * * *", BERLIN, "10-24T12:00"),
        ["10-25T00:30", "10-26T01:30"],
    ),
    "the hour that comes again is no time to be early": (
        *(CRONTAB, "30 1 * * *", "America/New_York", "11-01T06:14"),
        ["11-02T06:30", "11-03T06:30"],
    ),
    "each hour has no holes": (
        *(CRONTAB, "0 * * * *", BERLIN, "10-24T23:30"),
        ["10-25T00:00", "10-25T01:00", "10-25T02:00"],
    ),
    "ten minutes": (INTERVAL, "10 minute", "UTC", "11-20T12:03", ["11-20T12:13", "11-20T12:23"]),
    "hours pass through the change": (INTERVAL, "2 hour", BERLIN, "03-29T00:30", ["03-29T02:30"]),
    "a day keeps its time of day": (INTERVAL, "1 day", BERLIN, "03-28T08:00", ["03-29T07:00"]),
    "a week too": (INTERVAL, "1 week", BERLIN, "10-20T07:00", ["10-27T08:00"]),
    "a month that is shorter": (INTERVAL, "1 month", "UTC", "01-31T08:00", ["02-28T08:00"]),
    "months over the new year": (INTERVAL, "2 month", "UTC", "11-20T12:00", []),
    "a year": (INTERVAL, "1 year", "UTC", "11-20T12:00", []),
}


@pytest.mark.parametrize(("kind", "text", "zone", "after", "times"), NEXT.values(), ids=NEXT)
def test_it_is_due_by_the_clock_of_its_zone_whatever_that_does(kind, text, zone, after, times):
    found = list(islice(checked(kind, text, zone).following(at(after)), max(len(times), 1)))
    assert found[: len(times)] == [at(each) for each in times]
    assert found[0] > at(after)


BAD = {
    "not five fields": (CRONTAB, "0 3 * *", "UTC", "five fields"),
    "seconds": (CRONTAB, "0 0 3 * * *", "UTC", "five fields"),
    "no such hour": (CRONTAB, "0 25 * * *", "UTC", "bad hour"),
    "a day that no month has": (CRONTAB, "0 0 31 2 *", "UTC", "day-of-month"),
    "too long": (CRONTAB, ",".join(["1"] * 60) + " * * * *", "UTC", "at most 100"),
    "none": (CRONTAB, "", "UTC", "five fields"),
    "an interval too long to remember": (INTERVAL, "1" * 101 + " day", "UTC", "at most 100"),
    "no unit": (INTERVAL, "10", "UTC", "whole number"),
    "nothing": (INTERVAL, "0 day", "UTC", "whole number"),
    "a fraction": (INTERVAL, "1.5 hour", "UTC", "whole number"),
    "longer than a year": (INTERVAL, "13 month", "UTC", "at most a year"),
    "neither": ("sometimes", "1 day", "UTC", "crontab or an interval"),
    "no zone": (CRONTAB, "0 3 * * *", "Mars/Base", "no time zone"),
}


@pytest.mark.parametrize(("kind", "text", "zone", "words"), BAD.values(), ids=BAD)
def test_a_schedule_that_can_never_be_due_is_refused_with_the_reason(kind, text, zone, words):
    with pytest.raises(BadSchedule, match=words):
        checked(kind, text, zone)


def test_a_check_in_shortly_before_its_time_is_for_that_time():
    nightly = checked(CRONTAB, "0 3 * * *")
    assert nightly.expected_after(at("11-20T03:00") - timedelta(seconds=3)) == at("11-21T03:00")
    assert nightly.expected_after(at("11-20T02:59")) == at("11-20T03:00")
    each_minute = checked(CRONTAB, "* * * * *")
    assert each_minute.expected_after(at("11-20T03:00") - timedelta(seconds=20)) == at("11-20T03:00")


def test_what_was_missed_is_known_only_when_its_margin_is_over():
    hourly, margin = checked(CRONTAB, "0 * * * *"), timedelta(minutes=5)
    assert missed(hourly, at("11-20T13:00"), margin, at("11-20T13:04")) == ([], at("11-20T13:00"))
    assert missed(hourly, at("11-20T13:00"), margin, at("11-20T14:05")) == (
        [at("11-20T13:00"), at("11-20T14:00")],
        at("11-20T15:00"),
    )


@pytest.mark.parametrize("text", ["1 minute", "* * * * *"])
def test_a_year_of_silence_is_looked_through_quickly_and_its_end_is_kept(text):
    schedule = checked(INTERVAL if "minute" in text else CRONTAB, text)
    until = datetime(2027, 11, 20, 12, 0, 30, tzinfo=UTC)
    lost, following = missed(schedule, at("11-20T13:00"), timedelta(minutes=1), until)
    assert lost == [datetime(2027, 11, 20, 11, 50 + minute, tzinfo=UTC) for minute in range(10)]
    assert following == datetime(2027, 11, 20, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "text"), [(CRONTAB, "30 2 * * *"), (CRONTAB, "* 3 1 * *"), (INTERVAL, "7 hour")]
)
def test_what_is_skipped_to_is_what_one_by_one_would_have_found(kind, text):
    schedule, until = checked(kind, text, BERLIN), at("10-31T12:00")
    first = schedule.after(at("03-01T00:00"))
    everything = list(
        takewhile(lambda each: each + MARGIN <= until, chain([first], schedule.following(first)))
    )
    assert missed(schedule, first, MARGIN, until) == (everything[-10:], schedule.after(everything[-1]))


def test_long_texts_are_not_remembered():
    """Whoever knows a DSN may send them."""
    for size in range(20):
        assert checked(CRONTAB, "0 3 * * *" + " " * (1000 + size)) == checked(CRONTAB, "0 3 * * *")
    assert schedules._checked.cache_info().currsize <= len(NEXT) + len(BAD) + 10


@pytest.mark.parametrize(
    ("kind", "text", "words"),
    [
        (CRONTAB, "0 3 * * *", "At 03:00 every day, Europe/Berlin"),
        (CRONTAB, "@hourly", "At the start of every hour, Europe/Berlin"),
        (INTERVAL, "1 hour", "Every hour"),
        (INTERVAL, "10 minute", "Every 10 minutes"),
    ],
)
def test_a_schedule_reads_as_a_sentence(kind, text, words):
    assert checked(kind, text, BERLIN).words == words
