"""An error arrives, and every member of the project gets one mail that says why."""

import pytest

from app.models import Activity, AlertRule, Issue, Notice, Verdict


def test_every_member_of_the_project_gets_one_mail(cast, report, run_jobs, told):
    report()
    run_jobs()
    assert told("alert.new") == ["alice", "bob", "cy"]


def test_the_issue_is_new_and_nothing_has_happened_to_it_yet(cast, report, run_jobs, session):
    report()
    run_jobs()
    issue = session.query(Issue).one()
    assert (issue.short_id, issue.status, issue.title) == ("SHOP-1", "unresolved", "KeyError: cart")
    assert session.query(Activity).count() == 0


def test_the_same_error_again_tells_nobody(cast, report, run_jobs, told, session):
    report()
    run_jobs()
    told()
    report()
    run_jobs()
    assert told() == []
    assert session.query(Issue).one().times_seen == 2


@pytest.mark.usefixtures("at_once")
def test_two_errors_at_once_are_two_mails_each(cast, report, run_jobs, told):
    report("KeyError: cart")
    report("ValueError: price")
    run_jobs()
    assert told("alert.new") == ["alice", "alice", "bob", "bob", "cy", "cy"]


def test_the_mail_says_why_and_leads_to_the_switch(cast, bob, report, run_jobs, mailbox):
    report()
    run_jobs()
    [mail] = mailbox(to=bob)
    why = "You're getting this because no owner rule matched, so all 3 members of Shop were told."
    switch = "https://tocsin.example.org/settings/account/notifications/alerts/?at=shop#p-shop"
    for part in (mail.text, mail.html):
        flat = " ".join(part.split())
        assert why in flat
        assert switch in flat
        assert "KeyError: cart" in flat


def test_the_mail_shows_where_the_code_failed(cast, bob, report, run_jobs, mailbox):
    report()
    run_jobs()
    [mail] = mailbox(to=bob)
    assert "shop/cart.py:42" in mail.text
    assert 'total = session["cart"].total' in mail.text


def test_every_member_has_a_verdict_and_nobody_else(cast, report, run_jobs, session):
    report()
    run_jobs()
    verdicts = session.query(Verdict).all()
    assert sorted(verdict.subject_id for verdict in verdicts) == [cast.alice.id, cast.bob.id, cast.cy.id]
    assert {(verdict.outcome, verdict.code) for verdict in verdicts} == {("send", "send")}


def test_whoever_turned_alerts_off_hears_nothing_and_the_reason_is_kept(
    cast, make, report, run_jobs, told, session
):
    make.choice(cast.bob, "alerts", "off")
    report()
    run_jobs()
    assert told() == ["alice", "cy"]
    verdict = session.query(Verdict).filter_by(subject_id=cast.bob.id).one()
    assert (verdict.outcome, verdict.code, verdict.params["scope"]) == ("skip", "alerts_off", "account")


def test_alerts_that_are_on_for_one_project_ring_there_alone(cast, make, report, run_jobs, told):
    other = make.project(cast.acme, "billing", teams=[cast.team])
    make.choice(cast.bob, "alerts", "off")
    make.choice(cast.bob, "alerts", "on", project=cast.shop)
    report(project=cast.shop)
    report(project=other)
    run_jobs()
    assert told() == ["alice", "alice", "bob", "cy", "cy"]


def test_an_unverified_address_gets_nothing(cast, make, report, run_jobs, told, session):
    cast.cy.addresses[0].verified_at = None
    report()
    run_jobs()
    assert told() == ["alice", "bob"]
    assert session.query(Verdict).filter_by(subject_id=cast.cy.id).one().code == "address_unverified"


def test_an_account_that_is_switched_off_gets_nothing(cast, report, run_jobs, told):
    cast.cy.is_active = False
    report()
    run_jobs()
    assert told() == ["alice", "bob"]


def test_an_ignored_issue_stays_silent(cast, make, report, run_jobs, told, session):
    make.issue(cast.shop, status="ignored", events=1)
    report()
    run_jobs()
    assert told() == []
    assert session.query(Notice).count() == 0


def test_an_issue_that_was_ignored_before_anybody_was_told_stays_silent(
    cast, acts, report, run_jobs, told, session
):
    report()
    run_jobs.digest()
    acts.ignore(session.query(Issue).one(), by=cast.alice)
    run_jobs()
    assert told() == []
    assert session.query(Notice).filter_by(kind="alert.new").one().gate_code == "issue_ignored"


def test_without_a_rule_nobody_is_told(cast, report, run_jobs, told, session):
    session.query(AlertRule).delete()
    report()
    run_jobs()
    assert told() == []


HOSTILE = {
    "a NUL and other controls": "Bang: \x00\x1b[31m\x07 \ud83d bang",
    "very long": "ValueError: " + "x" * 10_000,
    "right to left": "خطأ: \u202eمرحبا בעולם",
    "a header": "Broken: \r\nBcc: everyone@example.com",
    "markup": 'Oops: </style><script>alert(1)</script><b hx-get="/x">',
}


@pytest.mark.parametrize("title", HOSTILE.values(), ids=HOSTILE)
def test_whatever_an_error_says_its_mail_arrives_and_its_page_opens(
    title, cast, report, run_jobs, told, as_user, session
):
    report(title)
    run_jobs()
    assert told("alert.new") == ["alice", "bob", "cy"]
    issue = session.query(Issue).one()
    as_user(cast.bob).page(f"/acme/shop/issues/{issue.id}/")
    as_user(cast.bob).page("/acme/shop/")


def test_people_of_other_projects_and_organizations_get_nothing(cast, report, run_jobs, mailbox):
    report()
    report("ValueError: price")
    run_jobs()
    assert mailbox(to=cast.dee) == []
    assert mailbox(to=cast.charlie) == []
