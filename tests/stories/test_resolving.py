"""Issues are resolved, come back, are ignored and reopened; those who follow them hear of it."""

from sqlalchemy import select

from app.models import Activity, Notice, Subscription


def types(session, issue):
    return list(
        session.scalars(select(Activity.type).where(Activity.issue_id == issue.id).order_by(Activity.id))
    )


def test_everybody_hears_of_it_but_whoever_resolved(issue, cast, acts, run_jobs, told, session):
    acts.resolve(issue, by=cast.alice)
    run_jobs()
    assert issue.status == "resolved"
    assert types(session, issue) == ["set_resolved"]
    assert told("resolved") == ["bob", "cy"]


def test_whoever_resolves_is_subscribed(issue, cast, acts, session):
    acts.resolve(issue, by=cast.alice)
    [row] = session.query(Subscription).all()
    assert (row.user_id, row.state, row.reasons) == (cast.alice.id, "subscribed", ["participated"])


def test_resolving_again_changes_nothing(issue, cast, acts, run_jobs, told, session):
    acts.resolve(issue, by=cast.alice)
    run_jobs()
    told()
    acts.resolve(issue, by=cast.alice)
    run_jobs()
    assert types(session, issue) == ["set_resolved"]
    assert told() == []


def test_the_mail_says_who_resolved_it(issue, cast, acts, run_jobs, mailbox):
    acts.resolve(issue, by=cast.alice)
    run_jobs()
    [mail] = mailbox(to=cast.bob)
    assert "Alice via Tocsin" in mail["From"]
    assert "Alice resolved this" in mail.text


def test_an_error_that_comes_back_reopens_and_tells_everybody_once(
    cast, make, report, run_jobs, told, session
):
    issue = make.issue(cast.shop, status="resolved", events=1)
    report()
    run_jobs()
    assert issue.status == "unresolved"
    assert types(session, issue) == ["set_regression"]
    assert told("regression") == ["alice", "bob", "cy"]


def test_the_mail_of_a_regression_names_the_event_that_came_back(cast, make, report, run_jobs, mailbox):
    make.issue(cast.shop, status="resolved", events=3)
    event_id = report()
    run_jobs()
    [mail] = mailbox(to=cast.bob)
    assert mail["X-Tocsin-Event"] == event_id


def test_a_regression_names_every_rule_whose_alert_it_carries(cast, make, report, run_jobs, mailbox):
    for name in ("Comes back", "Errors in the cart"):
        make.rule(cast.shop, name, conditions=[{"id": "regression"}])
    make.choice(cast.cy, "alerts", "off", project=cast.shop)
    make.issue(cast.shop, status="resolved", events=3)
    report()
    run_jobs()
    [mail] = mailbox(to=cast.bob)
    assert mail["X-Tocsin-Kind"] == "regression"
    for part in (mail.text, mail.html):
        flat = " ".join(part.split())
        assert "the alert rules “Comes back” and “Errors in the cart” fired: no owner rule matched" in flat
        assert "/settings/account/notifications/alerts/?at=shop#p-shop" in flat
    assert "Rules: Comes back and Errors in the cart" in mail.text
    [other] = mailbox(to=cast.cy)
    assert other["X-Tocsin-Kind"] == "regression"
    assert "Comes back" not in other.text


def test_an_alert_names_every_rule_that_told_its_reader(cast, make, report, run_jobs, mailbox):
    make.rule(cast.shop, "Errors in the cart")
    report()
    run_jobs()
    [mail] = mailbox(to=cast.bob)
    assert "Rules: Tell issue owners about new issues and Errors in the cart" in mail.text


def test_two_errors_of_one_resolved_issue_regress_it_once(cast, make, report, run_jobs, told, session):
    issue = make.issue(cast.shop, status="resolved", events=1)
    report()
    report()
    run_jobs()
    assert types(session, issue) == ["set_regression"]
    assert told() == ["alice", "bob", "cy"]


def test_ignoring_is_written_down_and_mailed_to_nobody(issue, cast, acts, run_jobs, told, session):
    acts.ignore(issue, by=cast.bob)
    run_jobs()
    assert issue.status == "ignored"
    assert types(session, issue) == ["set_ignored"]
    assert told() == []
    assert session.query(Notice).count() == 0


def test_reopening_by_hand_tells_the_others(cast, make, acts, run_jobs, told, session):
    issue = make.issue(cast.shop, status="ignored")
    acts.reopen(issue, by=cast.cy)
    run_jobs()
    assert issue.status == "unresolved"
    assert types(session, issue) == ["set_unresolved"]
    assert told("reopened") == ["alice", "bob"]


def test_an_ignored_issue_that_is_resolved_is_told_all_the_same(cast, make, acts, run_jobs, told):
    issue = make.issue(cast.shop, status="ignored")
    acts.resolve(issue, by=cast.alice)
    run_jobs()
    assert told("resolved") == ["bob", "cy"]


def test_own_activity_is_mailed_to_those_who_ask_for_it(issue, cast, make, acts, run_jobs, told):
    make.choice(cast.alice, "own_activity", "on")
    acts.resolve(issue, by=cast.alice)
    run_jobs()
    assert told("resolved") == ["alice", "bob", "cy"]
