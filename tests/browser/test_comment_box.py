"""The comment box: names that complete themselves, and the line that says who will hear."""

import pytest
from playwright.sync_api import expect

from tests.browser.test_issue_page import focus_is_kept, kinds_to
from tests.support.processes import eventually


@pytest.fixture
def box(tocsin, issue, sign_in):
    """Alice's page of the issue, and its comment box."""

    def opened(**options):
        page = sign_in("alice", **options)
        page.goto(tocsin.address_of(issue))
        return page, page.get_by_label("Comment", exact=True)

    return opened


def test_a_name_is_found_and_taken_with_the_keyboard_alone(tocsin, issue, box):
    page, text = box()
    text.focus()
    expect(page.get_by_text("Will tell: Bob, Cy by email.")).to_be_visible()
    page.keyboard.type("Have a look, @")
    names = page.get_by_role("listbox", name="People and teams")
    expect(names.get_by_role("option")).to_have_count(2)
    expect(names.get_by_role("option", selected=True)).to_contain_text("@bob")
    page.keyboard.press("ArrowDown")
    expect(names.get_by_role("option", selected=True)).to_contain_text("@cy")
    assert text.get_attribute("aria-activedescendant") == "name-2"
    page.keyboard.press("Enter")
    expect(names).to_have_count(0)
    page.keyboard.type("please, #sho")
    expect(names.get_by_role("option")).to_have_count(1)
    page.keyboard.press("Tab")
    expect(text).to_have_value("Have a look, @cy please, #shop-team ")
    assert text.evaluate("box => box === document.activeElement")
    expect(page.get_by_text("Will tell: Cy, Bob by email.")).to_be_visible()

    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".timeline .mention")).to_have_text(["@cy", "#shop-team"])
    assert focus_is_kept(page)
    eventually(lambda: kinds_to(tocsin, "cy", issue) == ["comment"])


def test_escape_leaves_the_list_and_what_was_typed(box):
    page, text = box()
    text.focus()
    page.keyboard.type("@c")
    names = page.get_by_role("listbox", name="People and teams")
    expect(names).to_be_visible()
    page.keyboard.press("Escape")
    expect(names).to_have_count(0)
    page.keyboard.press("Enter")
    page.keyboard.type("and a mail address: me@example.org")
    expect(text).to_have_value("@c\nand a mail address: me@example.org")
    expect(names).to_have_count(0)


def test_a_tap_takes_a_name_too(box):
    page, text = box(width=390, height=844)
    text.focus()
    page.keyboard.type("@b")
    page.get_by_role("listbox").get_by_role("option").first.click()
    expect(text).to_have_value("@bob ")
    assert text.evaluate("box => box === document.activeElement")


def test_who_has_no_part_in_the_project_is_warned_of_before_and_refused_after(box):
    page, text = box()
    text.focus()
    page.keyboard.type("@dee, look")
    warning = page.get_by_text("@dee has no part in Shop and would not be told.")
    expect(warning).to_be_visible()
    page.get_by_role("button", name="Comment", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("@dee has no part in Shop")
    expect(text).to_have_value("@dee, look")


def test_without_script_names_are_plain_typing(tocsin, issue, box):
    page, text = box(script=False)
    expect(page.get_by_text("Members who follow this issue hear of it.")).to_be_visible()
    text.fill("@bob, look")
    page.get_by_role("button", name="Comment", exact=True).click()
    expect(page.locator(".timeline .mention")).to_have_text("@bob")
    eventually(lambda: kinds_to(tocsin, "bob", issue) == ["comment"])


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_ones_own_comment_is_changed_and_taken_back(box, script):
    page, text = box(script=script)
    text.fill("It is the databse.")
    page.get_by_role("button", name="Comment", exact=True).click()
    page.get_by_role("link", name="Edit or delete").click()
    page.get_by_label("Your comment").fill("It is the database.")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".timeline .comment")).to_have_text("It is the database.")
    assert not script or focus_is_kept(page)
    page.get_by_role("link", name="Edit or delete").click()
    page.get_by_role("link", name="Cancel").click()
    page.get_by_role("link", name="Edit or delete").click()
    page.get_by_role("button", name="Delete comment").click()
    expect(page.get_by_text("The comment was deleted.")).to_be_visible()
    assert not script or focus_is_kept(page)


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_a_bookmark_is_a_switch_that_keeps_the_focus(box, script):
    page, _ = box(script=script)
    star = (
        page.get_by_role("banner").or_(page.get_by_role("main")).get_by_role("button", name="Bookmark").first
    )
    star.focus()
    page.keyboard.press("Enter")
    expect(star).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_text("You’re subscribed: you bookmarked it.")).to_be_visible()
    assert not script or star.evaluate("star => star === document.activeElement")
    star.click()
    expect(star).to_have_attribute("aria-pressed", "false")
    expect(page.get_by_text("You’re subscribed: you bookmarked it.")).to_be_visible()
