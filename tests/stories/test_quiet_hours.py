"""Quiet hours hold and never drop: what was held goes out as one message, if anybody wants it still."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.clock import now
from app.models import Delivery, Digest, Issue, Notice, QuietHours, Subscription, User, Verdict
from app.services.calm import holding, quieting
from tests.support.telling import TELLS

SOON, MORNING = timedelta(hours=1), timedelta(hours=3)


@pytest.fixture
def sleeps(make):
    """Has a person's quiet hours hold now, for about two hours: `sleeps(bob)`."""
    return make.quiet_now


@pytest.fixture
def verdicts(session):
    """What was decided about a person: outcome, code, and the state of what told them."""

    def look(person: User) -> list[tuple[str, str, str | None]]:
        session.commit()
        found = (
            select(Verdict.outcome, Verdict.code, Delivery.state)
            .outerjoin(Delivery, TELLS)
            .where(Verdict.subject_id == person.id)
            .order_by(Verdict.id)
        )
        return [tuple(row) for row in session.execute(found)]

    return look


HELD = ("defer", "quiet_hours", None)
TOLD = ("defer", "quiet_hours", "accepted")


# Holding, and letting go


@pytest.mark.usefixtures("at_once")
def test_what_is_held_comes_as_one_mail_when_quiet_ends(cast, report, run_jobs, mailbox, sleeps, verdicts):
    sleeps(cast.bob)
    for number in range(3):
        report(f"Error{number}: cart")
    run_jobs()
    assert (len(mailbox(to=cast.alice)), len(mailbox(to=cast.bob))) == (3, 0)
    assert verdicts(cast.bob) == [HELD] * 3
    run_jobs.sweep(after=SOON)
    assert mailbox(to=cast.bob) == []
    run_jobs.sweep(after=MORNING)
    run_jobs.sweep(after=MORNING)
    [mail] = mailbox(to=cast.bob)
    assert mail["X-Tocsin-Kind"] == "digest"
    assert [f"Error{number}" in mail.text for number in range(3)] == [True] * 3
    assert verdicts(cast.bob) == [TOLD] * 3


def test_a_single_thing_comes_as_if_it_had_not_been_held(cast, report, run_jobs, mailbox, sleeps, verdicts):
    sleeps(cast.bob)
    report("KeyError: cart")
    run_jobs()
    run_jobs.sweep(after=MORNING)
    [mail], [other] = mailbox(to=cast.bob), mailbox(to=cast.alice)
    for header in ("X-Tocsin-Kind", "Subject", "References", "X-Tocsin-Notice"):
        assert mail[header] == other[header]
    assert verdicts(cast.bob) == [TOLD]


def test_held_for_everybody_it_begins_the_thread_in_the_morning(cast, report, run_jobs, mailbox, sleeps):
    sleeps(cast.alice, cast.bob, cast.cy)
    report("KeyError: cart")
    run_jobs()
    assert mailbox() == []
    run_jobs.sweep(after=MORNING)
    assert {mail.subject for mail in mailbox()} == {"SHOP-1 - KeyError: cart"}
    assert len(mailbox()) == 3


def test_changes_and_alerts_of_several_projects_come_together(
    cast, make, report, acts, issue, run_jobs, mailbox, sleeps
):
    other = make.project(cast.acme, "pay", teams=[cast.team])
    sleeps(cast.bob)
    report("KeyError: cart", project=other)
    acts.comment(issue, "Have a look, please", by=cast.alice)
    run_jobs()
    run_jobs.sweep(after=MORNING)
    [mail] = mailbox(to=cast.bob)
    assert "PAY-1" in mail.text
    assert issue.short_id in mail.text


def test_two_alerts_about_one_event_are_held_as_one(cast, make, report, run_jobs, mailbox, sleeps, verdicts):
    make.rule(cast.shop)
    sleeps(cast.bob)
    report("KeyError: cart")
    run_jobs()
    assert verdicts(cast.bob) == [HELD, ("collapse", "merged", None)]
    run_jobs.sweep(after=MORNING)
    [mail] = mailbox(to=cast.bob)
    assert mail["X-Tocsin-Kind"] == "alert.new"


# What changed in the meantime


def test_who_switched_alerts_off_meanwhile_is_not_told_of_them(
    cast, make, report, acts, issue, run_jobs, mailbox, sleeps, verdicts
):
    sleeps(cast.bob)
    report("TypeError: one")
    report("ValueError: two")
    acts.comment(issue, "Have a look, please", by=cast.alice)
    run_jobs()
    make.choice(cast.bob, "alerts", "off")
    run_jobs.sweep(after=MORNING)
    [mail] = mailbox(to=cast.bob)
    assert mail["X-Tocsin-Kind"] == "comment"
    assert sorted(verdicts(cast.bob)) == sorted([("skip", "alerts_off", None)] * 2 + [TOLD])


@pytest.mark.usefixtures("at_once")
def test_if_nothing_is_left_nothing_is_sent(cast, make, report, run_jobs, mailbox, sleeps, session):
    sleeps(cast.bob)
    report("KeyError: one")
    report("ValueError: two")
    run_jobs()
    make.choice(cast.bob, "alerts", "off")
    run_jobs.sweep(after=MORNING)
    assert mailbox(to=cast.bob) == []
    session.commit()
    digest = session.scalars(select(Digest)).one()
    assert digest.closed_at
    assert digest.delivery is None


def deleted(session, issue):
    session.delete(issue)


def about_to_be_deleted(session, issue):
    issue.status = "deleting"


def resolved(session, issue):
    issue.status = "resolved"


def ignored(session, issue):
    issue.status = "ignored"


SETTLED = {
    "deleted": (deleted, "no_longer_open"),
    "about to be deleted": (about_to_be_deleted, "no_longer_open"),
    "resolved": (resolved, "no_longer_open"),
    "ignored": (ignored, "issue_ignored"),
}


@pytest.mark.parametrize(("settle", "code"), SETTLED.values(), ids=SETTLED)
def test_an_issue_that_was_settled_meanwhile_is_left_out(
    cast, report, run_jobs, mailbox, sleeps, session, verdicts, settle, code
):
    sleeps(cast.bob)
    report("KeyError: settled")
    report("ValueError: open")
    run_jobs()
    session.commit()
    settle(session, session.scalars(select(Notice).order_by(Notice.id)).first().issue)
    run_jobs.sweep(after=MORNING)
    [mail] = mailbox(to=cast.bob)
    assert mail.subject == "SHOP-2 - ValueError: open"
    assert sorted(verdicts(cast.bob)) == [TOLD, ("skip", code, None)]


def test_who_left_the_project_meanwhile_is_not_told(
    cast, report, run_jobs, mailbox, sleeps, session, verdicts
):
    sleeps(cast.bob)
    report()
    run_jobs()
    cast.team.projects.clear()
    run_jobs.sweep(after=MORNING)
    assert mailbox(to=cast.bob) == []
    assert verdicts(cast.bob) == [("skip", "no_access", None)]


# Who is woken


def test_a_fatal_alert_rings_through(cast, report, run_jobs, mailbox, sleeps, verdicts):
    sleeps(cast.bob)
    report("MemoryError: everything", level="fatal")
    run_jobs()
    assert len(mailbox(to=cast.bob)) == 1
    assert verdicts(cast.bob) == [("send", "send", "accepted")]


def test_who_switched_that_off_hears_of_it_in_the_morning(
    cast, make, report, run_jobs, mailbox, sleeps, verdicts
):
    sleeps(cast.bob)
    make.choice(cast.bob, "fatal_rings", "off")
    report("MemoryError: everything", level="fatal")
    run_jobs()
    assert mailbox(to=cast.bob) == []
    run_jobs.sweep(after=MORNING)
    assert len(mailbox(to=cast.bob)) == 1


@pytest.fixture
def nobody_awake(cast, make, sleeps):
    everybody = (cast.alice, cast.bob, cast.cy)
    sleeps(*everybody)
    for person in everybody:
        make.choice(person, "fatal_rings", "off")


@pytest.mark.usefixtures("nobody_awake")
def test_a_fatal_alert_that_would_wake_nobody_wakes_everybody(cast, report, run_jobs, told, session):
    report("MemoryError: everything", level="fatal")
    run_jobs()
    assert told("alert.new") == ["alice", "bob", "cy"]
    assert {row["last_resort"] for row in session.scalars(select(Verdict.params))} == {True}


@pytest.mark.usefixtures("nobody_awake")
def test_the_project_can_name_who_is_woken_then(cast, make, report, run_jobs, told, verdicts):
    night_watch = make.team(cast.acme, "night-watch", members=[cast.cy])
    cast.shop.last_resort_team_id = night_watch.id
    report("MemoryError: everything", level="fatal")
    run_jobs()
    assert told("alert.new") == ["cy"]
    assert verdicts(cast.bob) == [HELD]


@pytest.mark.usefixtures("nobody_awake")
def test_where_whom_it_named_cannot_be_woken_everybody_is(cast, report, run_jobs, told):
    cast.shop.last_resort_user_id = cast.dee.id
    report("MemoryError: everything", level="fatal")
    run_jobs()
    assert told("alert.new") == ["alice", "bob", "cy"]


@pytest.mark.usefixtures("nobody_awake")
def test_what_is_not_fatal_wakes_nobody(report, run_jobs, told):
    report("KeyError: cart")
    run_jobs()
    assert told() == []


def test_who_is_on_call_is_told_at_once(cast, report, run_jobs, mailbox, sleeps, session):
    sleeps(cast.bob)
    quieting.on_call(session, cast.bob, now() + SOON, now=now(), via="web")
    report()
    run_jobs()
    assert len(mailbox(to=cast.bob)) == 1


def test_going_on_call_brings_what_is_held(cast, report, run_jobs, mailbox, sleeps, session):
    sleeps(cast.bob)
    report("KeyError: one")
    report("ValueError: two")
    run_jobs()
    quieting.on_call(session, cast.bob, now() + SOON, now=now(), via="web")
    run_jobs()
    assert len(mailbox(to=cast.bob)) == 1


# Changing one's mind


def test_hours_that_are_deleted_hold_nothing_any_more(cast, report, run_jobs, mailbox, sleeps, session):
    sleeps(cast.bob)
    report()
    run_jobs()
    [hours] = quieting.hours(session, cast.bob)
    quieting.delete(session, cast.bob, hours, now=now(), via="web")
    run_jobs()
    assert len(mailbox(to=cast.bob)) == 1


def test_what_is_held_can_be_had_now(cast, report, run_jobs, mailbox, sleeps, session, verdicts):
    sleeps(cast.bob)
    report("KeyError: one")
    report("ValueError: two")
    run_jobs()
    holding.release(session, holding.held_for(session, cast.bob), now())
    run_jobs()
    assert len(mailbox(to=cast.bob)) == 1
    assert verdicts(cast.bob) == [TOLD] * 2
    report("TypeError: three")
    run_jobs()
    assert verdicts(cast.bob)[2:] == [HELD]


def test_what_is_still_quiet_when_its_time_comes_waits_on(cast, report, run_jobs, mailbox, sleeps, session):
    sleeps(cast.bob)
    report()
    run_jobs()
    sleeps(cast.bob, begins=timedelta(hours=1))  # past the service, as a change of the time zone is
    run_jobs.sweep(after=MORNING)
    assert mailbox(to=cast.bob) == []
    run_jobs.sweep(after=timedelta(hours=5))
    assert len(mailbox(to=cast.bob)) == 1


def test_a_late_try_does_not_wake_anybody(cast, report, run_jobs, smtp_server, mailbox, sleeps, verdicts):
    report()
    with smtp_server.down():
        run_jobs()
    sleeps(cast.bob)
    run_jobs.sweep(after=timedelta(minutes=10))
    assert (len(mailbox(to=cast.alice)), len(mailbox(to=cast.bob))) == (1, 0)
    run_jobs.sweep(after=MORNING)
    assert len(mailbox(to=cast.bob)) == 1
    assert verdicts(cast.bob) == [("send", "send", "accepted")]


def test_a_digest_that_is_sent_late_leaves_out_what_was_settled_since(
    cast, report, run_jobs, smtp_server, mailbox, sleeps, session, verdicts
):
    sleeps(cast.bob)
    for title in ("KeyError: one", "ValueError: two", "TypeError: three"):
        report(title)
    run_jobs()
    with smtp_server.down():
        run_jobs.sweep(after=MORNING)
    session.commit()
    resolved(session, session.scalars(select(Notice).order_by(Notice.id)).first().issue)
    run_jobs.sweep(after=MORNING + timedelta(minutes=10))
    [mail] = mailbox(to=cast.bob)
    assert "ValueError: two" in mail.text
    assert "KeyError: one" not in mail.text
    assert sorted(verdicts(cast.bob)) == [TOLD, TOLD, ("skip", "no_longer_open", None)]


def test_a_digest_of_which_nothing_is_left_at_a_late_try_is_called_off(
    cast, make, report, run_jobs, smtp_server, mailbox, sleeps, verdicts
):
    sleeps(cast.bob)
    report("KeyError: one")
    report("ValueError: two")
    run_jobs()
    with smtp_server.down():
        run_jobs.sweep(after=MORNING)
    make.choice(cast.bob, "alerts", "off")
    run_jobs.sweep(after=MORNING + timedelta(minutes=10))
    assert mailbox(to=cast.bob) == []
    assert verdicts(cast.bob) == [("skip", "alerts_off", None)] * 2


def test_what_quiet_hours_put_off_for_days_is_tried_for_a_day_from_then(
    cast, make, report, run_jobs, smtp_server, mailbox, session, verdicts
):
    report()
    with smtp_server.down():
        run_jobs()
    begins = now() - timedelta(hours=1)
    days = [(begins.weekday() + number) % 7 for number in range(3)]
    start = begins.hour * 60 + begins.minute
    session.add_all(
        QuietHours(user_id=cast.bob.id, days=[day], start_minute=start, end_minute=start) for day in days
    )
    session.commit()
    run_jobs.sweep(after=timedelta(minutes=10))
    with smtp_server.down():
        run_jobs.sweep(after=timedelta(days=3))
    assert verdicts(cast.bob) == [("send", "send", "deferred")]
    run_jobs.sweep(after=timedelta(days=3, hours=1))
    assert len(mailbox(to=cast.bob)) == 1


@pytest.mark.usefixtures("at_once")
def test_the_digest_says_from_when_to_when_things_were_held(cast, report, run_jobs, mailbox, sleeps, session):
    sleeps(cast.bob)
    report("KeyError: one")
    report("ValueError: two")
    run_jobs()
    session.commit()
    digest = session.scalars(select(Digest)).one()
    run_jobs.sweep(after=MORNING)
    [mail] = mailbox(to=cast.bob)
    assert f"held them from {digest.opened_at:%a %H:%M} to {digest.send_at:%a %H:%M}." in mail.text


def test_each_issue_of_a_digest_can_be_left_alone(cast, report, run_jobs, mailbox, sleeps, session, client):
    sleeps(cast.bob)
    report("KeyError: one")
    report("ValueError: two")
    run_jobs()
    run_jobs.sweep(after=MORNING)
    [mail] = mailbox(to=cast.bob)
    links = dict(re.findall(r"Unsubscribe from (SHOP-\d): \S+?(/u/\S+)", mail.text))
    assert set(links) == {"SHOP-1", "SHOP-2"}
    assert all(link in mail.html for link in links.values())
    answer = client.post(links["SHOP-1"], data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    rows = session.execute(select(Issue.short_id, Subscription.state).join(Subscription)).all()
    assert rows == [("SHOP-1", "unsubscribed")]
