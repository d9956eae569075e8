"""What people do in the list of issues: with script, without it, and with the keyboard alone."""

import re

import pytest
from playwright.sync_api import expect

from tests.conftest import NOON
from tests.make import Make
from tests.support import cast as casting

WAYS = pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])


@pytest.fixture
def several(tocsin):
    """Issues that only this test's list finds, and its address."""
    made: list = []

    def make(word: str, count: int = 3):
        tocsin.will_write()
        factory = Make(tocsin.session, NOON)
        shop = casting.found(tocsin.session).shop
        for n in range(count):
            made.append(factory.issue(shop, title=f"{word}Error: number {n}", events=1))
        tocsin.session.commit()
        return made, f"{tocsin.url}/acme/shop/?query=is:unresolved+{word}Error"

    return make


def messages(page):
    """What is shown of messages; what is spoken of them stands beside it."""
    return page.get_by_role("region", name="Messages")


def rows(page):
    return page.locator("li.row[data-row]")


@WAYS
def test_several_are_resolved_and_that_is_taken_back(tocsin, several, sign_in, script):
    _issues, address = several(f"Undo{script}")
    page = sign_in("alice", script=script)
    page.goto(address)
    for box in page.locator(".row-check[name=issue]").all()[:2]:
        box.check()
    bar = page.locator(".bulkbar")
    if script:
        expect(bar.get_by_text("2 selected")).to_be_visible()
    bar.get_by_text("Resolve", exact=True).click()
    bar.get_by_role("button", name="Now").click()
    expect(rows(page)).to_have_count(1)
    toast = messages(page)
    expect(toast.get_by_text("2 issues resolved.")).to_be_visible()
    toast.get_by_role("button", name="Undo").click()
    expect(rows(page)).to_have_count(3)
    expect(messages(page).get_by_text("Taken back: 2 issues as before. Nobody was told.")).to_be_visible()


@WAYS
def test_what_cannot_be_taken_back_is_asked_about(tocsin, several, sign_in, script):
    _issues, address = several(f"Ask{script}")
    page = sign_in("alice", script=script)
    page.goto(address)
    for box in page.locator(".row-check[name=issue]").all():
        box.check()
    page.locator(".bulkbar").get_by_text("More", exact=True).click()
    page.get_by_role("button", name="Merge…").click()
    expect(page.get_by_role("heading", name="Merge 3 issues?")).to_be_visible()
    page.get_by_role("link", name="Cancel").click()
    expect(rows(page)).to_have_count(3)
    for box in page.locator(".row-check[name=issue]").all()[:1]:
        box.check()
    page.locator(".bulkbar").get_by_text("More", exact=True).click()
    page.get_by_role("button", name="Delete or discard…").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(messages(page).get_by_text("1 issue deleted.")).to_be_visible()
    expect(rows(page)).to_have_count(2)


@WAYS
def test_an_unknown_name_is_said_in_the_list(tocsin, several, sign_in, script):
    _issues, address = several(f"Typed{script}")
    page = sign_in("alice", script=script)
    page.goto(address)
    page.locator(".row-check[name=issue]").first.check()
    page.locator(".bulkbar").get_by_text("Assign", exact=True).first.click()
    page.get_by_label("To somebody else").fill("@nobody-here")
    page.locator(".bulkbar").get_by_role("button", name="Assign").click()
    expect(page.get_by_role("group", name="Nothing was changed")).to_contain_text("@nobody-here")
    expect(page.get_by_label("To somebody else")).to_have_value("@nobody-here")
    expect(page.locator(".row-check[name=issue]").first).to_be_checked()


def test_a_row_is_dealt_with_by_the_keyboard_and_nothing_jumps(tocsin, several, sign_in):
    _issues, address = several("Keys")
    page = sign_in("alice")
    page.goto(address)
    first = rows(page).first
    height = first.bounding_box()["height"]
    name = first.get_attribute("id")
    page.keyboard.press("j")
    page.keyboard.press("r")
    line = page.locator(f"#{name}")
    expect(line).to_contain_text("resolved · Undo")
    assert abs(line.bounding_box()["height"] - height) <= 1
    expect(rows(page).first.get_by_role("link").first).to_be_focused()
    line.get_by_role("button", name="Undo").click()
    expect(line.locator("h3 a")).to_be_focused()
    expect(rows(page)).to_have_count(3)
    page.keyboard.press("i")
    page.keyboard.press("Enter")  # "Until it gets worse" has the focus
    expect(page.locator(f"#{name}")).to_contain_text("ignored until more than")


def test_what_a_key_does_for_oneself_leaves_the_focus_and_the_list_as_they_are(tocsin, several, sign_in):
    _issues, address = several("Mine")
    page = sign_in("alice")
    page.goto(address)
    page.keyboard.press("j")
    page.keyboard.press("r")
    expect(page.locator(".row-gone")).to_have_count(1)
    title = rows(page).first.get_by_role("link").first
    expect(title).to_be_focused()
    for said in ("unsubscribed", ": subscribed"):
        page.keyboard.press("s")
        expect(messages(page).get_by_text(said)).to_be_visible()
        expect(title).to_be_focused()
    page.keyboard.press("m")
    expect(page.get_by_role("button", name="For an hour").last).to_be_focused()
    page.keyboard.press("Escape")
    expect(title).to_be_focused()
    page.keyboard.press("m")
    page.keyboard.press("Enter")
    expect(messages(page).get_by_text("Muted for you until")).to_be_visible()
    expect(title).to_be_focused()
    expect(page.locator(".row-gone")).to_contain_text("resolved · Undo")
    resolved = page.locator("#stream-tabs").get_by_role("link", name=re.compile("^Resolved"))
    expect(resolved).to_contain_text(re.compile(r"\d"))


def test_a_key_for_one_row_leaves_nothing_behind_when_one_thinks_better_of_it(tocsin, several, sign_in):
    _issues, address = several("Else")
    page = sign_in("alice")
    page.goto(address)
    page.keyboard.press("j")
    page.keyboard.press("a")
    expect(page.locator(".row-check:checked")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator(".row-check:checked")).to_have_count(0)
    expect(rows(page).first.get_by_role("link").first).to_be_focused()
    page.keyboard.press("i")
    expect(page.locator(".row-menu[open] .menu-head")).to_contain_text("SHOP-")
    page.keyboard.press("j")
    expect(page.locator(".row-menu[open]")).to_have_count(0)
    expect(rows(page).nth(1).get_by_role("link").first).to_be_focused()


def test_what_stays_in_its_list_is_said_and_can_be_taken_back(tocsin, several, sign_in):
    _issues, address = several("Stay")
    page = sign_in("alice")
    page.goto(address.replace("is%3Aunresolved", "").replace("is:unresolved", ""))
    page.keyboard.press("j")
    page.keyboard.press("r")
    expect(messages(page).get_by_role("button", name="Undo")).to_have_count(1)
    expect(page.locator(".row[data-row=resolved] h3 a").first).to_be_focused()
    page.keyboard.press("r")
    expect(page.get_by_role("status")).to_contain_text("It is so already.")
    expect(page.locator(".row-check:checked")).to_have_count(0)
    messages(page).get_by_role("button", name="Undo").click()
    expect(rows(page)).to_have_count(3)
    expect(page.locator(".row[data-row=resolved]")).to_have_count(0)


def test_the_bar_is_reached_from_the_row_with_focus(tocsin, several, sign_in):
    _issues, address = several("Bar")
    page = sign_in("alice")
    page.goto(address)
    page.keyboard.press("j")
    page.keyboard.press("a")
    expect(page.get_by_role("button", name="To me")).to_be_focused()
    page.keyboard.press("Enter")
    expect(messages(page).get_by_text("1 issue assigned to you.")).to_be_visible()


def test_all_that_match_are_counted_before_they_are_taken(tocsin, several, sign_in):
    _issues, address = several("Every", 30)
    page = sign_in("alice")
    page.goto(address)
    page.get_by_label("Select all on this page").check()
    expect(page.locator(".bulkbar").get_by_text("25 selected")).to_be_visible()
    page.get_by_label("All 30 that match").check()
    page.locator(".row-check[name=issue]").first.uncheck()
    expect(page.get_by_label("All 30 that match")).not_to_be_checked()
    page.get_by_label("Select all on this page").uncheck()
    page.get_by_label("Select all on this page").check()
    page.get_by_label("All 30 that match").check()
    page.locator(".bulkbar").get_by_text("Ignore", exact=True).first.click()
    page.get_by_role("button", name="For a day").click()
    expect(messages(page).get_by_text("30 issues ignored.")).to_be_visible()
    expect(rows(page)).to_have_count(0)


def test_an_issue_is_merged_from_its_own_page(tocsin, several, sign_in):
    (first, second), _address = several("Own", 2)
    page = sign_in("alice")
    page.goto(tocsin.address_of(first))
    actions = page.get_by_role("region", name="Actions")
    actions.get_by_text("More", exact=True).click()
    actions.get_by_label("Merge with another issue").fill("SHOP-NOPE")
    actions.get_by_role("button", name="Merge…").click()
    expect(actions.get_by_label("Merge with another issue")).to_have_value("SHOP-NOPE")
    actions.get_by_label("Merge with another issue").fill(second.short_id.lower())
    actions.get_by_role("button", name="Merge…").click()
    page.get_by_role("button", name="Merge").click()
    expect(page).to_have_url(re.compile(f"/issues/{second.id}/"))
    expect(page.get_by_text(f"merged {first.short_id} into it")).to_be_visible()


def test_a_list_that_is_paused_looks_for_no_news_until_it_is_live_again(tocsin, several, sign_in):
    _issues, address = several("Paused", 1)
    page = sign_in("alice")
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "/news?" in request.url else None)
    page.clock.install()
    page.goto(address, wait_until="networkidle")
    page.get_by_label("Pause live updates").focus()
    page.keyboard.press("Space")
    page.clock.fast_forward(31_000)
    page.reload(wait_until="networkidle")
    expect(page.get_by_label("Pause live updates")).to_be_checked()
    page.clock.fast_forward(31_000)
    page.get_by_label("Pause live updates").uncheck()
    assert asked == []
    with page.expect_response(lambda response: "/news?" in response.url):
        page.clock.fast_forward(31_000)
