"""How people go from one issue to the next: with the keyboard, and without script."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import has_begun
from tests.conftest import NOON
from tests.make import Make
from tests.support import cast as casting


@pytest.fixture
def address_of_list(tocsin):
    """Three issues in the order of their titles, and the address of the list that finds them alone."""

    def make(word):
        tocsin.will_write()
        factory, shop = Make(tocsin.session, NOON), casting.found(tocsin.session).shop
        for n in range(3):
            title, at = f"{word}Error: number {n}", NOON - timedelta(minutes=n)
            factory.issue(shop, title=title, events=1, last_seen=at)
        tocsin.session.commit()
        return f"{tocsin.url}/acme/shop/?query=is:unresolved+{word}Error"

    return make


def is_at(page, number):
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(f"Error: number {number}$"))


def test_a_list_is_walked_with_the_keyboard_alone(address_of_list, sign_in):
    page = sign_in("alice")
    page.goto(address_of_list("Walk"))
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    is_at(page, 0)
    for key, number in (("j", 1), ("k", 0), ("j", 1)):
        has_begun(page)
        page.keyboard.press(key)
        is_at(page, number)

    has_begun(page)
    page.keyboard.press("r")
    page.keyboard.press("Enter")  # "Now" has the focus
    expect(page.get_by_role("region", name="Actions").get_by_role("button", name="Reopen")).to_be_visible()
    page.keyboard.press("j")
    is_at(page, 2)
    has_begun(page)
    page.keyboard.press("j")
    expect(page.get_by_role("region", name="Messages").get_by_text("End of the list")).to_be_visible()
    is_at(page, 2)
    has_begun(page)
    page.keyboard.press("k")  # the one in between was resolved
    is_at(page, 0)


def test_in_a_comment_they_are_letters(address_of_list, sign_in):
    page = sign_in("alice")
    page.goto(address_of_list("WalkLetters"))
    page.get_by_role("link", name="number 0").click()
    page.get_by_label("Comment").fill("")
    page.keyboard.type("jkj")
    expect(page.get_by_label("Comment")).to_have_value("jkj")
    is_at(page, 0)


def test_the_keys_are_in_the_help(address_of_list, sign_in):
    page = sign_in("alice")
    page.goto(address_of_list("WalkHelp"))
    page.get_by_role("link", name="number 0").click()
    is_at(page, 0)
    has_begun(page)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog").get_by_text("next and previous issue of the list")).to_be_visible()


def test_without_script_links_do_it_on_a_phone(address_of_list, sign_in):
    page = sign_in("alice", script=False, width=390, height=844)
    page.goto(address_of_list("Plain"))
    page.get_by_role("link", name="number 0").click()
    page.get_by_role("link", name="Next issue").click()
    is_at(page, 1)
    page.get_by_role("link", name="Prev issue").click()
    page.get_by_role("link", name="Prev issue").click()
    is_at(page, 0)
    expect(page.get_by_text("Start of the list")).to_be_visible()
