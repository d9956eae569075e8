"""While a project is paused rules fire and nothing is told; afterwards everybody gets what still matters."""

import json
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from app.clock import now
from app.domain.pauses import Window
from app.jobs import calm
from app.models import Delivery, Digest, Issue, Notice, Pause, RuleFiring, Verdict
from app.services.calm import maintaining

pytestmark = [pytest.mark.usefixtures("at_once")]

HOUR = timedelta(hours=1)
OVER = timedelta(hours=1, minutes=1)


@pytest.fixture
def paused(shop, cast, session):
    """Shop is paused for an hour from now; `paused(scope="all")`."""

    def begin(length=HOUR, **columns):
        at = now()
        window = Window(at, at + length, **columns)
        row = maintaining.create(
            session, shop, window, reason="Database upgrade", by=cast.alice, now=at, via="web"
        )
        session.commit()
        return row

    return begin


def sent(received):
    return json.loads(received.body)


def codes(session):
    session.commit()
    found = select(Verdict.outcome, Verdict.code).where(Verdict.subject == "user").order_by(Verdict.id)
    return {tuple(row) for row in session.execute(found)}


def test_a_firing_is_recorded_and_one_digest_comes_after_the_window(
    paused, report, run_jobs, told, mailbox, cast, session
):
    paused()
    for number in range(3):
        report(f"Error{number}: cart")
    run_jobs()
    assert told() == []
    assert len(session.scalars(select(RuleFiring)).all()) == 3
    assert codes(session) == {("defer", "project_paused")}
    run_jobs.sweep(after=OVER)
    assert told("digest") == ["alice", "bob", "cy"]
    mail = mailbox(to=cast.bob)[-1]
    assert "3 issues in Shop during maintenance" in mail.subject
    assert "Database upgrade" in mail.text
    assert all(f"Error{number}: cart" in mail.text for number in range(3))
    run_jobs.sweep(after=OVER)
    assert told() == []


def test_what_was_settled_meanwhile_is_left_out_and_one_left_is_a_normal_mail(
    paused, report, run_jobs, told, mailbox, cast, acts, session
):
    paused()
    for number in range(3):
        report(f"Error{number}: cart")
    run_jobs()
    first, second, _ = session.scalars(select(Issue).order_by(Issue.id)).all()
    acts.ignore(first, by=cast.alice)
    acts.resolve(second, by=cast.alice)
    run_jobs()
    told()
    run_jobs.sweep(after=OVER)
    assert told("alert.new") == ["alice", "bob", "cy"]
    assert "Error2" in mailbox(to=cast.cy)[-1].subject


def test_nothing_left_is_nothing_sent(paused, report, run_jobs, told, acts, cast, session):
    paused()
    report()
    run_jobs()
    acts.resolve(session.scalars(select(Issue)).one(), by=cast.alice)
    run_jobs()
    told()
    run_jobs.sweep(after=OVER)
    assert told() == []
    assert session.scalars(select(Digest.closed_at)).all() != [None]


def test_workflow_goes_on_unless_everything_is_paused(paused, make, shop, acts, cast, run_jobs, told):
    issue = make.issue(shop, events=1)
    row = paused()
    acts.comment(issue, "Known: the database moves", by=cast.alice)
    run_jobs()
    assert told("comment") == ["bob", "cy"]
    row.scope = "all"
    acts.comment(issue, "It moved", by=cast.alice)
    run_jobs()
    assert told() == []
    run_jobs.sweep(after=OVER)
    assert told("comment") == ["bob", "cy"]


def test_a_regression_waits_and_is_dropped_once_it_is_resolved_again(
    paused, make, shop, report, run_jobs, told, acts, cast, session
):
    report()
    run_jobs()
    issue = session.scalars(select(Issue)).one()
    acts.resolve(issue, by=cast.alice)
    run_jobs()
    paused()
    told()
    report()
    run_jobs()
    assert told() == []
    assert ("defer", "project_paused") in codes(session)
    acts.resolve(issue, by=cast.alice)
    run_jobs()
    told()
    run_jobs.sweep(after=OVER)
    assert told() == []


def test_fatal_waits_too_and_wakes_nobody(paused, report, run_jobs, told):
    paused()
    report(level="fatal")
    run_jobs()
    assert told() == []
    run_jobs.sweep(after=OVER)
    assert told("alert.new") == ["alice", "bob", "cy"]


def test_another_environment_is_told_at_once_and_each_when_its_own_is_over(
    paused, make, shop, report, run_jobs, told, session
):
    for name in ("staging", "production"):
        make.environment(shop, name)
    paused(3 * HOUR, environment="staging")
    paused(HOUR, environment="production")
    report("Error1: cart", environment="staging")
    report("Error2: cart", environment="production")
    report("Error3: cart", environment="test")
    run_jobs()
    assert told("alert.new") == ["alice", "bob", "cy"]
    run_jobs.sweep(after=OVER)
    assert told("alert.new") == ["alice", "bob", "cy"]
    run_jobs.sweep(after=2 * HOUR)
    assert told() == []
    run_jobs.sweep(after=3 * HOUR + timedelta(minutes=1))
    assert told("alert.new") == ["alice", "bob", "cy"]


def test_ended_early_it_goes_out_at_once(paused, report, run_jobs, told, as_user, cast, session):
    row = paused()
    report()
    run_jobs()
    as_user(cast.alice).post(f"/acme/shop/settings/alerts/pauses/{row.id}/end")
    run_jobs.sweep()
    assert told("alert.new") == ["alice", "bob", "cy"]


def test_quiet_hours_hold_on_what_the_maintenance_let_go(paused, make, report, run_jobs, told, cast):
    paused()
    make.quiet_now(cast.bob)
    report()
    run_jobs()
    run_jobs.sweep(after=OVER)
    assert told("alert.new") == ["alice", "cy"]
    run_jobs.sweep(after=3 * HOUR)
    assert told("alert.new") == ["bob"]


def test_explain_says_until_when_and_why(paused, report, run_jobs, as_user, cast, session):
    paused()
    report()
    run_jobs()
    notice = session.scalars(select(Notice)).one()
    page = as_user(cast.bob).page(f"/notices/{notice.public_id}/").get_text(" ")
    assert "maintenance (Database upgrade)" in page
    assert "held" in page


def test_an_integration_gets_one_summary_of_what_is_left(
    paused, make, hook, receiver, report, run_jobs, acts, cast, session
):
    make.rule_to(hook)
    paused()
    for number in range(3):
        report(f"Error{number}: cart")
    run_jobs()
    assert receiver.taken == []
    acts.resolve(session.scalars(select(Issue).order_by(Issue.id)).first(), by=cast.alice)
    run_jobs()
    run_jobs.sweep(after=OVER)
    run_jobs.sweep(after=OVER)
    [body] = [sent(each) for each in receiver.taken if sent(each)["type"] == "digest"]
    assert body["data"]["text"] == "After maintenance of Shop: 2 unresolved issues"
    assert len(body["data"]["issues"]) == 2
    session.expire_all()
    found = select(Verdict.outcome, Verdict.code).join(Verdict.notice).where(Verdict.subject == "destination")
    outcomes = sorted(tuple(row) for row in session.execute(found.where(Notice.kind != "resolved")))
    assert outcomes == [
        ("collapse", "project_paused"),
        ("collapse", "project_paused"),
        ("send", "send"),
        ("skip", "no_longer_open"),
    ]


def test_one_that_wants_no_summaries_is_not_told(paused, make, hook, receiver, report, run_jobs, session):
    make.rule_to(hook)
    hook.kinds = ["new", "regression", "again"]
    paused()
    report()
    run_jobs()
    run_jobs.sweep(after=OVER)
    assert receiver.taken == []
    assert session.scalars(select(Delivery.id).where(Delivery.destination_id == hook.id)).all() == []


def test_windows_that_are_over_are_forgotten_in_time(paused, app, session):
    paused(timedelta(seconds=1))
    paused(HOUR, weekly=True)
    for later, left in ((timedelta(hours=2), 2), (timedelta(days=2), 1)):
        with app.app_context():
            calm.forget_maintenance(now() + later)
        session.commit()
        assert session.scalar(select(func.count(Pause.id))) == left


def test_an_alert_speaks_for_its_issue_and_the_fatal_one_comes_first(
    paused, report, run_jobs, mailbox, acts, cast, session
):
    paused(scope="all")
    report("KeyError: cart")
    report("SystemError: disk", level="fatal")
    run_jobs()
    fatal = session.scalars(select(Issue).where(Issue.level == "fatal")).one()
    acts.assign(fatal, to=cast.bob, by=cast.alice)
    run_jobs()
    run_jobs.sweep(after=OVER)
    text = mailbox(to=cast.bob)[-1].text
    assert text.index("SystemError: disk") < text.index("KeyError: cart")
    assert "ASSIGNED" not in text.upper().replace("ASSIGNED TO", "")
    assert "Assigned to you by Alice." in text


def test_it_speaks_of_the_time_of_the_pause_and_not_of_what_waited_before(
    paused, shop, report, run_jobs, mailbox, cast
):
    shop.digest_minimum = shop.digest_maximum = 5
    nine = datetime(2026, 11, 23, 9, tzinfo=UTC)
    with time_machine.travel(nine, tick=False):
        report("Error0: cart")
        report("Error1: cart")
        run_jobs()
    with time_machine.travel(nine + timedelta(minutes=3), tick=False):
        paused()
        report("Error2: cart")
        run_jobs()
    with time_machine.travel(nine + timedelta(minutes=6), tick=False):
        run_jobs.sweep()
    with time_machine.travel(nine + timedelta(minutes=64), tick=False):
        run_jobs.sweep()
    mail = mailbox(to=cast.bob)[-1]
    assert mail.subject == "1 issue in Shop during maintenance · 09:03 to 10:04"
    apart = mail.text.index("From before it, held for you already then")
    assert mail.text.index("Error2: cart") < apart < mail.text.index("Error1: cart")
