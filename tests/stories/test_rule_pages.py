"""What a rule’s page promises, from a press of a button to the mailbox, from an event to the history."""

import json

import pytest
from bs4 import BeautifulSoup

from app.models import AlertRule, Issue, RuleFiring
from app.services.rules import ruling
from tests.support.receiver import answer

ALERTS = "/acme/shop/settings/alerts/"


@pytest.fixture
def rule(session, cast):
    [rule] = ruling.of_project(session, cast.shop)
    return rule


@pytest.fixture
def press(as_user, cast, rule, run_jobs):
    """Alice presses the button of a test, and it is worked off."""

    def pressed(**data):
        made = as_user(cast.alice).post(f"{ALERTS}{rule.id}/test", data=data)
        run_jobs()
        return made.location

    return pressed


def test_a_test_shows_the_newest_event_to_whoever_asked_alone(
    cast, report, run_jobs, press, mailbox, session
):
    report("KeyError: cart")
    run_jobs()
    before = len(mailbox())
    fired = session.query(RuleFiring).count()
    press()
    [mail] = mailbox()[before:]
    assert mail.to == cast.alice.email
    assert mail.subject == "Test: SHOP-1 - KeyError: cart"
    for part in (mail.text, mail.html):
        flat = " ".join(part.split())
        assert "This is a test of the alert rule “Tell issue owners about new issues”." in flat
        assert "shop/cart.py:42" in flat
        assert "you asked for a test" in flat
        assert "nsubscribe" not in flat
    assert "List-Unsubscribe" not in mail.message
    assert (mail["X-Tocsin-Kind"], mail["X-Tocsin-Reason"]) == ("test", "test")
    assert session.query(RuleFiring).count() == fired


def test_a_test_before_the_first_event_shows_a_made_up_issue(cast, press, mailbox):
    press()
    [mail] = mailbox()
    assert mail.subject.startswith("Test: ")
    assert "so the issue is made up" in " ".join(mail.text.split())
    assert "/u/" not in mail.text


def test_a_guarded_project_says_no_more_in_a_test(cast, report, run_jobs, press, mailbox):
    cast.shop.mail_detail = "link"
    report("KeyError: secret")
    run_jobs()
    press()
    mail = mailbox(to=cast.alice)[-1]
    assert mail.subject == "Test: SHOP-1"
    assert "secret" not in mail.text + mail.html


def test_a_test_has_a_page_that_shows_what_became_of_it(as_user, cast, issue, press):
    page = BeautifulSoup(as_user(cast.alice).get(press()).text, "html.parser")
    assert "Alice" in page.text
    assert "accepted" in page.text


def test_whoever_else_finds_a_test_reads_whose_it_was(as_user, cast, issue, hook, press):
    sentence = (
        "Alice asked for a test of the alert rule “Tell issue owners about new issues”. It went to them"
    )
    for address, whom in ((press(), ""), (press(destination=str(hook.id)), " and to “Ops hook”")):
        page = BeautifulSoup(as_user(cast.bob).get(address).text, "html.parser")
        assert page.h1.text == "Test of the alert rule “Tell issue owners about new issues”"
        assert f"{sentence}{whom} alone, and is no firing." in " ".join(page.text.split())
        assert "You asked" not in page.text


def test_a_test_goes_to_an_integration_on_request(cast, hook, press, receiver, mailbox):
    press()
    assert receiver.taken == []
    press(destination=str(hook.id))
    [request] = receiver.taken
    assert json.loads(request.body)["type"] == "webhook.test"
    assert len(mailbox()) == 2


def test_a_test_leaves_the_issue_and_its_thread_as_they_were(cast, make, press, mailbox, session):
    issue = make.issue(cast.shop, events=1)
    press()
    session.refresh(issue)
    assert issue.mail_subject is None
    assert session.query(Issue).count() == 1
    assert session.query(AlertRule).count() == 2


def test_the_mail_of_a_rule_goes_out_though_its_webhook_fails_and_history_shows_that(
    cast, make, hook, report, run_jobs, receiver, mailbox, as_user
):
    cast.shop.digest_minimum = cast.shop.digest_maximum = 0
    make.rule_to(hook, mail=True, name="Mail and hook")
    receiver.script(answer(410))
    report("KeyError: cart")
    run_jobs()
    assert {mail.to for mail in mailbox()} >= {cast.alice.email, cast.bob.email, cast.cy.email}
    page = BeautifulSoup(as_user(cast.alice).get(ALERTS).text, "html.parser")
    link = next(each for each in page.select("main a") if each.text == "Mail and hook")
    history = BeautifulSoup(as_user(cast.alice).get(link["href"]).text, "html.parser").select(
        "#history tbody tr"
    )
    assert len(history) == 1
    assert "failed" in history[0].text


def test_a_rule_muted_for_everyone_is_silent_until_it_is_not(as_user, cast, rule, report, run_jobs, told):
    alices = as_user(cast.alice)
    alices.post(f"{ALERTS}{rule.id}/mute", data={"for": "everyone", "length": "60"})
    report("KeyError: cart")
    run_jobs()
    assert told() == []
    alices.post(f"{ALERTS}{rule.id}/mute", data={"for": "everyone", "unmute": "1"})
    report("ValueError: price")
    run_jobs()
    assert told("alert.new") == ["alice", "bob", "cy"]


def test_a_rule_muted_by_one_person_rings_for_the_others(as_user, cast, rule, report, run_jobs, told):
    as_user(cast.bob).post(f"{ALERTS}{rule.id}/mute", data={"for": "me", "length": "60"})
    report("KeyError: cart")
    run_jobs()
    assert told("alert.new") == ["alice", "cy"]


def test_a_rule_made_on_the_page_rings_for_whom_it_names(
    as_user, cast, rule, report, run_jobs, told, mailbox
):
    alices = as_user(cast.alice)
    alices.post(f"{ALERTS}{rule.id}/switch", data={"active": "no"})
    form = {
        "name": "To Cy",
        "actionMatch": "all",
        "filterMatch": "all",
        "frequency": "30",
        "conditions-0-id": "first_seen",
        "filters-0-id": "attribute",
        "filters-0-attribute": "exception.type",
        "filters-0-match": "eq",
        "filters-0-value": "keyerror",
        "actions-0-id": "mail",
        "actions-0-target": f"member:{cast.cy.id}",
    }
    assert alices.post(f"{ALERTS}new/", data=form).status_code == 303
    report("KeyError: cart")
    report("ValueError: price")
    run_jobs()
    assert told("alert.new") == ["cy"]
    [mail] = mailbox(to=cast.cy)
    link = next(part for part in mail.text.split() if part.endswith("/mute-rule/"))
    page = as_user(cast.cy).get(link.removeprefix("https://tocsin.example.org"))
    assert "Mute “To Cy” for you?" in page.text
