"""First now, rest together: when alerts of a project go out to one person."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import Refused
from app.domain.pacing import Pace, checked, due, pace_of, sentence

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
FIVE, STRETCHING = Pace(5, 5), Pace(5, 30)


def at(minute: float) -> datetime:
    return AT + timedelta(minutes=minute)


def test_nobody_who_was_sent_nothing_waits():
    assert due(FIVE, sent_at=None, waiting=None, now=AT) is None


@pytest.mark.parametrize(("pace", "ends"), [(FIVE, 5), (STRETCHING, 5.5), (Pace(10, 10), 10)])
def test_after_a_message_the_next_waits(pace, ends):
    assert due(pace, sent_at=AT, waiting=None, now=at(1)) == at(ends)


def test_each_further_one_puts_it_off_by_half_a_minute():
    assert due(STRETCHING, sent_at=AT, waiting=at(5.5), now=at(1)) == at(6)


def test_never_beyond_the_longest():
    assert due(STRETCHING, sent_at=AT, waiting=at(29.8), now=at(9)) == at(30)


def test_a_window_of_one_length_never_stretches():
    assert due(FIVE, sent_at=AT, waiting=at(5), now=at(4.9)) == at(5)


@pytest.mark.parametrize("minute", [5, 6, 600])
def test_once_the_window_is_over_the_next_is_a_first_one(minute):
    assert due(FIVE, sent_at=AT, waiting=None, now=at(minute)) is None


def test_what_comes_as_a_message_is_about_to_be_sent_goes_with_it():
    assert due(STRETCHING, sent_at=AT, waiting=at(6), now=at(6.1)) == at(6)


def test_without_a_window_nothing_waits():
    assert due(Pace(0, 0), sent_at=AT, waiting=None, now=AT) is None


@pytest.mark.parametrize(
    ("project", "own", "found"),
    [
        (FIVE, "project", FIVE),
        (FIVE, "15", Pace(15, 15, "account")),
        (STRETCHING, "15", Pace(15, 30, "account")),
        (Pace(20, 25), "15", Pace(20, 25)),
        (Pace(0, 0), "60", Pace(0, 0)),
    ],
)
def test_a_person_may_choose_longer_never_shorter(project, own, found):
    assert pace_of(project, own, "account") == found


@pytest.mark.parametrize(
    ("minimum", "maximum", "field"),
    [
        (None, 5, "a"),
        (-1, 5, "a"),
        (61, 61, "a"),
        (5, None, "b"),
        (5, 61, "b"),
        (6, 5, "b"),
        (0, 5, "a"),
    ],
)
def test_a_pace_that_makes_no_sense_is_refused_at_its_field(minimum, maximum, field):
    with pytest.raises(Refused) as refused:
        checked(minimum, maximum, fields=("a", "b"))
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("pace", "words"),
    [
        (Pace(0, 0), "Every alert goes at once, in a mail of its own."),
        (Pace(1, 1), "The first alert goes at once, the rest come together every minute."),
        (FIVE, "The first alert goes at once, the rest come together every 5 minutes."),
        (
            Pace(1, 30),
            "The first alert goes at once, the rest come together after 1 minute. "
            "Each further alert puts them off by 30 seconds, up to 30 minutes.",
        ),
    ],
)
def test_a_pace_can_be_said(pace, words):
    assert checked(pace.minimum, pace.maximum, fields=("a", "b")) == pace
    assert sentence(pace) == words


PACES = st.integers(1, 60).flatmap(lambda low: st.builds(Pace, st.just(low), st.integers(low, 60)))
ARRIVALS = st.lists(st.integers(0, 3 * 3600), min_size=1, max_size=300).map(sorted)


@given(PACES, ARRIVALS)
def test_however_alerts_come_none_is_lost_and_no_message_comes_too_early_or_too_late(pace, seconds):
    """A person's timeline, second by second: `sent` are the messages, with the alerts in each."""
    sent: list[tuple[datetime, list[datetime]]] = []
    held: list[datetime] = []
    ends: datetime | None = None
    for arrived in (AT + timedelta(seconds=second) for second in seconds):
        if ends and ends <= arrived:
            sent.append((ends, held))
            held, ends = [], None
        last = sent[-1][0] if sent else None
        ends = due(pace, sent_at=last, waiting=ends, now=arrived)
        if ends is None:
            sent.append((arrived, [arrived]))
        else:
            held.append(arrived)
    if ends:
        sent.append((ends, held))
    minimum, maximum = timedelta(minutes=pace.minimum), timedelta(minutes=pace.maximum)
    assert sum(len(alerts) for _, alerts in sent) == len(seconds)
    for (before, _), (after, _) in pairwise(sent):
        assert after - before >= minimum
    for before, (moment, alerts) in zip([None, *(moment for moment, _ in sent)], sent, strict=False):
        assert all(alert <= moment for alert in alerts)
        assert len(alerts) == 1 or before is None or moment - before <= maximum
