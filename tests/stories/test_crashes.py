"""Processes are killed and Redis forgets: no message is lost, and none is sent twice that can be known."""

from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.jobs import deliver, notify
from app.models import Delivery, Event, Issue, Notice
from tests.support.processes import Process, eventually
from tests.support.threads import at_once

pytestmark = pytest.mark.both_databases

EVERYBODY = ["alice", "bob", "cy"]
ONCE_CLAIMS_ARE_OVER = timedelta(minutes=3)


@pytest.fixture
def worker(environment):
    return lambda role: Process("worker.py", role, environment=environment)


@pytest.fixture
def states(session):
    """How many deliveries are in which state, as others see them now."""

    def look():
        session.commit()
        counted = select(Delivery.state, func.count()).group_by(Delivery.state)
        return {state: count for state, count in session.execute(counted)}

    return look


def test_a_worker_killed_between_claim_and_send_loses_nothing(
    cast, report, run_jobs, smtp_server, worker, states, told
):
    report()
    run_jobs.digest()
    with smtp_server.holding("door"), worker("jobs") as process:
        eventually(lambda: states() == {"sending": 3})
        process.kill()
    assert told() == []
    assert run_jobs.sweep() == {"planned": 0, "sent": 0}
    run_jobs.sweep(after=ONCE_CLAIMS_ARE_OVER)
    assert told("alert.new") == EVERYBODY
    assert states() == {"accepted": 3}


def test_a_worker_killed_between_send_and_record_repeats_the_message_under_its_name(
    cast, report, run_jobs, smtp_server, worker, states, mailbox
):
    report()
    run_jobs.digest()
    with smtp_server.holding("answer"), worker("jobs") as process:
        eventually(lambda: len(mailbox()) == 3)
        process.kill()
    assert states() == {"sending": 3}
    run_jobs.sweep(after=ONCE_CLAIMS_ARE_OVER)
    assert states() == {"accepted": 3}
    # Whether the relay had taken them could not be known; one name lets mail programs show one message.
    assert set(Counter(mail["Message-ID"] for mail in mailbox()).values()) == {2}


@pytest.mark.usefixtures("at_once")
def test_what_was_recorded_before_the_kill_is_not_sent_again(
    cast, report, run_jobs, smtp_server, worker, states, session, mailbox
):
    for number in range(6):
        report(f"Error{number}: cart")
    run_jobs.digest()
    smtp_server.delay = 0.05
    with worker("jobs") as process:
        eventually(lambda: states().get("accepted", 0) >= 4)
        process.kill()
    smtp_server.delay = 0
    session.commit()
    recorded = session.scalars(select(Delivery.public_id).where(Delivery.state == "accepted")).all()
    run_jobs.sweep(after=ONCE_CLAIMS_ARE_OVER)
    run_jobs.sweep(after=ONCE_CLAIMS_ARE_OVER)
    assert states() == {"accepted": 18}
    sent = Counter(mail["Message-ID"] for mail in mailbox())
    assert len(sent) == 18
    assert {sent[f"<{name}@example.org>"] for name in recorded} == {1}


@pytest.mark.usefixtures("at_once")
def test_a_digester_killed_at_work_counts_every_event_once(cast, report, run_jobs, worker, session, told):
    for number in range(40):
        report(f"Error{number % 20}: cart")

    def digested():
        session.commit()
        return session.scalar(select(func.count()).select_from(Event))

    with worker("digest") as process:
        eventually(digested)
        process.kill()
    run_jobs.redis.delete("tocsin:lease:digest")
    run_jobs()
    run_jobs.sweep()
    assert session.scalars(select(Issue.times_seen)).all() == [2] * 20
    assert Counter(told("alert.new")) == dict.fromkeys(EVERYBODY, 20)


def test_redis_emptied_between_commit_and_work_loses_no_notice(cast, report, run_jobs, redis_server, told):
    report()
    run_jobs.digest()
    redis_server.empty()
    run_jobs()
    assert told() == []
    run_jobs.sweep()
    assert told("alert.new") == EVERYBODY


def test_redis_emptied_between_planning_and_sending_loses_no_message(
    cast, report, run_jobs, redis_server, app, session, told
):
    report()
    run_jobs.digest()
    with app.app_context():
        notify.run(*session.scalars(select(Notice.id)))
    redis_server.empty()
    run_jobs()
    assert told() == []
    run_jobs.sweep()
    assert told("alert.new") == EVERYBODY


def test_a_change_is_kept_and_told_though_redis_is_away(issue, cast, acts, run_jobs, redis_server, told):
    redis_server.stop()
    try:
        acts.resolve(issue, by=cast.alice)
    finally:
        redis_server.start()
    run_jobs()
    assert told() == []
    run_jobs.sweep()
    assert told("resolved") == ["bob", "cy"]
    assert issue.status == "resolved"


def test_every_job_can_run_twice(cast, report, run_jobs, app, session, told):
    report()
    run_jobs.digest()
    notices = session.scalars(select(Notice.id)).all()
    with app.app_context():
        notify.run(*notices)
        notify.run(*notices)
        deliveries = session.scalars(select(Delivery.id)).all()
        deliver.run(*deliveries)
        deliver.run(*deliveries)
    run_jobs()
    run_jobs.sweep()
    assert told("alert.new") == EVERYBODY


@pytest.mark.usefixtures("at_once")
def test_jobs_that_run_at_the_same_time_send_once(cast, report, run_jobs, app, session, told):
    for number in range(5):
        report(f"Error{number}: cart")
    run_jobs.digest()
    notices = session.scalars(select(Notice.id)).all()
    session.commit()
    at_once(app, notify.run, notices)
    deliveries = session.scalars(select(Delivery.id)).all()
    session.commit()
    at_once(app, deliver.run, deliveries)
    run_jobs()
    assert Counter(told("alert.new")) == dict.fromkeys(EVERYBODY, 5)


def test_a_sweep_finds_a_notice_that_nobody_rang_for(
    issue, cast, acts, run_jobs, redis_server, session, told
):
    acts.resolve(issue, by=cast.alice)
    redis_server.empty()
    assert run_jobs.sweep() == {"planned": 1, "sent": 2}
    assert run_jobs.sweep() == {"planned": 0, "sent": 0}
    assert told("resolved") == ["bob", "cy"]


def test_a_notice_that_nobody_is_left_to_hear_is_planned_all_the_same(
    issue, cast, acts, run_jobs, session, told
):
    cast.bob.is_active = cast.cy.is_active = False
    acts.resolve(issue, by=cast.alice)
    run_jobs()
    assert told() == []
    assert session.query(Notice).one().planned_at is not None
