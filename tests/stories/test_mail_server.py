"""The mail server is away, slow or choosy: messages wait, each by itself, and arrive once."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.channels import email
from app.clock import now
from app.jobs import deliver
from app.models import Attempt, Delivery, Issue
from app.services.mails import delivering

TEN = timedelta(minutes=10)


@pytest.fixture
def deliveries(session):
    """All deliveries, as they stand now."""

    def look():
        session.commit()
        return session.scalars(select(Delivery).order_by(Delivery.id)).all()

    return look


def test_while_it_is_away_messages_wait_and_then_arrive_once(
    cast, report, run_jobs, smtp_server, deliveries, told
):
    report()
    with smtp_server.down():
        run_jobs()
        assert {delivery.state for delivery in deliveries()} == {"deferred"}
    assert run_jobs.sweep() == {"planned": 0, "sent": 0}
    run_jobs.sweep(after=timedelta(seconds=61))
    run_jobs.sweep(after=TEN)
    assert {delivery.state for delivery in deliveries()} == {"accepted"}
    assert told("alert.new") == ["alice", "bob", "cy"]


def test_each_try_is_kept_with_what_the_server_said(cast, report, run_jobs, smtp_server, session, deliveries):
    smtp_server.answer = lambda mail: "451 4.3.2 Come back later" if mail.number == 1 else None
    report()
    run_jobs()
    run_jobs.sweep(after=TEN)
    [again] = [delivery for delivery in deliveries() if len(delivery.attempts) == 2]
    first, second = again.attempts
    assert (first.outcome, first.code, first.response) == ("deferred", "451", "4.3.2 Come back later")
    assert (second.outcome, second.code) == ("accepted", "250")
    assert (first.number, second.number) == (1, 2)


def test_the_pauses_between_tries_grow(cast, issue, make, run_jobs, smtp_server, deliveries, session):
    smtp_server.answer = lambda mail: "451 4.3.2 Come back later"
    delivery = make.delivery(make.notice(issue, planned_at=make.now), cast.bob)
    pauses = []
    later = timedelta()
    delivery.created_at = delivery.send_at = now()
    for _ in range(6):
        run_jobs.sweep(after=later)
        [delivery] = deliveries()
        tried = session.scalars(select(Attempt.at).order_by(Attempt.number.desc())).first()
        pauses.append(round((delivery.send_at - tried).total_seconds() / 60))
        later += delivery.send_at - tried + timedelta(seconds=1)
    assert pauses == [1, 5, 15, 60, 60, 60]


def test_after_a_day_it_is_given_up(cast, issue, make, run_jobs, smtp_server, deliveries):
    smtp_server.answer = lambda mail: "451 4.3.2 Come back later"
    make.delivery(make.notice(issue, planned_at=make.now), cast.bob)  # made days ago
    run_jobs.sweep()
    [delivery] = deliveries()
    assert delivery.state == "expired"
    assert run_jobs.sweep(after=TEN) == {"planned": 0, "sent": 0}


@pytest.mark.usefixtures("at_once")
def test_a_server_that_refuses_every_tenth_delays_only_those(
    cast, report, run_jobs, smtp_server, deliveries, mailbox
):
    smtp_server.refuse_every(10, "451 4.7.0 Too many")
    for number in range(10):
        report(f"Error{number}: cart")
    run_jobs()
    assert len(mailbox()) == 27
    assert sorted({delivery.state for delivery in deliveries()}) == ["accepted", "deferred"]
    smtp_server.answer = lambda mail: None
    run_jobs.sweep(after=TEN)
    assert len({mail["Message-ID"] for mail in mailbox()}) == len(mailbox()) == 30


def test_an_address_that_does_not_exist_is_not_tried_again(
    cast, report, run_jobs, smtp_server, deliveries, told
):
    smtp_server.answer = lambda mail: "550 5.1.1 No such user" if mail.to == cast.bob.email else None
    report()
    run_jobs()
    run_jobs.sweep(after=TEN)
    states = {delivery.address: delivery.state for delivery in deliveries()}
    assert states == {
        "alice@example.org": "accepted",
        "bob@example.org": "failed",
        "cy@example.org": "accepted",
    }
    assert [mail.to for mail in smtp_server.refused] == ["bob@example.org"]


def test_a_refusal_that_blames_the_sender_is_tried_again(cast, report, run_jobs, smtp_server, told):
    smtp_server.answer = lambda mail: "550 5.7.26 Unauthenticated sender"
    report()
    run_jobs()
    smtp_server.answer = lambda mail: None
    run_jobs.sweep(after=TEN)
    assert told("alert.new") == ["alice", "bob", "cy"]


@pytest.mark.usefixtures("at_once")
def test_a_slow_server_is_given_several_messages_at_once(cast, report, run_jobs, smtp_server, mailbox):
    smtp_server.delay = 0.1
    for number in range(4):
        report(f"Error{number}: cart")
    run_jobs()
    assert len(mailbox()) == 12
    assert smtp_server.most_at_once > 1


@pytest.mark.usefixtures("at_once")
def test_a_server_that_hangs_up_between_messages_loses_none(cast, report, run_jobs, smtp_server, told):
    report("KeyError: cart")
    run_jobs()
    with smtp_server.down():
        pass  # the connections that are kept are dead now
    report("ValueError: price")
    run_jobs()
    assert told("alert.new") == ["alice", "alice", "bob", "bob", "cy", "cy"]


def test_what_nobody_should_hear_any_more_is_not_sent_late(
    cast, report, run_jobs, acts, smtp_server, session, told
):
    report()
    with smtp_server.down():
        run_jobs()
    acts.unsubscribe(
        session.get(Delivery, session.scalar(select(Delivery.id))).verdict.notice.issue, by=cast.bob
    )
    run_jobs.sweep(after=TEN)
    assert told("alert.new") == ["alice", "cy"]


def test_an_alert_about_an_issue_that_was_settled_meanwhile_is_not_sent_late(
    cast, report, run_jobs, acts, smtp_server, session, told
):
    report()
    with smtp_server.down():
        run_jobs()
    acts.resolve(session.query(Issue).one(), by=cast.alice)
    run_jobs()
    assert told("resolved") == ["bob", "cy"]
    run_jobs.sweep(after=TEN)
    assert told() == []


def test_without_a_server_mail_is_kept_as_files(cast, make, app_with, data_dir, session):
    app = app_with(MAIL_SERVER="")
    session.app = app
    issue = make.issue(cast.shop, events=1)
    delivery = make.delivery(make.notice(issue, planned_at=make.now), cast.bob)
    session.commit()
    with app.app_context():
        deliver.run(delivery.id)
    session.commit()
    assert delivery.state == "accepted"
    kept = data_dir / "mail" / f"{delivery.id:010d}.eml"
    assert b"bob@example.org" in kept.read_bytes()


def test_a_relay_that_takes_its_time_is_left_before_the_claim_ends(
    cast, report, run_jobs, smtp_server, mailbox, monkeypatch
):
    """What was not begun in time is due again; nobody gets it twice."""
    monkeypatch.setattr(delivering, "BEGIN_WITHIN", timedelta(seconds=0.2))
    monkeypatch.setattr(email, "CONNECTIONS", 1)
    smtp_server.delay = 0.15
    report()
    run_jobs()
    run_jobs.sweep(after=TEN)
    assert sorted(mail.to for mail in mailbox()) == [
        "alice@example.org",
        "bob@example.org",
        "cy@example.org",
    ]


def test_the_last_message_of_a_claim_has_time_for_every_exchange_with_the_relay():
    exchanges = 6
    longest = delivering.BEGIN_WITHIN.total_seconds() + exchanges * email.TIMEOUT_SECONDS
    assert longest < delivering.CLAIM.total_seconds()


@pytest.mark.parametrize("address", ["\u00fcml\u00e4ut@example.org", "bob@ex\u00e4mple.org"])
def test_an_address_that_smtp_cannot_carry_fails_at_once(
    cast, issue, make, run_jobs, smtp_server, deliveries, address
):
    notice = make.notice(issue, planned_at=make.now)
    odd = make.delivery(notice, cast.bob, address=address)
    make.delivery(notice, cast.cy)
    odd.created_at = odd.send_at = now()
    run_jobs.sweep()
    assert [each.state for each in deliveries()] == ["failed", "accepted"]
