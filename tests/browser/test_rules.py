"""The editor of alert rules in a browser: by keyboard alone, live with script, whole without it."""

import pytest
from playwright.sync_api import expect

from app.models import AlertRule, Project, RuleMute, RuleVersion

ALERTS = "/acme/shop/settings/alerts/"


@pytest.fixture(autouse=True)
def _as_it_comes(tocsin):
    """The one rule that every project begins with."""
    tocsin.will_write()
    shop = tocsin.session.query(Project).filter_by(slug="shop").one()
    made = AlertRule.project_id == shop.id
    tocsin.session.query(RuleMute).delete()
    tocsin.session.query(AlertRule).filter(made, AlertRule.created_by_id.is_not(None)).delete()
    tocsin.session.commit()


def rules(tocsin):
    tocsin.session.commit()
    found = tocsin.session.query(AlertRule).filter(AlertRule.created_by_id.is_not(None))
    return [(rule.name, [row["id"] for row in rule.conditions], rule.actions) for rule in found]


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def test_a_rule_is_written_with_the_keyboard_alone(tocsin, sign_in):
    page = sign_in("alice")
    page.goto(f"{tocsin.url}{ALERTS}new/")
    page.get_by_label("Name").focus()
    page.keyboard.type("Busy")
    page.get_by_label("Condition to add").focus()
    page.keyboard.type("seen more")
    press(page, "Tab", "Enter")
    expect(page.get_by_label("Condition 2: How many")).to_be_focused()
    press(page, "Control+A")
    page.keyboard.type("250")
    sentence = page.locator("#rule-words")
    expect(sentence).to_contain_text("seen more than 250 times in an hour")
    expect(page.get_by_label("Condition 2: How many")).to_be_focused()
    expect(page.locator(".toast")).to_have_count(0)
    up = page.get_by_role("button", name="Move condition 2 up")
    up.focus()
    press(page, "Enter")
    expect(page.locator("#conditions > li").first).to_contain_text("an issue is seen more than")
    expect(page.get_by_role("button", name="Move condition 1 up")).to_be_focused()
    page.get_by_role("button", name="Remove condition 2").focus()
    press(page, "Enter")
    expect(page.locator("#conditions > li")).to_have_count(1)
    expect(page.get_by_role("button", name="Add condition")).to_be_focused()
    page.get_by_label("Name").focus()
    press(page, "Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Busy")
    assert rules(tocsin) == [
        ("Busy", ["event_count"], [{"id": "mail", "target": "owners", "fallback": "project"}])
    ]


def test_the_check_follows_what_is_chosen(tocsin, sign_in):
    page = sign_in("alice")
    page.goto(f"{tocsin.url}{ALERTS}new/")
    expect(page.locator("#rule-live")).to_contain_text("3 of 3 by email")
    expect(page.locator("[data-field=fallback]")).to_be_visible()
    page.get_by_label("Action 1: Whom").select_option(label="Bob")
    expect(page.locator("#rule-words")).to_contain_text("email Bob")
    expect(page.locator("#rule-live")).to_contain_text("1 of 1 by email")
    expect(page.locator("[data-field=fallback]")).to_be_hidden()
    assert rules(tocsin) == []


def test_errors_take_the_focus_and_lead_to_their_rows(tocsin, sign_in):
    page = sign_in("alice")
    page.goto(f"{tocsin.url}{ALERTS}new/")
    page.get_by_label("Filter to add").select_option(label="a tag…")
    page.get_by_role("button", name="Add filter").click()
    expect(page.get_by_label("Filter 1: Tag")).to_be_focused()
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.locator(".errors")).to_be_focused()
    page.get_by_role("link", name="Filter 1: Tag is missing.").first.click()
    expect(page.get_by_label("Filter 1: Tag")).to_be_focused()
    expect(page.get_by_label("Filter 1: Tag")).to_have_attribute("aria-invalid", "true")
    assert rules(tocsin) == []


def test_the_whole_editor_works_without_script(tocsin, sign_in):
    page = sign_in("alice", script=False)
    page.goto(f"{tocsin.url}{ALERTS}new/")
    page.get_by_label("Name").fill("Plain")
    page.get_by_label("Condition to add").select_option(label="an issue regresses")
    page.get_by_role("button", name="Add condition").click()
    expect(page.locator("#conditions > li")).to_have_count(2)
    page.get_by_role("button", name="Move condition 2 up").click()
    page.get_by_label("Action 1: Whom").select_option(label="#shop-team")
    page.get_by_role("button", name="Check").last.click()
    expect(page.locator("#rule-words")).to_contain_text("a resolved issue comes back or a new issue is seen")
    expect(page.locator("#rule-words")).to_contain_text("email #shop-team")
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Plain")
    [(name, conditions, [action])] = rules(tocsin)
    assert (name, conditions, action["target"]) == ("Plain", ["regression", "first_seen"], "team")


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_a_rule_is_muted_from_the_list_and_that_is_taken_back(tocsin, sign_in, script):
    page = sign_in("bob", script=script)
    page.goto(tocsin.url + ALERTS)
    page.locator("summary", has_text="Mute").last.click()
    expect(page.get_by_label("The date, 9:00")).to_be_hidden()
    page.get_by_label("Mute “Tell issue owners").select_option(label="until the date")
    expect(page.get_by_label("The date, 9:00")).to_be_visible()
    page.get_by_label("Mute “Tell issue owners").select_option(label="8 hours")
    page.get_by_role("button", name="Mute for me").click()
    expect(page.get_by_text("Muted for me until")).to_be_visible()
    page.get_by_role("button", name="Unmute for me").click()
    expect(page.get_by_text("Muted for me until")).to_have_count(0)


def test_a_version_is_restored(tocsin, sign_in):
    page = sign_in("alice")
    page.goto(f"{tocsin.url}{ALERTS}new/")
    page.get_by_label("Name").fill("First name")
    page.get_by_role("button", name="Save", exact=True).last.click()
    page.get_by_role("link", name="Edit", exact=True).click()
    page.get_by_label("Name").fill("Second name")
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Second name")
    page.locator("summary", has_text="Version 1").click()
    page.get_by_role("button", name="Restore version 1").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("First name")
    tocsin.session.commit()
    assert tocsin.session.query(RuleVersion).filter_by(version=3).count() == 1


def test_a_draft_is_tried_in_a_tab_of_its_own_and_comes_back(tocsin, sign_in):
    page = sign_in("alice")
    page.goto(f"{tocsin.url}{ALERTS}new/")
    page.get_by_label("Name").fill("Busy")
    page.get_by_label("Condition to add").select_option(label="an issue regresses")
    page.get_by_role("button", name="Add condition").click()
    expect(page.locator("#conditions > li")).to_have_count(2)
    with page.expect_popup() as opened:
        page.get_by_role("button", name="What would this change?").click()
    expect(page.locator("#conditions > li")).to_have_count(2)
    tried = opened.value
    expect(tried.get_by_role("heading", level=1)).to_have_text("What if…")
    too_wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert tried.evaluate(too_wide) <= 0
    text = tried.locator("#rule-text")
    text.fill(f'{{"name": "{"x" * 900}", ')
    assert tried.evaluate(too_wide) <= 0
    tried.reload()
    tried.get_by_role("button", name="Back to the editor with this draft").click()
    expect(tried.get_by_label("Name")).to_have_value("Busy")
    expect(tried.locator("#conditions > li")).to_have_count(2)
    assert rules(tocsin) == []
