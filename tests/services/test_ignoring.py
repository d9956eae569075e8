"""Ignoring an issue, once and again."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.domain.errors import Refused
from app.domain.ignoring import Condition
from app.models import Activity, IgnoreCondition, Subscription
from app.services.issues import ignoring, reopening, resolving

pytestmark = pytest.mark.both_databases
HOUR = timedelta(hours=1)


@pytest.fixture
def issue(make, shop):
    return make.issue(shop, times_seen=7, users_seen=2)


@pytest.fixture
def ignore(session, issue, cast, now):
    def run(until=None, *, at=now):
        return ignoring.ignore(session, issue, by=cast.bob, now=at, until=until)

    return run


def test_what_was_chosen_is_kept_with_what_had_happened_so_far(ignore, issue, session, cast, now):
    activity = ignore(Condition(until=now + HOUR, event_count=10))
    row = session.scalars(select(IgnoreCondition)).one()
    assert (row.event_count, row.events_before, row.users_before) == (10, 7, 2)
    assert (row.actor_id, row.until) == (cast.bob.id, now + HOUR)
    assert activity.type == "set_ignored"
    assert activity.data["condition"] == {"until": (now + HOUR).isoformat(), "event_count": 10}


def test_whoever_ignores_is_subscribed(ignore, session, cast):
    ignore()
    [row] = session.scalars(select(Subscription))
    assert (row.user_id, row.reasons) == (cast.bob.id, ["participated"])


@pytest.mark.parametrize("until", [None, Condition(event_count=10)], ids=["for ever", "for ten events"])
def test_doing_it_again_changes_nothing(ignore, session, until):
    ignore(until)
    assert ignore(until) is None
    assert len(session.scalars(select(Activity)).all()) == 1


def test_two_clicks_on_for_an_hour_are_one(ignore, now):
    ignore(Condition(until=now + HOUR))
    later = now + timedelta(seconds=2)
    assert ignore(Condition(until=later + HOUR), at=later) is None


def test_another_condition_replaces_the_first_and_counts_anew(ignore, issue, session):
    ignore(Condition(event_count=10))
    issue.times_seen = 12
    session.flush()
    assert ignore(Condition(event_count=100)).data["was"] == "ignored"
    row = session.scalars(select(IgnoreCondition)).one()
    assert (row.event_count, row.events_before) == (100, 12)


def test_for_ever_takes_the_condition_away(ignore, issue, session):
    ignore(Condition(event_count=10))
    assert ignore() is not None
    assert session.scalar(select(IgnoreCondition)) is None
    assert issue.status == "ignored"


@pytest.mark.parametrize("leave", [resolving.resolve, reopening.reopen])
def test_leaving_takes_the_condition_along(ignore, issue, session, cast, now, leave):
    ignore(Condition(event_count=10))
    leave(session, issue, by=cast.cy, now=now)
    assert session.scalar(select(IgnoreCondition)) is None


def test_nonsense_changes_nothing(ignore, issue, session):
    with pytest.raises(Refused):
        ignore(Condition(event_count=1, event_window=10_081))
    assert issue.status == "unresolved"
    assert session.scalar(select(Activity)) is None
