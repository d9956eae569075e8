"""What ends an ignore, and how that is said."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import ignoring
from app.domain.errors import Refused
from app.domain.ignoring import Condition, Counts, Ended, getting_worse
from app.domain.kinds import ALERTS, KINDS
from app.domain.lifecycle import HIDDEN, IGNORED, STATUSES, UNRESOLVED
from app.domain.routing import gate_of_notice

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
NOTHING = Counts(events_since=0, users_since=0)

WORDS = {
    "until somebody says otherwise": None,
    "until Mon 23 Nov 13:00 UTC": Condition(until=NOON + timedelta(hours=1)),
    "until 1 more event": Condition(event_count=1),
    "until 1,000 more events": Condition(event_count=1000),
    "until 10 events in an hour": Condition(event_count=10, event_window=60),
    "until 10 events in 90 minutes": Condition(event_count=10, event_window=90),
    "until 10 events in 3 days": Condition(event_count=10, event_window=3 * 1440),
    "until more than 42 events in an hour": getting_worse(42),
    "until 5 more users": Condition(user_count=5),
    "until 5 users in a day": Condition(user_count=5, user_window=1440),
    "until 10 more events or Mon 23 Nov 13:00 UTC": Condition(
        event_count=10, until=NOON + timedelta(hours=1)
    ),
}
REFUSED = {
    "nothing at all": (Condition(), "event_count"),
    "a time that is over": (Condition(until=NOON), "until"),
    "a time beyond all plans": (Condition(until=NOON + timedelta(days=5000)), "until"),
    "no event": (Condition(event_count=0), "event_count"),
    "more events than there are": (Condition(event_count=10**10), "event_count"),
    "fewer than no users": (Condition(user_count=-1), "user_count"),
    "a window for nothing": (Condition(event_window=60), "event_count"),
    "a window of more than a week": (Condition(event_count=1, event_window=10_081), "event_window"),
    "a window of no time": (Condition(user_count=1, user_window=0), "user_window"),
}
ENDS = {
    "the 9th event of 10": (Condition(event_count=10), Counts(9, 0), None),
    "the 10th event of 10": (Condition(event_count=10), Counts(10, 0), Ended("events", 10)),
    "one at the limit": (getting_worse(42), Counts(99, 0, events_in_window=42), None),
    "one above it": (getting_worse(42), Counts(0, 0, 43), Ended("events", 43, 60, 42)),
    "events that a window has no room for": (Condition(event_count=10, event_window=60), Counts(10, 0), None),
    "the 5th user": (Condition(user_count=5), Counts(9, 5), Ended("users", 5)),
    "five users of a window": (
        Condition(user_count=5, user_window=60),
        Counts(9, 0, 0, 5),
        Ended("users", 5, 60),
    ),
    "its time": (Condition(until=NOON), NOTHING, Ended("until", until=NOON)),
    "a time to come": (Condition(until=NOON + timedelta(seconds=1)), NOTHING, None),
    "the first of two": (Condition(event_count=3, user_count=2), Counts(2, 2), Ended("users", 2)),
}


@pytest.mark.parametrize(("said", "condition"), WORDS.items(), ids=WORDS)
def test_a_condition_in_words(said, condition):
    assert ignoring.words(condition) == said


def test_moments_are_on_the_readers_clock():
    assert ignoring.words(Condition(until=NOON), zone="Europe/Paris") == "until Mon 23 Nov 13:00 CET"


@pytest.mark.parametrize(("condition", "field"), REFUSED.values(), ids=REFUSED)
def test_what_makes_no_sense_is_refused(condition, field):
    with pytest.raises(Refused) as refused:
        ignoring.checked(condition, now=NOON)
    assert refused.value.field == field


@pytest.mark.parametrize(("condition", "counts", "ended"), ENDS.values(), ids=ENDS)
def test_what_ends_an_ignore(condition, counts, ended):
    assert ignoring.ended_by(condition, counts, at=NOON) == ended


@pytest.mark.parametrize(
    ("ended", "said"),
    [
        (Ended("events", 10), "10 events came since it was ignored"),
        (Ended("events", 1), "1 event came since it was ignored"),
        (Ended("events", 10, 1440), "10 events came in a day"),
        (Ended("events", 43, 60, 42), "43 events came in an hour, and the limit was 42"),
        (Ended("users", 5, 60), "5 users met it in an hour"),
        (Ended("until", until=NOON), "it was ignored until Mon 23 Nov 12:00 UTC"),
    ],
)
def test_why_it_ended_in_words(ended, said):
    assert ignoring.ended_words(ended) == said


@pytest.mark.parametrize(("busiest", "limit"), [(0, 10), (3, 10), (4, 12), (14, 42)])
def test_worse_is_three_times_the_busiest_hour_and_at_least_ten(busiest, limit):
    assert ignoring.worse_limit(busiest) == limit


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (Condition(until=NOON + timedelta(seconds=5)), True),
        (Condition(until=NOON + timedelta(minutes=5)), False),
        (Condition(until=NOON, event_count=1), False),
        (Condition(event_count=1), False),
        (None, False),
    ],
)
def test_two_clicks_on_one_button_are_the_same_condition(other, same):
    assert Condition(until=NOON).equals(other) is same


@given(
    st.builds(
        Condition,
        until=st.none() | st.datetimes(datetime(2026, 1, 1), timezones=st.just(UTC)),
        event_count=st.none() | st.integers(1, 99),
        event_window=st.none() | st.integers(1, 99),
        worse_than=st.none() | st.integers(0, 99),
    )
)
def test_the_timeline_keeps_a_condition_as_it_is(condition):
    data = ignoring.as_data(condition)
    assert (ignoring.condition_of(data) or Condition()) == condition


@given(st.integers(1, 50), st.integers(0, 60), st.integers(0, 60))
def test_once_met_more_events_never_unmeet_it(needed, events, more):
    condition = Condition(event_count=needed)
    met = ignoring.ended_by(condition, Counts(events, 0), at=NOON)
    later = ignoring.ended_by(condition, Counts(events + more, 0), at=NOON)
    assert later or not met


def test_a_date_ends_at_nine_in_the_morning_there():
    assert ignoring.morning_of(date(2026, 11, 24), "America/New_York") == datetime(
        2026, 11, 24, 14, tzinfo=UTC
    )
    assert ignoring.morning_of(date(2026, 7, 1), "Europe/Paris") == datetime(2026, 7, 1, 7, tzinfo=UTC)


@given(
    st.sampled_from([kind for kind in KINDS.values() if kind.category == ALERTS and kind.in_thread]),
    st.sampled_from((*STATUSES, *HIDDEN, None)),
)
def test_an_alert_is_told_of_unresolved_issues_alone_and_never_of_ignored_ones(kind, status):
    gate = gate_of_notice(kind, status)
    assert (gate is None) == (status == UNRESOLVED)
    assert (gate == "issue_ignored") == (status == IGNORED)
