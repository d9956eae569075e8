"""The Resolve menu: with script, without it, by keyboard, and on a phone."""

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from app.models import Commit
from tests.conftest import NOON
from tests.make import Make

WAYS = pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])


@pytest.fixture
def released(tocsin, issue):
    """The issue, in a project with two releases and a repository with a commit."""
    tocsin.will_write()
    make = Make(tocsin.session, NOON)
    for version in ("4.2.0", "4.2.1"):
        make.release(issue.project, version)
    if tocsin.session.scalar(select(Commit.id)) is None:
        make.commit(issue.project.organization, key="1f0c3aa" + "0" * 33)
    tocsin.session.commit()
    return issue


@pytest.fixture
def menu(tocsin, released, sign_in):
    def opened(**options):
        page = sign_in("alice", **options)
        page.goto(tocsin.address_of(released))
        actions = page.get_by_role("region", name="Actions")
        actions.get_by_text("Resolve", exact=True).first.click()
        return page, actions

    return opened


@WAYS
@pytest.mark.parametrize(
    ("label", "said"),
    [
        ("Now", "Alice resolved it"),
        ("In the next release", "Alice resolved it in the next release, the next after 4.2.1"),
        ("In the current release, 4.2.1", "Alice resolved it in 4.2.1"),
    ],
)
def test_one_click_resolves_it(menu, script, label, said):
    page, actions = menu(script=script)
    actions.get_by_role("button", name=label).click()
    expect(page.locator(".timeline .said > span").first).to_have_text(said)
    expect(actions.get_by_role("button", name="Reopen")).to_be_visible()


@WAYS
def test_another_release_is_typed_and_a_wrong_one_stays_there_to_be_mended(menu, script):
    page, actions = menu(script=script)
    field = actions.get_by_label("In another release")
    field.fill("4.2.9")
    field.press("Enter")
    expect(field).to_be_visible()
    expect(field).to_have_value("4.2.9")
    expect(actions.get_by_text("Shop has no release “4.2.9”").last).to_be_visible()
    field.fill("4.2.0")
    field.press("Enter")
    expect(page.locator(".timeline .said > span").first).to_have_text("Alice resolved it in 4.2.0")


@WAYS
def test_a_commit_is_named_by_the_beginning_of_its_hash(menu, script):
    page, actions = menu(script=script)
    field = actions.get_by_label("By a commit of acme/shop")
    field.fill("1f0c3")
    field.press("Enter")
    expect(page.locator(".timeline .said > span").first).to_contain_text(
        "Alice resolved it by commit 1f0c3aa"
    )
    expect(page.get_by_text("Resolved").first).to_be_visible()


def test_before_the_click_it_says_who_will_hear(menu):
    _, actions = menu()
    expect(actions.get_by_text("Will tell")).to_be_visible()


def test_the_keyboard_is_enough(tocsin, released, sign_in):
    page = sign_in("alice")
    page.goto(tocsin.address_of(released))
    page.keyboard.press("r")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".timeline .said > span").first).to_contain_text("in the next release")
    expect(page.get_by_role("button", name="Reopen")).to_be_focused()
    page.keyboard.press("r")
    expect(page.locator(".timeline .said > span").first).to_contain_text("Alice reopened it")
    expect(page.locator("summary:focus")).to_have_count(1)


def test_on_a_phone_the_whole_menu_is_in_sight(menu):
    page, actions = menu(width=390, height=844)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for label in ("Now", "In the next release", "In the current release, 4.2.1"):
        box = actions.get_by_role("button", name=label).bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
        assert box["height"] >= 32
    expect(actions.get_by_label("By a commit of acme/shop")).to_be_visible()


def test_by_keyboard_what_is_resolved_is_resolved_in_the_next_release(tocsin, released, sign_in):
    page = sign_in("alice")
    page.goto(tocsin.address_of(released))
    page.keyboard.press("r")
    page.get_by_role("region", name="Actions").get_by_role("button", name="Now").click()
    expect(page.locator(".timeline .said > span").first).to_have_text("Alice resolved it")
    page.keyboard.press("e")
    page.keyboard.press("Enter")
    expect(page.locator(".timeline .said > span").first).to_contain_text("in the next release")
