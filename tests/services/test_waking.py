"""An ignore ends when its condition is met, at exactly the event that meets it, or when its time is over."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.domain import ignoring as rules
from app.domain.ignoring import Condition
from app.models import Activity, AlertRule, IgnoreCondition, Issue, Notice
from app.services.events import digesting
from app.services.events.stream_entry import ENVELOPE, Entry
from app.services.issues import ignoring, resolving, waking
from tests.make import envelope, payload

pytestmark = pytest.mark.both_databases
MINUTE = timedelta(minutes=1)


@pytest.fixture
def issue(make, shop):
    """Seen seven times, a day and more ago."""
    issue = make.issue(shop, times_seen=7)
    make.event(issue, at=make.now - timedelta(days=1))
    return issue


@pytest.fixture
def rings_on_return(session, make, shop, now):
    """A rule for what comes back from being ignored, and none else."""
    session.execute(update(AlertRule).values(is_active=False))
    rule = AlertRule(
        project_id=shop.id,
        name="Back again",
        conditions=[{"id": "reappeared"}],
        actions=[{"id": "mail", "target": "owners"}],
        frequency_minutes=5,
        created_at=now,
    )
    session.add(rule)
    session.flush()
    return rule


@pytest.fixture
def digest(session, shop, now):
    """Digests one batch: an event at each of these minutes after noon, by these users."""

    def run(*minutes: float, users=None) -> list[str]:
        entries = []
        for place, minute in enumerate(minutes):
            at = now + minute * MINUTE
            members = {"user": {"id": users[place]}} if users else {}
            sent = payload("KeyError: cart", timestamp=at.timestamp(), **members)
            entries.append(Entry(shop.id, ENVELOPE, at, envelope(sent), event_id=sent["event_id"]))
        digesting.digest(session, entries, now=now + max(minutes) * MINUTE)
        session.expire_all()
        return [entry.event_id for entry in entries]

    return run


@pytest.fixture
def ignore(session, issue, cast, now):
    def run(**condition):
        until = Condition(**condition) if condition else None
        return ignoring.ignore(session, issue, by=cast.bob, now=now, until=until)

    return run


def last(session, issue) -> Activity:
    found = select(Activity).where(Activity.issue_id == issue.id).order_by(Activity.id.desc())
    return session.scalars(found.limit(1)).one()


def kinds(session) -> list[str]:
    return list(session.scalars(select(Notice.kind).order_by(Notice.id)))


def test_until_ten_more_the_ninth_leaves_it_ignored_and_the_tenth_ends_it(
    issue, ignore, digest, session, rings_on_return
):
    ignore(event_count=10)
    digest(*range(1, 10))
    assert (issue.status, kinds(session)) == ("ignored", [])
    [tenth] = digest(11)
    assert issue.status == "unresolved"
    activity = last(session, issue)
    assert (activity.type, activity.actor_id) == ("set_unresolved", None)
    assert activity.data["ended"] == {"by": "events", "count": 10}
    assert kinds(session) == ["unignored", "alert.again"]
    assert set(session.scalars(select(Notice.event_id))) == {tenth}


def test_within_a_batch_it_is_the_tenth_event_that_ends_it(issue, ignore, digest, session, rings_on_return):
    ignore(event_count=10)
    events = digest(*range(1, 16))
    assert last(session, issue).data["event_id"] == events[9]
    assert set(session.scalars(select(Notice.event_id))) == {events[9]}
    assert issue.times_seen == 22


def test_no_rule_is_asked_about_events_from_before_the_end(issue, ignore, digest, session, rings_on_return):
    rings_on_return.conditions = [{"id": "every_event"}]
    ignore(event_count=3)
    events = digest(1, 2, 3, 4)
    [ring] = session.scalars(select(Notice).where(Notice.kind == "alert.again"))
    assert ring.event_id == events[2]


def test_ignored_for_ever_is_for_ever(issue, ignore, digest, session, rings_on_return):
    rings_on_return.conditions = [{"id": "every_event"}]
    ignore()
    for _ in range(3):
        digest(*range(1, 400))
    assert (issue.status, kinds(session)) == ("ignored", [])


@pytest.mark.parametrize(
    ("minutes", "ends"), [((1, 15, 30, 45, 61), True), ((1, 15, 30, 45, 62), False)], ids=["60", "61"]
)
def test_five_users_within_the_hour_end_it_and_in_61_minutes_they_do_not(
    issue, ignore, digest, minutes, ends
):
    ignore(user_count=5, user_window=60)
    for user, minute in enumerate(minutes):
        digest(minute, users=[str(user)])
    assert issue.status == ("unresolved" if ends else "ignored")


def test_the_same_user_counts_once(issue, ignore, digest):
    ignore(user_count=2, user_window=60)
    digest(1, 2, 3, users=["a", "a", "a"])
    assert issue.status == "ignored"
    digest(4, users=["b"])
    assert issue.status == "unresolved"


def test_so_many_more_users_are_counted_from_the_click_and_one_by_one(issue, ignore, digest, session, make):
    make.arrival(issue.project, at=make.now, user={"id": "old"})
    session.refresh(issue)
    ignore(user_count=3)
    events = digest(1, 2, 3, 4, 5, 6, users=["old", "a", "a", "b", "c", "d"])
    assert last(session, issue).data["ended"] == {"by": "users", "count": 3}
    assert last(session, issue).data["event_id"] == events[4]


def test_a_window_rolls_with_the_events_of_a_batch(issue, ignore, digest, session):
    ignore(event_count=3, event_window=60)
    events = digest(1, 50, 62, 100, 105, 200)
    assert last(session, issue).data["event_id"] == events[3]


def test_getting_worse_takes_more_than_the_limit(issue, ignore, digest, session):
    worse = rules.getting_worse(12)
    ignore(event_count=worse.event_count, event_window=worse.event_window, worse_than=worse.worse_than)
    digest(*range(1, 13))
    assert issue.status == "ignored"
    digest(14)
    assert issue.status == "unresolved"
    assert issue.escalated_at is not None
    assert last(session, issue).data["ended"] == {"by": "events", "count": 13, "window": 60, "limit": 12}


def test_the_limit_follows_the_busiest_hour_of_the_week(issue, make, session, now):
    for minute in range(5):
        make.arrival(issue.project, at=now - timedelta(hours=30) + minute * MINUTE)
    for minute in range(9):
        make.arrival(issue.project, at=now - timedelta(days=8) + minute * MINUTE)
    assert ignoring.until_worse(session, issue, now=now).worse_than == 15


def test_when_the_time_is_over_it_is_unresolved_by_tocsin(issue, ignore, digest, session, now):
    ignore(until=now + 30 * MINUTE)
    digest(29)
    assert waking.wake_due(session, now=now + 29 * MINUTE) == 0
    assert (issue.status, kinds(session)) == ("ignored", [])
    waking.wake_due(session, now=now + 30 * MINUTE)
    session.expire_all()
    assert issue.status == "unresolved"
    activity = last(session, issue)
    assert (activity.type, activity.actor_id) == ("set_unresolved", None)
    assert activity.data["ended"]["by"] == "until"
    assert kinds(session) == ["unignored"]


def test_the_first_event_after_that_is_the_one_that_reappears(
    issue, ignore, digest, session, now, rings_on_return
):
    ignore(until=now + 30 * MINUTE)
    waking.wake_due(session, now=now + 30 * MINUTE)
    events = digest(31, 32)
    digest(60)
    [ring] = session.scalars(select(Notice).where(Notice.kind == "alert.again"))
    assert ring.event_id == events[0]
    assert issue.reappears is False


def test_an_event_that_comes_before_the_timer_does_its_work(issue, ignore, digest, session, now):
    ignore(until=now + 30 * MINUTE)
    digest(31)
    assert issue.status == "unresolved"
    assert issue.escalated_at is None
    assert waking.wake_due(session, now=now + 40 * MINUTE) == 0
    assert kinds(session) == ["unignored"]


def test_an_issue_that_was_settled_meanwhile_stays_so(issue, ignore, digest, session, now, cast):
    ignore(until=now + 30 * MINUTE)
    resolving.resolve(session, issue, by=cast.cy, now=now)
    assert waking.wake_due(session, now=now + 31 * MINUTE) == 0
    assert issue.status == "resolved"
    assert session.scalar(select(IgnoreCondition)) is None


def test_what_is_not_ignored_on_conditions_costs_no_query(issue, session, digest, count_statements, cast):
    digest(1)
    with count_statements() as before:
        digest(2)
    assert not [text for text in before if "ignore_conditions" in text]


def test_the_issue_of_another_batch_is_left_alone(issue, ignore, make, shop, session):
    ignore(event_count=1)
    make.arrival(shop, "ValueError: other")
    session.refresh(issue)
    assert issue.status == "ignored"


def test_the_timer_takes_a_chunk_at_a_time(make, shop, session, cast, now):
    for _ in range(3):
        until = Condition(until=now + MINUTE)
        ignoring.ignore(session, make.issue(shop), by=cast.bob, now=now, until=until)
    assert waking.wake_due(session, now=now + MINUTE, limit=2) == 2
    assert waking.wake_due(session, now=now + MINUTE, limit=2) == 1
    assert set(session.scalars(select(Issue.status))) == {"unresolved"}
