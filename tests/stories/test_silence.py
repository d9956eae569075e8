"""Ignored issues are silent until something ends that; quiet ones are resolved by age; who hears of it."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app.jobs import states
from app.models import Activity, AlertRule, Notice


@pytest.fixture
def issue(make, shop):
    """Everybody's; what is reported from now on belongs to it."""
    return make.issue(shop, events=1, last_seen=datetime.now(UTC) - timedelta(days=14, hours=1))


@pytest.fixture
def ignores(as_user, issue):
    """`ignores(bob, minutes="30")` presses that button."""

    def press(person, **form):
        assert as_user(person).post(f"/issues/{issue.id}/ignore", data=form).status_code == 303

    return press


@pytest.fixture
def rule_for(shop, session):
    """What the rule of the project waits for."""

    def change(condition):
        rule = session.scalars(select(AlertRule).where(AlertRule.project_id == shop.id)).one()
        rule.conditions = [{"id": condition}]
        session.commit()

    return change


@pytest.fixture
def hourly(app, session):
    """The hourly run of what resolves by age."""

    def run():
        session.commit()
        with app.app_context():
            states.resolve_old(datetime.now(UTC))
        session.expire_all()

    return run


@pytest.fixture
def ages(shop, session):
    shop.resolve_age_hours = 14 * 24
    session.commit()


def test_for_half_an_hour_it_is_silent_and_then_everybody_hears(
    issue, ignores, cast, report, run_jobs, told, session
):
    ignores(cast.bob, minutes="30")
    report()
    run_jobs()
    assert (issue.status, told()) == ("ignored", [])
    assert issue.times_seen == 2
    run_jobs.sweep(after=timedelta(minutes=29))
    assert told() == []
    run_jobs.sweep(after=timedelta(minutes=31))
    session.expire_all()
    assert issue.status == "unresolved"
    assert told("unignored") == ["alice", "bob", "cy"]


def test_the_first_event_after_that_rings_rules_for_what_comes_back(
    rule_for, issue, ignores, cast, report, run_jobs, told, session
):
    rule_for("reappeared")
    ignores(cast.bob, minutes="30")
    run_jobs.sweep(after=timedelta(minutes=31))
    assert told() == ["alice", "bob", "cy"]
    report()
    run_jobs()
    assert told("alert.again") == ["alice", "bob", "cy"]
    report()
    run_jobs()
    assert told() == []


def test_the_tenth_event_of_ten_ends_it_and_says_why(issue, ignores, cast, report, run_jobs, told, mailbox):
    ignores(cast.bob, event_count="10")
    for _ in range(9):
        report()
    run_jobs()
    assert (issue.status, told()) == ("ignored", [])
    event_id = report()
    run_jobs()
    assert issue.status == "unresolved"
    assert told("unignored") == ["alice", "bob", "cy"]
    mail = mailbox(to=cast.cy)[-1]
    assert mail["X-Tocsin-Event"] == event_id
    assert "10 events came since it was ignored" in mail.text
    assert "Bob" in mail.text


def test_ignored_for_ever_nothing_is_ever_said(
    rule_for, issue, ignores, cast, report, run_jobs, told, session
):
    rule_for("every_event")
    ignores(cast.bob)
    for _ in range(50):
        report(level="fatal")
    run_jobs()
    run_jobs.sweep(after=timedelta(days=9))
    assert (issue.status, told()) == ("ignored", [])
    assert session.scalar(select(Notice)) is None


def test_whoever_muted_it_hears_nothing_and_the_others_do(
    rule_for, issue, as_user, acts, cast, report, run_jobs, told, session
):
    rule_for("every_event")
    as_user(cast.bob).post(f"/issues/{issue.id}/mute", data={"minutes": "60"})
    report()
    run_jobs()
    assert told() == ["alice", "cy"]
    acts.resolve(issue, by=cast.alice)
    run_jobs()
    assert told("resolved") == ["cy"]


def test_what_is_too_old_is_resolved_and_its_people_are_told(
    issue, ages, hourly, run_jobs, told, mailbox, cast, session
):
    hourly()
    run_jobs()
    assert issue.status == "resolved"
    assert list(session.scalars(select(Activity.type))) == ["set_resolved_by_age"]
    assert told("resolved") == ["alice", "bob", "cy"]
    assert "14 quiet days" in mailbox(to=cast.bob)[-1].text


def test_of_thirty_everybody_gets_one_message(issue, ages, hourly, make, shop, run_jobs, told, mailbox, cast):
    for _ in range(29):
        make.issue(shop, last_seen=datetime.now(UTC) - timedelta(days=15))
    hourly()
    run_jobs()
    assert told() == ["alice", "bob", "cy"]
    text = mailbox(to=cast.bob)[-1].text
    assert len(set(re.findall(r"\bSHOP-\w+", text))) == 20
    assert "10 more" in text


def test_an_event_brings_back_what_was_resolved_by_age(
    rule_for, issue, ages, hourly, report, run_jobs, told, session
):
    rule_for("regression")
    hourly()
    run_jobs()
    told()
    report()
    run_jobs()
    assert issue.status == "unresolved"
    assert told("regression") == ["alice", "bob", "cy"]
    kinds = list(session.scalars(select(Notice.kind).order_by(Notice.id)))
    assert kinds == ["resolved", "regression", "alert.regression"]
