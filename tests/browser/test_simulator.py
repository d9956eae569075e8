"""The simulator in a browser: live with script, whole without it."""

import pytest
from playwright.sync_api import expect

PAGE = "/acme/shop/settings/simulate/"


def test_a_change_is_answered_as_it_is_made(tocsin, sign_in):
    page = sign_in("alice")
    page.goto(f"{tocsin.url}{PAGE}")
    page.get_by_text("An event made up").click()
    page.get_by_text("My own settings").click()
    page.get_by_label("Alerts", exact=True).first.select_option("off")
    expect(page.locator(".sim-table")).to_contain_text("Alerts are off")
    expect(page.locator(".toast")).to_have_count(0)
    assert page.url.endswith(PAGE)


@pytest.mark.parametrize("mode", ["replay", "made"])
def test_without_script_it_is_a_form(tocsin, sign_in, mode):
    page = sign_in("alice", script=False)
    page.goto(f"{tocsin.url}{PAGE}")
    page.locator(f"[value={mode}]").check()
    page.get_by_role("button", name="Show what would happen").click()
    expect(page.locator("#simulated h2").first).to_be_visible()
    expect(page.get_by_role("heading", name="What if…")).to_be_visible()
