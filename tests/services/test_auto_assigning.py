"""Issues that nobody has go to their owners with the next event, where a project wants it so."""

import pytest
from sqlalchemy import select

from app.models import Activity, Issue, Notice, Subscription
from app.services.events import digesting
from app.services.events.stream_entry import ENVELOPE, Entry
from app.services.issues import assigning
from app.services.preferences import subscribing
from tests.make import envelope, payload

pytestmark = pytest.mark.both_databases


@pytest.fixture
def owned(cast, make):
    """Lines of pattern length 6 and 12, and assigning by them."""
    make.owners(cast.shop, "shop/* #shop-team\nshop/cart.py bob@example.org cy@example.org", auto_assign=True)


def test_the_longest_pattern_decides_and_nobody_loses_the_issue_later(owned, cast, make, session):
    issue = make.arrival(cast.shop)
    assert issue.assignee_user_id == cast.bob.id
    make.owners(cast.shop, "shop/cart.py cy@example.org")
    make.arrival(cast.shop)
    assert issue.assignee_user_id == cast.bob.id
    [activity] = session.scalars(select(Activity).where(Activity.type == "assigned"))
    assert activity.actor_id is None
    assert activity.data["because"] == {
        "line": 2,
        "text": "shop/cart.py bob@example.org cy@example.org",
    }


def test_it_is_off_until_somebody_wants_it(cast, make):
    make.owners(cast.shop, "shop/* bob@example.org")
    assert make.arrival(cast.shop).assignee_user_id is None


def test_a_manual_unassign_ends_it_for_that_issue(owned, cast, make, session, now):
    issue = make.arrival(cast.shop)
    assigning.assign(session, issue, to=None, by=cast.alice, now=now)
    assert make.arrival(cast.shop).assignee_user_id is None
    assert issue.auto_assign_off
    assigning.assign(session, issue, to=cast.cy, by=cast.alice, now=now)
    assert not issue.auto_assign_off


def test_an_owner_without_access_is_passed_over(owned, cast, make, session):
    cast.bob.is_active = cast.cy.is_active = False
    session.flush()
    issue = make.arrival(cast.shop)
    assert (issue.assignee_user_id, issue.assignee_team_id) == (None, cast.team.id)


def test_the_alert_of_the_same_event_can_carry_it(owned, cast, make, session):
    make.arrival(cast.shop)
    notices = session.scalars(select(Notice)).all()
    assert sorted(notice.kind for notice in notices) == ["alert.new", "assigned"]
    assert len({notice.event_id for notice in notices}) == 1


def test_it_subscribes_but_overrides_nobody_who_unsubscribed(owned, cast, make, session, now):
    make.owners(cast.shop, "none/* #shop-team", auto_assign=True)
    issue = make.arrival(cast.shop)
    subscribing.unsubscribe(session, issue, user=cast.bob, now=now, via="page")
    make.owners(cast.shop, "shop/* bob@example.org")
    make.arrival(cast.shop)
    assert issue.assignee_user_id == cast.bob.id
    [row] = session.scalars(select(Subscription))
    assert (row.state, row.reasons) == ("unsubscribed", [])
    other = make.arrival(cast.shop, "ValueError: price")
    [row] = session.scalars(select(Subscription).where(Subscription.issue_id == other.id))
    assert (row.user_id, row.state, row.reasons) == (cast.bob.id, "subscribed", ["assigned"])


def test_what_is_ignored_is_left_alone(cast, make, session):
    issue = make.arrival(cast.shop)
    issue.status = "ignored"
    make.owners(cast.shop, "shop/* bob@example.org", auto_assign=True)
    make.arrival(cast.shop)
    assert issue.assignee_user_id is None


def test_projects_that_assign_nothing_cost_a_query_when_reading_and_one_when_keeping(
    cast, make, session, count_statements
):
    make.arrival(cast.shop)
    make.owners(cast.shop, "shop/* bob@example.org")
    with count_statements() as sent:
        make.arrival(cast.shop)
    assert len([each for each in sent if "FROM ownerships" in each]) == 2
    assert not [each for each in sent if "email_addresses" in each]


@pytest.fixture
def read(cast, session, now):
    """A batch of one event, read and not kept yet."""

    def made(title):
        sent = payload(title, timestamp=now.timestamp())
        entry = Entry(cast.shop.id, ENVELOPE, now, envelope(sent), event_id=sent["event_id"])
        return digesting.read_all(session, [entry])

    return made


def test_lines_are_matched_when_an_event_is_read_and_once_more_only_if_they_changed(
    read, cast, make, session, now
):
    make.owners(cast.shop, "shop/* bob@example.org", auto_assign=True)
    first, second = read("KeyError: a"), read("ValueError: b")
    rules, found = first.reads[0].lines
    assert [match.number for match in found] == [1]
    first.reads[0].lines = rules, []
    digesting.keep(session, first, now=now)
    make.owners(cast.shop, "shop/* cy@example.org", auto_assign=True)
    digesting.keep(session, second, now=now)
    assignees = session.scalars(select(Issue.assignee_user_id).order_by(Issue.id)).all()
    assert assignees == [None, cast.cy.id]
