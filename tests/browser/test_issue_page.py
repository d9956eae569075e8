"""What people do on an issue's page: with script, without it, and with the keyboard alone."""

import pytest
from playwright.sync_api import expect

from tests.support.processes import eventually

WAYS = pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
IS_BESIDE = "!!document.activeElement.closest('aside')"
IS_UNCOVERED = """() => {
  const it = document.activeElement, box = it.getBoundingClientRect()
  return it.contains(document.elementFromPoint(box.left + box.width / 2, box.bottom - 4))
}"""


def kinds_to(tocsin, name, issue):
    return [mail["X-Tocsin-Kind"] for mail in tocsin.mails(to=f"{name}@", about=f"{issue.short_id} ")]


@WAYS
def test_an_issue_is_handed_over_commented_on_and_resolved(tocsin, issue, sign_in, script):
    page = sign_in("alice", script=script)
    page.goto(tocsin.address_of(issue))
    actions = page.get_by_role("region", name="Actions")

    actions.get_by_text("Assign", exact=True).first.click()
    actions.get_by_label("To a member or team").select_option("Bob")
    actions.get_by_role("button", name="Assign").click()
    expect(page.get_by_text("Alice assigned it to Bob")).to_be_visible()

    page.get_by_label("Comment").fill("It began with *release 4*, @cy.")
    page.get_by_role("button", name="Comment", exact=True).click()
    expect(page.get_by_role("main").get_by_text("It began with").first).to_be_visible()
    expect(page.get_by_label("Comment")).to_have_value("")

    actions.get_by_text("Resolve", exact=True).first.click()
    actions.get_by_role("button", name="Now").click()
    expect(actions.get_by_role("button", name="Reopen")).to_be_visible()

    eventually(lambda: len(kinds_to(tocsin, "bob", issue)) == 3)
    assert kinds_to(tocsin, "bob", issue) == ["assigned", "comment", "resolved"]
    assert kinds_to(tocsin, "alice", issue) == []
    page.reload()
    expect(page.get_by_text("Told 2").first).to_be_visible()


@WAYS
def test_subscribing_and_unsubscribing(tocsin, issue, sign_in, script):
    page = sign_in("bob", script=script)
    page.goto(tocsin.address_of(issue))
    actions = page.get_by_role("region", name="Actions")
    actions.get_by_role("button", name="Unsubscribe", exact=True).click()
    expect(actions.get_by_role("button", name="Subscribe", exact=True)).to_be_visible()
    actions.get_by_role("button", name="Subscribe", exact=True).click()
    expect(actions.get_by_role("button", name="Unsubscribe", exact=True)).to_be_visible()


def test_the_keyboard_is_enough(tocsin, issue, sign_in):
    page = sign_in("alice")
    page.goto(tocsin.address_of(issue))
    actions = page.get_by_role("region", name="Actions")

    page.keyboard.press("a")
    expect(actions.get_by_label("To a member or team")).to_be_visible()
    page.keyboard.press("Enter")  # "To me" has the focus
    expect(page.get_by_text("Alice assigned it to themselves")).to_be_visible()
    assert focus_is_kept(page)

    page.keyboard.press("r")
    page.keyboard.press("Enter")  # "Now" has the focus
    expect(actions.get_by_role("button", name="Reopen")).to_be_visible()
    assert focus_is_kept(page)

    page.keyboard.press("s")
    expect(actions.get_by_role("button", name="Subscribe", exact=True)).to_be_visible()
    assert focus_is_kept(page)

    page.get_by_label("Comment").focus()
    page.keyboard.type("Done by keyboard; r and s are letters here.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(
        page.get_by_role("main").get_by_text("Done by keyboard; r and s are letters here.").first
    ).to_be_visible()
    expect(page.get_by_label("Comment")).to_have_value("")
    assert focus_is_kept(page)


@pytest.mark.parametrize("at", ["#{}-mute-summary", "#{}-why", "#{}-follow"])
def test_the_focus_stays_where_it_stood_when_a_key_subscribes(tocsin, issue, sign_in, at):
    page = sign_in("alice")
    page.goto(tocsin.address_of(issue))
    control = page.locator(at.format(f"issue-{issue.id}"))
    control.focus()
    page.keyboard.press("s")
    expect(page.get_by_role("button", name="Subscribe", exact=True)).to_be_visible()
    expect(control).to_be_focused()


@pytest.mark.parametrize("height", [640, 700, 799, 800])
def test_whether_one_is_told_is_in_view_and_so_is_what_changes_it(tocsin, issue, sign_in, height):
    page = sign_in("alice", height=height)
    page.goto(tocsin.address_of(issue))
    expect(page.get_by_role("button", name="Unsubscribe", exact=True)).to_be_in_viewport(ratio=1)
    expect(page.locator(f"#issue-{issue.id}-following .state")).to_be_in_viewport(ratio=1)


def test_in_the_lowest_window_a_link_leads_to_whether_one_is_told(tocsin, issue, sign_in):
    page = sign_in("alice", height=560)
    page.goto(tocsin.address_of(issue))
    page.get_by_role("link", name="Subscription").click()
    unsubscribe = page.get_by_role("button", name="Unsubscribe", exact=True)
    unsubscribe.click(trial=True)
    expect(unsubscribe).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("height", [560, 640, 700, 799, 800, 900])
def test_what_stays_in_view_covers_no_control_that_has_the_focus(tocsin, issue, sign_in, height):
    page = sign_in("alice", height=height)
    page.goto(tocsin.address_of(issue))
    page.locator("aside :is(a, button, select, summary)").first.focus()
    seen = 0
    while page.evaluate(IS_BESIDE):
        assert page.evaluate(IS_UNCOVERED), page.evaluate("document.activeElement.outerHTML")
        seen += 1
        page.keyboard.press("Tab")
    assert seen > 5


def focus_is_kept(page) -> bool:
    return bool(page.evaluate("document.activeElement && document.activeElement !== document.body"))


def test_an_empty_comment_comes_back_with_what_is_wrong(tocsin, issue, sign_in):
    for script in (True, False):
        page = sign_in("alice", script=script)
        page.goto(tocsin.address_of(issue))
        page.get_by_role("button", name="Comment", exact=True).click()
        expect(page.get_by_text("Write something first: the comment is empty.").first).to_be_visible()


def test_whoever_was_signed_out_meanwhile_is_led_to_the_form(tocsin, issue, sign_in):
    page = sign_in("alice")
    page.goto(tocsin.address_of(issue))
    page.context.clear_cookies()
    page.keyboard.press("r")
    page.keyboard.press("Enter")
    expect(
        page.get_by_label("Password", exact=True).or_(page.get_by_text("This form is too old")).first
    ).to_be_visible()


@pytest.mark.parametrize(
    "path", ["/", "/acme/shop/", "issue", "/settings/account/notifications/", "/dev/mail/"]
)
def test_nothing_sticks_out_on_a_phone(tocsin, issue, sign_in, path):
    page = sign_in("alice", width=360, height=740)
    page.goto(tocsin.address_of(issue) if path == "issue" else tocsin.url + path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
