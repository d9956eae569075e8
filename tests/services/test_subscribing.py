"""Who follows an issue and why, and who asked to be left alone."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.routing import Reason
from app.models import SettingAudit, Subscription
from app.services.preferences import subscribing


@pytest.fixture
def follow(session, issue, cast, now):
    return lambda why, *people: subscribing.follow(
        session, issue, [person.id for person in people or [cast.bob]], why=why, now=now
    )


@pytest.fixture
def row(session, issue, cast):
    """Bob's state and reasons, or None."""

    def look():
        found = subscribing.of(session, issue, cast.bob)
        return (found.state, found.reasons) if found else None

    return look


@pytest.fixture
def leave(session, issue, cast, now):
    return lambda: subscribing.unsubscribe(session, issue, user=cast.bob, now=now, via="web")


@pytest.fixture
def join(session, issue, cast, now):
    return lambda: subscribing.subscribe(session, issue, user=cast.bob, now=now, via="web")


def test_reasons_add_up_in_their_order(follow, row):
    follow(Reason.COMMENTED)
    follow(Reason.ASSIGNED)
    follow(Reason.COMMENTED)
    assert row() == ("subscribed", ["commented", "assigned"])


# What happens to somebody who unsubscribed → whether it brings them back.
AFTER_LEAVING = {
    Reason.ASSIGNED: True,
    Reason.TEAM_ASSIGNED: True,
    Reason.MENTION: True,
    Reason.TEAM_MENTION: True,
    Reason.COMMENTED: False,
    Reason.PARTICIPATED: False,
    Reason.BOOKMARKED: False,
}


@pytest.mark.parametrize(("why", "returns"), AFTER_LEAVING.items())
def test_only_assignment_and_mention_override_an_explicit_unsubscribe(cast, follow, leave, row, why, returns):
    follow(Reason.SUBSCRIBED)
    leave()
    assert follow(why) == ({cast.bob.id} if returns else set())
    assert row() == (("subscribed", [str(why)]) if returns else ("unsubscribed", []))


def test_nobody_is_called_back_who_had_not_left(follow):
    assert follow(Reason.ASSIGNED) == set()


RELEASES = {
    "one of two reasons": (["assigned", "commented"], [Reason.ASSIGNED], ("subscribed", ["commented"])),
    "the last reason": (["assigned"], [Reason.ASSIGNED], None),
    "a reason that was not there": (["commented"], [Reason.ASSIGNED], ("subscribed", ["commented"])),
}


@pytest.mark.parametrize(("had", "lost", "left"), RELEASES.values(), ids=RELEASES)
def test_losing_reasons(session, make, issue, cast, now, row, had, lost, left):
    make.subscription(issue, cast.bob, *had)
    subscribing.release(session, issue, [cast.bob.id], why=lost, now=now)
    assert row() == left


def test_losing_a_reason_does_not_undo_an_unsubscribe(session, issue, cast, now, leave, row):
    leave()
    subscribing.release(session, issue, [cast.bob.id], why=[Reason.ASSIGNED], now=now)
    assert row() == ("unsubscribed", [])


def test_subscribing_by_button(join, row):
    assert join()
    assert row() == ("subscribed", ["subscribed"])
    assert not join()


def test_subscribing_keeps_the_reasons_one_has(follow, join, row):
    follow(Reason.ASSIGNED)
    assert join()
    assert row() == ("subscribed", ["assigned", "subscribed"])


def test_leaving_takes_all_reasons(follow, leave, row):
    follow(Reason.ASSIGNED)
    follow(Reason.COMMENTED)
    assert leave()
    assert row() == ("unsubscribed", [])
    assert not leave()


def test_leaving_and_joining_again(leave, join, row):
    leave()
    assert join()
    assert row() == ("subscribed", ["subscribed"])


def test_restoring_leaves_no_row(session, issue, cast, now, leave, row):
    leave()
    assert subscribing.restore(session, issue, user=cast.bob, now=now, via="web")
    assert row() is None
    assert not subscribing.restore(session, issue, user=cast.bob, now=now, via="web")


def test_restoring_brings_back_the_row_as_it_was(session, make, issue, cast, now, leave, row):
    had = make.subscription(issue, cast.bob, "assigned", "commented")
    had.via, had.updated_at = "system", now - timedelta(days=3)
    leave()
    subscribing.restore(session, issue, user=cast.bob, now=now, via="web")
    again = subscribing.of(session, issue, cast.bob)
    assert (again.state, again.reasons) == ("subscribed", ["assigned", "commented"])
    assert (again.via, again.updated_at) == ("system", now - timedelta(days=3))


def test_restoring_undoes_the_last_time_only(session, issue, cast, now, join, leave, follow, row):
    join()
    leave()
    join()
    follow(Reason.COMMENTED)
    leave()
    subscribing.restore(session, issue, user=cast.bob, now=now, via="web")
    assert row() == ("subscribed", ["subscribed", "commented"])


def test_restoring_touches_nobody_who_is_subscribed(session, issue, cast, now, join, row):
    join()
    assert not subscribing.restore(session, issue, user=cast.bob, now=now, via="web")
    assert row() == ("subscribed", ["subscribed"])


def test_buttons_are_in_the_log_and_automatic_subscriptions_are_not(session, issue, follow, join, leave):
    follow(Reason.COMMENTED)
    assert session.scalar(select(SettingAudit)) is None
    join()
    leave()
    audits = session.scalars(select(SettingAudit).order_by(SettingAudit.id))
    assert [(audit.old, audit.new, audit.detail["issue"]) for audit in audits] == [
        ("subscribed", "subscribed", "SHOP-1"),
        ("subscribed", "unsubscribed", "SHOP-1"),
    ]


def test_many_follow_at_once(session, issue, cast, follow):
    follow(Reason.TEAM_ASSIGNED, cast.alice, cast.bob, cast.cy)
    rows = session.scalars(select(Subscription).where(Subscription.issue_id == issue.id))
    assert {row.user_id for row in rows} == {cast.alice.id, cast.bob.id, cast.cy.id}


def test_following_one_issue_is_not_following_another(session, make, cast, follow):
    other = make.issue(cast.shop, title="ValueError: other")
    follow(Reason.ASSIGNED)
    assert subscribing.of(session, other, cast.bob) is None


@pytest.mark.both_databases
def test_subscribing_on_both_databases(session, follow, leave, join, row):
    follow(Reason.ASSIGNED)
    leave()
    session.commit()
    assert row() == ("unsubscribed", [])
    follow(Reason.MENTION)
    session.commit()
    assert row() == ("subscribed", ["mention"])


def test_the_log_knows_that_who_joins_had_left(session, leave, join):
    leave()
    join()
    audits = session.scalars(select(SettingAudit).order_by(SettingAudit.id))
    assert [(audit.old, audit.new) for audit in audits] == [
        (None, "unsubscribed"),
        ("unsubscribed", "subscribed"),
    ]


def test_a_team_follows_with_as_many_statements_as_one_person(
    session, make, issue, cast, follow, count_statements
):
    people = [make.user() for _ in range(5)]
    with count_statements() as for_one:
        follow(Reason.TEAM_ASSIGNED, cast.bob)
    with count_statements() as for_all:
        follow(Reason.TEAM_ASSIGNED, *people)
    # Five rows that change are written in one statement, too.
    assert len(for_all) == len(for_one)


@pytest.mark.on_postgresql
def test_losing_a_reason_heeds_what_was_gained_meanwhile(session, engine, make, issue, cast, now, row):
    make.subscription(issue, cast.bob, "assigned")
    session.commit()
    known = subscribing.of(session, issue, cast.bob)
    assert known.reasons == ["assigned"]
    with Session(engine) as other:
        subscribing.follow(other, issue, [cast.bob.id], why=Reason.COMMENTED, now=now)
        other.commit()
    subscribing.release(session, issue, [cast.bob.id], why=[Reason.ASSIGNED], now=now)
    assert row() == ("subscribed", ["commented"])
