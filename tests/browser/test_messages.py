"""What was done is said, and where the focus goes then; what failed does not look as if it were done."""

import pytest
from playwright.sync_api import expect

from app.services.issues import removing
from tests.conftest import NOON
from tests.make import Make
from tests.support import cast as casting

SETTINGS = "/settings/account/notifications/"


@pytest.fixture
def own_issue(tocsin):
    """An issue that only this test sees, for it does not survive it."""
    tocsin.will_write()
    shop = casting.found(tocsin.session).shop
    made = Make(tocsin.session, NOON).issue(shop, title="GoneError: soon", events=1)
    tocsin.session.commit()
    return made


def test_a_choice_that_was_not_saved_is_put_back_and_that_is_said(tocsin, sign_in):
    page = sign_in("bob")
    page.goto(f"{tocsin.url}{SETTINGS}")
    select = page.locator("#row-own_activity-0 select")
    before = select.input_value()
    page.route("**/settings/**", lambda route: route.abort())
    select.select_option("on" if before != "on" else "off")
    expect(page.locator(".toast.is-failed")).to_contain_text("The choice is as it was.")
    expect(page.locator("#live")).to_contain_text("No answer from the server")
    expect(select).to_have_value(before)
    page.unroute("**/settings/**")
    select.select_option("on" if before != "on" else "off")
    expect(page.locator("#row-own_activity-0")).to_contain_text("Saved")
    expect(page.locator(".toast.is-failed")).to_have_count(0)


def test_after_undo_in_a_toast_the_focus_is_at_what_it_said(tocsin, own_issue, sign_in):
    page = sign_in("alice")
    page.goto(tocsin.address_of(own_issue))
    page.get_by_role("region", name="Actions").get_by_role("button", name="Unsubscribe").click()
    page.get_by_role("region", name="Messages").get_by_role("button", name="Undo").click()
    toast = page.locator(".toast").last
    expect(toast).to_contain_text("Undone")
    expect(toast).to_be_focused()
    expect(page.locator("#live")).to_contain_text("Undone")


def test_who_acts_on_an_issue_that_was_deleted_meanwhile_is_told_so(tocsin, own_issue, sign_in):
    page = sign_in("bob")
    page.goto(tocsin.address_of(own_issue))
    name = own_issue.short_id
    tocsin.will_write()
    removing.delete(tocsin.session, [own_issue], by=casting.found(tocsin.session).alice, now=NOON)
    tocsin.session.commit()
    page.locator("#text").click()
    page.locator("#text").press_sequentially("hello")
    page.wait_for_timeout(600)
    expect(page.locator(".toast")).to_have_count(0)
    page.get_by_role("region", name="Actions").get_by_role("button", name="Unsubscribe").click()
    expect(page.locator(".toast")).to_contain_text(name)
    page.locator(".toast a").click()
    expect(page.locator("#stream-title, h1").first).to_be_visible()


def test_a_good_answer_replaces_the_error_of_the_form(tocsin, issue, sign_in):
    page = sign_in("bob")
    page.goto(f"{tocsin.url}/notices/why/?issue={issue.id}")
    page.get_by_label("What happened").select_option("event")
    page.get_by_role("button", name="Tell me why").click()
    expect(page.locator("#why-form .errors")).to_be_visible()
    page.get_by_label("At about").fill("2026-11-23T09:14")
    page.get_by_role("button", name="Tell me why").click()
    expect(page.locator("#answer-title")).to_be_focused()
    expect(page.locator("#why-form .errors")).to_have_count(0)


@pytest.mark.parametrize("height", [480, 600, 900])
def test_a_menu_has_room_in_a_low_window(tocsin, issue, sign_in, height):
    page = sign_in("alice")
    page.set_viewport_size({"width": 1280, "height": height})
    page.goto(tocsin.address_of(issue))
    page.locator(f"#issue-{issue.id}-ignore > summary").click()
    box = page.locator(f"#issue-{issue.id}-ignore > .menu-panel").bounding_box()
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= height
    assert box["height"] >= 240


def test_on_a_phone_every_control_of_a_resolved_issue_is_in_one_line(tocsin, own_issue, sign_in):
    tocsin.will_write()
    shop = casting.found(tocsin.session).shop
    Make(tocsin.session, NOON).release(shop, "shop@1.0.0")
    own_issue.status = "resolved"
    page = sign_in("alice")
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(tocsin.address_of(own_issue))
    controls = [each for each in page.locator(".actions-bar .btn").all() if each.is_visible()]
    boxes = [each.bounding_box() for each in controls if not each.evaluate("e => e.closest('.menu-panel')")]
    assert len(boxes) == 6
    assert len({box["y"] for box in boxes}) == 1
