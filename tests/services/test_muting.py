"""Muting an issue for oneself."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.domain.errors import Refused
from app.models import IssueMute, SettingAudit
from app.services.notices import considering
from app.services.preferences import muting, preferring

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
    assert muting.unmute(session, issue, user=cast.bob, now=now)
    assert not muting.unmute(session, issue, user=cast.bob, now=now)
    assert muted(now) == {}


@pytest.mark.parametrize("end", [{}, {"until": timedelta()}, {"until": -HOUR}], ids=["none", "now", "past"])
def test_a_mute_needs_an_end_to_come(session, issue, cast, now, end):
    ends = {name: now + span for name, span in end.items()}
    with pytest.raises(Refused):
        muting.mute(session, issue, user=cast.bob, now=now, **ends)


def changes_of(session):
    found = select(SettingAudit).where(SettingAudit.category == "mute").order_by(SettingAudit.id)
    rows = session.scalars(found)
    return [(row.detail["issue"], row.detail["old"], row.detail["new"]) for row in rows]


def test_every_change_is_in_the_persons_log(session, issue, cast, now):
    muting.mute(session, issue, user=cast.bob, event_limit=3, now=now)
    muting.unmute(session, issue, user=cast.bob, now=now)
    muting.unmute(session, issue, user=cast.bob, now=now)
    limit = "until more than 3 events in an hour"
    assert changes_of(session) == [("SHOP-1", "not muted", limit), ("SHOP-1", limit, "not muted")]


def test_undo_brings_back_the_mute_that_was_replaced(session, issue, cast, now, muted):
    muting.mute(session, issue, user=cast.bob, until=now + 2 * HOUR, now=now)
    muting.mute(session, issue, user=cast.bob, until=now + HOUR, now=now)
    assert muting.restore(session, issue, user=cast.bob, now=now)
    assert muted(now) == {cast.bob.id: now + 2 * HOUR}


def test_undo_brings_back_what_was_unmuted_as_long_as_its_time_lasts(session, issue, cast, now, muted):
    muting.mute(session, issue, user=cast.bob, until=now + HOUR, now=now)
    muting.unmute(session, issue, user=cast.bob, now=now)
    assert not muting.restore(session, issue, user=cast.bob, now=now + HOUR)
    assert muting.restore(session, issue, user=cast.bob, now=now)
    assert muted(now) == {cast.bob.id: now + HOUR}


def test_undo_twice_undoes_once(session, issue, cast, now, muted):
    muting.mute(session, issue, user=cast.bob, until=now + HOUR, now=now)
    assert muting.restore(session, issue, user=cast.bob, now=now)
    assert not muting.restore(session, issue, user=cast.bob, now=now)
    assert muted(now) == {}


@pytest.mark.parametrize("ends", [{"event_limit": 10**10}, {"until": timedelta(days=4000)}])
def test_a_mute_has_the_same_bounds_as_an_ignore(session, issue, cast, now, ends):
    ends = {name: now + end if isinstance(end, timedelta) else end for name, end in ends.items()}
    with pytest.raises(Refused):
        muting.mute(session, issue, user=cast.bob, now=now, **ends)


def test_the_mutes_of_many_issues_take_as_many_queries_as_those_of_one(
    session, make, shop, cast, now, count_statements
):
    issues = [make.issue(shop) for _ in range(6)]
    for each in issues:
        muting.mute(session, each, user=cast.bob, event_limit=3, now=now)
        muting.mute(session, each, user=cast.cy, until=now + HOUR, now=now)
    for _ in range(4):
        make.event(issues[0], at=now)
    people = [cast.alice.id, cast.bob.id, cast.cy.id]
    with count_statements() as statements:
        found = muting.muted_of(session, [issue.id for issue in issues], people, now)
    assert len(statements) == 2
    both = {cast.bob.id: None, cast.cy.id: now + HOUR}
    assert found == {each.id: both for each in issues[1:]} | {issues[0].id: {cast.cy.id: now + HOUR}}


def test_to_consider_many_muted_issues_takes_as_many_queries_as_one(
    session, make, shop, cast, now, count_statements
):
    def statements(count):
        notices = []
        for _ in range(count):
            issue = make.issue(shop)
            muting.mute(session, issue, user=cast.bob, event_limit=3, now=now)
            notices.append(make.notice(issue, "comment"))
        session.flush()
        with count_statements() as counted:
            considering.people(session, notices, preferring.Defaults({}), now=now)
        return len(counted)

    assert statements(2) == statements(7)
