"""Ignoring, muting, and what a setting would do: with script, without it, and with the keyboard alone."""

import pytest
from playwright.sync_api import expect

WAYS = pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])


@WAYS
def test_an_issue_is_ignored_until_it_gets_worse_and_then_for_a_day(tocsin, issue, sign_in, script):
    page = sign_in("alice", script=script)
    page.goto(tocsin.address_of(issue))
    menu = page.locator(f"#issue-{issue.id}-ignore")
    state = page.locator(f"#issue-{issue.id}-state")
    menu.locator("summary").click()
    menu.get_by_label("Until it gets worse").fill("42")
    menu.get_by_role("button", name="Ignore").first.click()
    expect(state).to_contain_text("by Alice until more than 42 events in an hour")
    menu.locator("summary").click()
    menu.get_by_role("button", name="For a day").click()
    expect(state).not_to_contain_text("42")
    expect(state).to_contain_text("by Alice until")


@WAYS
def test_an_issue_is_muted_and_unmuted(tocsin, issue, sign_in, script):
    page = sign_in("bob", script=script)
    page.goto(tocsin.address_of(issue))
    actions = page.get_by_role("region", name="Actions")
    actions.get_by_text("Mute for me").click()
    actions.get_by_role("button", name="Until tomorrow, 9:00").click()
    expect(actions.get_by_text("Muted by you until")).to_be_visible()
    actions.get_by_role("button", name="Unmute").click()
    expect(actions.get_by_text("Mute for me")).to_be_visible()


def test_the_keyboard_is_enough_to_ignore(tocsin, issue, sign_in):
    page = sign_in("alice")
    page.goto(tocsin.address_of(issue))
    page.keyboard.press("i")
    expect(page.get_by_label("Until it gets worse").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(f"#issue-{issue.id}-state")).to_contain_text("until more than 10 events in an hour")
    expect(page.locator(f"#issue-{issue.id}-ignore summary")).to_be_focused()


def test_on_a_phone_the_menu_stays_on_the_screen(tocsin, issue, sign_in):
    page = sign_in("alice")
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(tocsin.address_of(issue))
    page.locator(f"#issue-{issue.id}-ignore summary").click()
    box = page.locator(f"#issue-{issue.id}-ignore .menu-panel").bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    assert box["y"] >= 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@WAYS
def test_a_setting_shows_what_it_would_do_before_it_is_saved(tocsin, issue, sign_in, script):
    page = sign_in("alice", script=script)
    page.goto(f"{tocsin.url}/acme/shop/settings/")
    page.get_by_label("Resolve by itself").select_option("24")
    if not script:
        page.get_by_role("button", name="Preview").click()
    expect(page.locator("#age-effect")).to_contain_text("Would resolve")
    page.goto(page.url)
    expect(page.locator("#age-effect")).to_contain_text("Off")
