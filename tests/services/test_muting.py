"""Muting an issue for oneself."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.domain.errors import Refused
from app.models import IssueMute
from app.services import muting

pytestmark = pytest.mark.both_databases
HOUR = timedelta(hours=1)


@pytest.fixture
def issue(make, shop):
    return make.issue(shop)


@pytest.fixture
def muted(session, issue, cast):
    def ids(at):
        people = [cast.alice.id, cast.bob.id, cast.cy.id]
        return muting.muted(session, issue.id, people, at)

    return ids


def test_it_concerns_nobody_else(session, issue, cast, now, muted):
    muting.mute(session, issue, user=cast.bob, until=now + HOUR, now=now)
    assert muted(now) == {cast.bob.id: now + HOUR}


def test_it_ends_with_its_time(session, issue, cast, now, muted):
    muting.mute(session, issue, user=cast.bob, until=now + HOUR, now=now)
    assert muted(now + HOUR) == {}


def test_muting_again_gives_it_a_new_end(session, issue, cast, now, muted):
    muting.mute(session, issue, user=cast.bob, event_limit=3, now=now)
    muting.mute(session, issue, user=cast.bob, until=now + HOUR, now=now)
    row = session.scalars(select(IssueMute)).one()
    assert (row.until, row.event_limit) == (now + HOUR, None)


def test_it_holds_until_more_come_in_an_hour_than_the_limit(session, make, issue, cast, now, muted):
    muting.mute(session, issue, user=cast.bob, event_limit=3, now=now)
    for minute in range(3):
        make.event(issue, at=now + timedelta(minutes=minute))
    assert muted(now + timedelta(minutes=3)) == {cast.bob.id: None}
    make.event(issue, at=now + timedelta(minutes=4))
    assert muted(now + timedelta(minutes=5)) == {}


def test_what_got_worse_once_is_not_muted_again_when_it_calms_down(session, make, issue, cast, now, muted):
    muting.mute(session, issue, user=cast.bob, event_limit=0, now=now)
    muting.mute(session, issue, user=cast.cy, event_limit=5, now=now)
    muting.mute(session, issue, user=cast.alice, until=now + HOUR, now=now)
    make.event(issue, at=now)
    over = muting.got_worse(session, now=now)
    assert over == [(issue.id, cast.bob.id)]
    muting.end(session, over)
    assert set(muted(now + timedelta(minutes=30))) == {cast.alice.id, cast.cy.id}
    assert muting.got_worse(session, now=now + 2 * HOUR) == [(issue.id, cast.alice.id)]


def test_unmuting(session, issue, cast, now, muted):
    muting.mute(session, issue, user=cast.bob, until=now + HOUR, now=now)
    assert muting.unmute(session, issue, user=cast.bob)
    assert not muting.unmute(session, issue, user=cast.bob)
    assert muted(now) == {}


@pytest.mark.parametrize("end", [{}, {"until": timedelta()}, {"until": -HOUR}], ids=["none", "now", "past"])
def test_a_mute_needs_an_end_to_come(session, issue, cast, now, end):
    ends = {name: now + span for name, span in end.items()}
    with pytest.raises(Refused):
        muting.mute(session, issue, user=cast.bob, now=now, **ends)
