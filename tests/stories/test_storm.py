"""Many new issues at once: the first are told as ever, the rest in one message a person."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from app.models import Issue, Notice, Storm, Verdict

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def many(report):
    """That many new issues within the minute."""

    def send(count, first=0, **members):
        at = datetime.now(UTC)
        for number in range(first, first + count):
            moment = at - timedelta(seconds=50) + timedelta(seconds=50 * (number - first) / count)
            report(f"Error{number}: cart", timestamp=moment.timestamp(), **members)

    return send


def sent(received):
    return json.loads(received.body)


def kinds(mailbox, person):
    return Counter(mail["X-Tocsin-Kind"] for mail in mailbox(to=person))


def codes(session, person):
    session.commit()
    found = select(Verdict.code, func.count()).where(
        Verdict.subject_id == person.id, Verdict.subject == "user"
    )
    return dict(session.execute(found.group_by(Verdict.code)).all())


@pytest.mark.long
def test_of_two_hundred_in_a_minute_everybody_gets_three_mails(
    many, run_jobs, mailbox, cast, shop, session, as_user
):
    shop.digest_minimum = shop.digest_maximum = 5
    many(200, release="4.2.1")
    run_jobs()
    for person in (cast.alice, cast.bob, cast.cy):
        assert kinds(mailbox, person) == {"alert.new": 1, "storm": 1}
    run_jobs.sweep(after=6 * MINUTE)
    for person in (cast.alice, cast.bob, cast.cy):
        assert kinds(mailbox, person) == {"alert.new": 1, "storm": 1, "digest": 1}
        assert codes(session, person) == {"send": 2, "batched": 19, "storm": 180}
    [digest] = [mail for mail in mailbox(to=cast.bob) if mail["X-Tocsin-Kind"] == "digest"]
    assert "19 more issues in Shop" in digest.subject
    [storm] = [mail for mail in mailbox(to=cast.bob) if mail["X-Tocsin-Kind"] == "storm"]
    assert storm.subject.startswith("Many new issues in Shop · since ")
    assert "200 NEW ISSUES" in storm.text
    assert "and 190 more" in storm.text
    assert "200 of 200 began within 2 minutes of the first event of release" in " ".join(storm.text.split())
    assert storm["List-Unsubscribe"]
    collapsed = session.scalars(select(Notice).where(Notice.kind == "alert.new").order_by(Notice.id)).all()[
        -1
    ]
    summary = session.scalars(select(Notice).where(Notice.kind == "storm")).one()
    browser = as_user(cast.bob)
    assert f"/notices/{summary.public_id}/" in str(browser.page(f"/notices/{collapsed.public_id}/"))
    assert f"/notices/{collapsed.public_id}/" in str(browser.page(f"/notices/{summary.public_id}/"))


@pytest.mark.usefixtures("at_once")
def test_the_issues_of_the_probable_cause_come_first(many, report, run_jobs, mailbox, cast):
    earlier = datetime.now(UTC) - 5 * MINUTE
    for _ in range(4):
        report("Unrelated: often", timestamp=earlier.timestamp(), release="4.2.0")
    many(30, release="4.2.1")
    run_jobs()
    [storm] = [mail for mail in mailbox(to=cast.bob) if mail["X-Tocsin-Kind"] == "storm"]
    assert "30 of 31 began within 2 minutes" in " ".join(storm.text.split())
    assert "Unrelated" not in storm.text


def test_twenty_are_no_storm(many, run_jobs, session, at_once, told):
    many(20)
    run_jobs()
    assert len(told("alert.new")) == 60
    assert session.scalar(select(Storm)) is None


@pytest.mark.usefixtures("at_once")
def test_fatal_still_rings(many, report, run_jobs, told, session):
    many(25)
    run_jobs()
    told()
    report("Fatal: payments stop", level="fatal")
    run_jobs()
    assert told("alert.new") == ["alice", "bob", "cy"]


@pytest.mark.usefixtures("at_once")
def test_whoever_would_not_be_told_of_the_issues_is_not_told_of_the_storm(
    many, run_jobs, mailbox, make, cast, session
):
    make.choice(cast.bob, "alerts", "off", project=cast.shop)
    many(30)
    run_jobs()
    assert kinds(mailbox, cast.bob) == {}
    assert kinds(mailbox, cast.cy) == {"alert.new": 20, "storm": 1}
    assert codes(session, cast.bob) == {"alerts_off": 30}


@pytest.mark.usefixtures("at_once")
def test_quiet_hours_hold_the_summary_like_all_else(many, run_jobs, mailbox, make, cast):
    make.quiet_now(cast.bob)
    many(30)
    run_jobs()
    assert mailbox(to=cast.bob) == []
    run_jobs.sweep(after=3 * HOUR)
    [mail] = mailbox(to=cast.bob)
    assert "Many new issues in Shop" in mail.text


@pytest.mark.usefixtures("at_once")
def test_it_is_told_again_every_hour_and_ends_after_a_quiet_quarter_of_one(
    many, run_jobs, told, session, mailbox, cast
):
    began = datetime.now(UTC)
    many(25)
    run_jobs()
    assert told().count("bob") == 21
    for number in range(1, 7):
        with time_machine.travel(began + number * 10 * MINUTE):
            many(1, first=100 + number)
            run_jobs()
    assert told() == []
    run_jobs.sweep(after=61 * MINUTE)
    assert told("storm") == ["alice", "bob", "cy"]
    run_jobs.sweep(after=62 * MINUTE)
    assert told() == []
    first, second = (mail for mail in mailbox(to=cast.bob) if mail["X-Tocsin-Kind"] == "storm")
    assert first["References"] == second["References"]
    assert "31 NEW ISSUES" in second.text
    run_jobs.sweep(after=76 * MINUTE)
    session.expire_all()
    assert session.scalars(select(Storm)).one().ended_at is not None
    with time_machine.travel(began + 80 * MINUTE):
        many(1, first=200)
        run_jobs()
    assert told("alert.new") == ["alice", "bob", "cy"]


def test_an_integration_gets_one_summary_too(many, make, hook, receiver, run_jobs, session):
    make.rule_to(hook)
    many(30)
    run_jobs()
    run_jobs.sweep()
    types = Counter(sent(each)["type"] for each in receiver.taken)
    assert types == {"issue.created": 20, "digest": 1}
    [body] = [sent(each) for each in receiver.taken if sent(each)["type"] == "digest"]
    assert body["data"]["text"] == "Many new issues in Shop"
    assert len(body["data"]["issues"]) == 10


@pytest.mark.usefixtures("at_once")
def test_one_project_in_a_storm_leaves_the_others_alone(many, report, make, cast, run_jobs, told):
    other = make.project(cast.acme, "billing", teams=[cast.team], digest_minimum=0, digest_maximum=0)
    many(30)
    run_jobs()
    told()
    report("Error: billing", project=other)
    run_jobs()
    assert told("alert.new") == ["alice", "bob", "cy"]


def test_assignments_that_go_with_it_come_as_one(many, make, cast, shop, run_jobs, mailbox, session):
    make.owners(shop, "path:* bob@example.org", auto_assign=True)
    many(60)
    run_jobs()
    assert session.scalar(select(func.count()).where(Issue.assignee_user_id == cast.bob.id)) == 60
    run_jobs.sweep(after=6 * MINUTE)
    run_jobs.sweep(after=12 * MINUTE)
    assert kinds(mailbox, cast.bob).total() <= 4
    assigned = [mail for mail in mailbox(to=cast.bob) if "assigned" in mail.subject]
    assert len(assigned) == 1
