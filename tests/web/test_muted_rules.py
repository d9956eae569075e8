"""What a person muted, with the way back; and what rings for them whatever they choose."""

from datetime import timedelta

import pytest

from app.clock import now as clock
from app.models import RuleMute
from app.services.rules import rule_muting

LIST = "/settings/account/notifications/rules/"


@pytest.fixture
def rule(make, shop):
    return make.rule(shop, "Payments down")


@pytest.fixture
def muted(session, rule, bob):
    until = clock() + timedelta(days=2)
    rule_muting.mute(session, rule, user=bob, until=until, by=bob, via="page", now=clock())
    session.commit()
    return until


def test_one_without_muted_rules_is_told_how_that_is_done(as_user, bob):
    assert "You have muted no rule." in as_user(bob).page(LIST).text


def test_what_somebody_muted_is_theirs_to_see(as_user, cast, rule, muted):
    page = as_user(cast.bob).page(LIST)
    [row] = page.select("tr.setting")
    assert "Payments down" in row.text
    assert "Shop" in row.text
    assert not as_user(cast.alice).page(LIST).select("tr.setting")


@pytest.mark.both_databases
def test_unmuting_can_be_undone(as_user, bob, rule, muted, session):
    browser = as_user(bob)
    assert browser.post(f"{LIST}{rule.id}", data={"do": "unmute"}).status_code == 303
    page = browser.page(LIST)
    assert "“Payments down” rings for you again." in page.text
    assert not page.select("tr.setting")
    again = {"do": "mute_again", "until": muted.isoformat()}
    assert browser.post(f"{LIST}{rule.id}", data=again).status_code == 303
    session.expire_all()
    assert session.query(RuleMute).one().until == muted


def test_the_list_alone_is_answered_to_a_script(as_user, bob, rule, muted):
    answer = as_user(bob).post(f"{LIST}{rule.id}", data={"do": "unmute"}, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert "rings for you again" in answer.text


NONSENSE = {"nothing": {}, "something else": {"do": "delete"}, "no time": {"do": "mute_again", "until": "x"}}


@pytest.mark.parametrize("sent", NONSENSE.values(), ids=NONSENSE)
def test_what_makes_no_sense_is_refused(as_user, bob, rule, sent):
    assert as_user(bob).post(f"{LIST}{rule.id}", data=sent).status_code == 400


def test_rules_of_others_are_not_found(as_user, charlie, rule):
    assert as_user(charlie).post(f"{LIST}{rule.id}", data={"do": "unmute"}).status_code == 404


def test_a_required_rule_shows_a_lock_where_off_does_not_silence_it(as_user, make, cast):
    rule = make.rule(cast.shop, "Payments down", required_reason="somebody has to look")
    make.choice(cast.bob, "alerts", "off", project=cast.shop)
    page = as_user(cast.bob).page("/settings/account/notifications/alerts/")
    row = page.select_one("#p-shop")
    assert "Required by Shop admins: 1 rule" in row.text
    assert "somebody has to look" in row.text
    assert row.select_one(f'a[href="/acme/shop/settings/alerts/{rule.id}/"]')


def test_a_muted_rule_that_is_required_since_says_that_it_rings(as_user, session, bob, rule, muted):
    rule.required_reason = "somebody has to look"
    session.commit()
    assert "so it rings all the same" in as_user(bob).page(LIST).text


def test_who_is_not_told_by_a_muted_rule_can_unmute_it_from_the_answer(
    as_user, make, cast, rule, muted, report, run_jobs, session
):
    report()
    run_jobs()
    session.commit()
    page = as_user(cast.bob).page("/settings/account/notifications/history/")
    assert page.select_one(f'a[href="{LIST}"]')
