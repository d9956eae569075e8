"""Issue owners in a browser: checks while typing, trying, saving, and from an issue to a line."""

import pytest
from playwright.sync_api import expect

from app.models import Ownership, OwnershipVersion

WAYS = pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])


@pytest.fixture
def editor(tocsin):
    """Its address; a test begins without owners, and takes away those that it made."""
    yield f"{tocsin.url}/acme/shop/settings/issue-owners/"
    tocsin.session.rollback()
    tocsin.will_write()
    for table in (Ownership, OwnershipVersion):
        tocsin.session.query(table).delete()
    tocsin.session.commit()


@WAYS
def test_a_text_is_mended_tried_and_saved(tocsin, issue, sign_in, editor, script):
    page = sign_in("alice", script=script)
    page.goto(editor)
    text, checks = page.get_by_label("Lines", exact=True), page.locator("#owner-checks")
    text.fill("shop/* #shop-taem")
    if not script:
        page.get_by_role("button", name="Check", exact=True).click()
    expect(checks).to_contain_text("Line 1: column 8: no team with access to shop is called #shop-taem.")
    expect(checks).to_contain_text("Did you mean #shop-team?")
    text.fill("shop/* #shop-team")
    page.get_by_label("Issue or event").fill(issue.short_id)
    if script:
        page.get_by_label("Issue or event").press("Tab")
    else:
        page.get_by_role("button", name="Try", exact=True).click()
    expect(page.locator("#owner-trial")).to_contain_text("Told: #shop-team")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#history")).to_contain_text("Version 1 · Alice")


def test_the_text_keeps_the_focus_while_it_is_checked(tocsin, sign_in, editor):
    page = sign_in("alice")
    page.goto(editor)
    text = page.get_by_label("Lines", exact=True)
    text.press_sequentially("shop/*")
    expect(page.locator("#owner-checks")).to_contain_text("an owner is missing")
    text.press_sequentially(" #shop-team")
    expect(page.locator("#owner-checks")).not_to_contain_text("an owner is missing")
    expect(text).to_be_focused()
    expect(text).to_have_value("shop/* #shop-team")


def test_every_check_stands_beside_its_line(tocsin, sign_in, editor):
    page = sign_in("alice")
    page.goto(editor)
    page.get_by_label("Lines", exact=True).fill("\n".join(["# words"] * 30 + ["x"]))
    mark = page.locator("#owner-marks li").nth(30)
    expect(mark).to_contain_text("an owner is missing")
    text = page.get_by_label("Lines", exact=True).bounding_box()
    place = mark.bounding_box()["y"] - text["y"]
    assert abs(place - (9 + 30 * 20)) <= 2


@WAYS
def test_a_line_begins_on_an_issue(tocsin, issue, sign_in, editor, script):
    page = sign_in("alice", script=script)
    page.goto(tocsin.address_of(issue))
    page.get_by_text("Set an owner for this").click()
    page.get_by_role("link", name="path:shop/*").click()
    expect(page.get_by_label("Lines", exact=True)).to_have_value("path:shop/* ")
    expect(page.locator("#owner-checks")).to_contain_text("an owner is missing")
