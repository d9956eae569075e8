"""Clicks, events and timers that meet: each in a transaction of its own, and one of them wins."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.domain.ignoring import Condition
from app.models import Activity, IgnoreCondition, Issue, Notice, User
from app.services.events import digesting
from app.services.events.stream_entry import ENVELOPE, Entry
from app.services.issues import auto_resolving, ignoring, waking
from tests.make import envelope, payload

pytestmark = pytest.mark.on_postgresql
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# Where they meet: as they read the issue, or as they change it.
MEETINGS = ("SELECT issues", "UPDATE issues")


@pytest.fixture
def arrives(shop):
    """An act: the issue's error comes in once more, at that moment."""

    def at(moment):
        sent = payload("KeyError: cart", timestamp=moment.timestamp())
        entry = Entry(shop.id, ENVELOPE, moment, envelope(sent), event_id=sent["event_id"])
        return lambda own: digesting.digest(own, [entry], now=moment)

    return at


@pytest.fixture
def ignores(now):
    """An act: this person ignores the issue."""

    def act(issue, person, until=None):
        issue_id, person_id = issue.id, person.id
        return lambda own: ignoring.ignore(
            own, own.get_one(Issue, issue_id), by=own.get_one(User, person_id), now=now, until=until
        )

    return act


@pytest.fixture
def types(session):
    def of(issue):
        session.expire_all()
        found = select(Activity.type).where(Activity.issue_id == issue.id).order_by(Activity.id)
        return list(session.scalars(found))

    return of


@pytest.mark.parametrize("meeting", MEETINGS)
def test_a_timer_and_an_event_unresolve_an_issue_once(
    side_by_side, arrives, make, cast, session, now, types, meeting
):
    issue = make.issue(cast.shop, events=1)
    until = Condition(until=now + HOUR, event_count=1)
    ignoring.ignore(session, issue, by=cast.bob, now=now, until=until)
    session.commit()
    over = now + 2 * HOUR
    raised = side_by_side(arrives(over), lambda own: waking.wake_due(own, now=over), meeting=meeting)
    assert raised == [None, None]
    assert types(issue) == ["set_ignored", "set_unresolved"]
    assert issue.status == "unresolved"
    assert list(session.scalars(select(Notice.kind))) == ["unignored"]


@pytest.mark.parametrize("meeting", MEETINGS)
def test_somebody_who_ignores_while_it_regresses_has_the_last_word(
    side_by_side, arrives, ignores, make, cast, session, now, types, meeting
):
    issue = make.issue(cast.shop, status="resolved", events=1)
    session.commit()
    raised = side_by_side(arrives(now + HOUR), ignores(issue, cast.bob), meeting=meeting)
    assert raised == [None, None]
    assert types(issue) in (["set_ignored"], ["set_regression", "set_ignored"])
    assert issue.status == "ignored"


@pytest.mark.parametrize("meeting", MEETINGS)
def test_two_who_ignore_at_once_write_one_activity(
    side_by_side, ignores, make, cast, session, types, meeting
):
    issue = make.issue(cast.shop)
    session.commit()
    until = Condition(event_count=10)
    acts = ignores(issue, cast.bob, until), ignores(issue, cast.cy, until)
    assert side_by_side(*acts, meeting=meeting) == [None, None]
    assert types(issue) == ["set_ignored"]


@pytest.mark.parametrize("meeting", MEETINGS)
def test_a_new_condition_is_not_ended_by_what_met_the_old_one(
    side_by_side, arrives, ignores, make, cast, session, now, types, meeting
):
    issue = make.issue(cast.shop, events=1)
    ignoring.ignore(session, issue, by=cast.bob, now=now, until=Condition(event_count=1))
    session.commit()
    anew = ignores(issue, cast.cy, Condition(event_count=100))
    assert side_by_side(arrives(now + HOUR), anew, meeting=meeting) == [None, None]
    assert types(issue)[-1] == "set_ignored"
    assert issue.status == "ignored"
    assert session.scalar(select(IgnoreCondition.event_count)) == 100


@pytest.mark.parametrize("meeting", MEETINGS)
def test_an_event_while_the_sweep_resolves_by_age_leaves_the_issue_open(
    side_by_side, arrives, make, cast, session, now, types, meeting
):
    cast.shop.resolve_age_hours = 14 * 24
    issue = make.issue(cast.shop, last_seen=now - 15 * DAY)
    make.event(issue, at=now - 15 * DAY)
    session.commit()
    project_id = cast.shop.id
    batch = auto_resolving.begin(now=now)
    session.commit()

    def sweep(own):
        auto_resolving.resolve_old(own, project_id, batch=batch, now=now)

    assert side_by_side(arrives(now + timedelta(seconds=1)), sweep, meeting=meeting) == [None, None]
    assert types(issue) in ([], ["set_resolved_by_age", "set_regression"])
    assert issue.status == "unresolved"
