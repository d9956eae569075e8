"""A person's settings in a browser: rows that save at once, with script and without it."""

import pytest
from playwright.sync_api import expect

from app.models import EmailAddress, NotificationDefault, NotificationSetting, User
from tests.conftest import NOON

ROOT = "/settings/account/notifications/"


@pytest.fixture(autouse=True)
def _as_it_comes(tocsin):
    """Nobody has chosen anything."""
    tocsin.session.query(NotificationSetting).delete()
    tocsin.session.query(NotificationDefault).delete()
    tocsin.session.commit()


def chosen(tocsin):
    tocsin.session.commit()
    return [(row.category, row.scope, row.value) for row in tocsin.session.query(NotificationSetting)]


def test_a_row_saves_at_once_keeps_the_focus_and_can_be_undone(tocsin, sign_in):
    page = sign_in("bob")
    page.goto(tocsin.url + ROOT)
    control = page.get_by_label("Workflow", exact=True)
    control.focus()
    control.select_option("never")
    row = page.locator("#row-workflow-0")
    expect(row.get_by_text("Saved")).to_be_visible()
    expect(row.locator(".in-force")).to_have_text("Never")
    expect(page.get_by_label("Workflow", exact=True)).to_be_focused()
    expect(page.locator("#live")).to_have_text("Workflow: Never. Saved. Undo available.")
    assert chosen(tocsin) == [("workflow", "account", "never")]
    row.get_by_role("button", name="Undo").click()
    expect(row.locator(".in-force")).to_have_text("Always")
    assert chosen(tocsin) == []


def test_a_row_saves_with_its_button_where_there_is_no_script(tocsin, sign_in):
    page = sign_in("bob", script=False)
    page.goto(tocsin.url + ROOT)
    row = page.locator("#row-alerts-0")
    row.get_by_label("Alerts", exact=True).select_option("off")
    row.get_by_role("button", name="Save").click()
    expect(row.locator(".in-force")).to_have_text("Off")
    row.get_by_role("button", name="Undo").click()
    expect(row.locator(".in-force")).to_have_text("On")
    assert chosen(tocsin) == []


def test_another_window_is_not_overwritten(tocsin, sign_in):
    first, second = sign_in("bob"), sign_in("bob")
    for page in (first, second):
        page.goto(tocsin.url + ROOT)
    first.get_by_label("Alerts", exact=True).select_option("off")
    expect(first.locator("#row-alerts-0").get_by_text("Saved")).to_be_visible()
    second.get_by_label("Alerts", exact=True).select_option("on")
    row = second.locator("#row-alerts-0")
    expect(row.get_by_text("Changed in another window")).to_be_visible()
    expect(row.locator(".in-force")).to_have_text("Off")


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_all_that_is_shown_is_set_and_put_back(tocsin, sign_in, script):
    page = sign_in("bob", script=script)
    page.goto(f"{tocsin.url}{ROOT}alerts/#p-shop")
    expect(page.locator("tr:target")).to_have_css("outline-style", "solid")
    page.get_by_label("Set the one shown to").select_option("off")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("you set 1 project to Off")).to_be_visible()
    expect(page.locator("#p-shop .in-force")).to_have_text("Off")
    page.locator(".notice").get_by_role("button", name="Undo").click()
    expect(page.locator("#p-shop .in-force")).to_have_text("On")
    expect(page.get_by_text("you set 1 project")).to_have_count(0)
    assert chosen(tocsin) == []


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_a_project_gets_an_address_of_its_own(tocsin, sign_in, script):
    bob = tocsin.session.query(User).filter_by(handle="bob").one()
    address = f"bob.{'with' if script else 'without'}@home.example"
    bob.addresses.append(EmailAddress(address=address, verified_at=NOON))
    tocsin.session.commit()
    page = sign_in("bob", script=script)
    page.goto(f"{tocsin.url}{ROOT}workflow/")
    row = page.locator("#p-shop")
    row.get_by_label("Email for Shop to").select_option(label=address)
    if not script:
        row.get_by_role("button", name="Save").last.click()
    expect(page.get_by_text(f"Email for Shop: {address}. Saved.").first).to_be_attached()
    page.goto(f"{tocsin.url}{ROOT}email/")
    page.get_by_role("button", name=f"Remove: {address}").click()
    expect(page.get_by_role("region", name="Messages").get_by_text(f"{address} is removed")).to_be_visible()
