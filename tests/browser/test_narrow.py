"""Finding one's way in a small window: nothing runs out of sight without a sign of it."""

import pytest

from app.services.issues import keeping_searches
from tests.conftest import NOON
from tests.support import cast as casting

PHONE = 390
ROWS = {
    "the project's": ("/acme/shop/settings/", ".project-tabs .tabs"),
    "a project's settings": ("/acme/shop/settings/uploads/", ".sidenav"),
    "an organization's settings": ("/acme/settings/tokens/", ".sidenav"),
    "one's own settings": ("/settings/account/notifications/log/", ".sidenav"),
}


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
@pytest.mark.parametrize(("path", "row"), ROWS.values(), ids=ROWS)
def test_where_one_is_stands_in_view(tocsin, sign_in, path, row, script):
    page = sign_in("alice", script=script, width=PHONE)
    page.goto(f"{tocsin.url}{path}")
    outer, inner = (page.locator(each).bounding_box() for each in (row, f"{row} [aria-current]"))
    assert outer["x"] <= inner["x"]
    assert inner["x"] + inner["width"] <= outer["x"] + outer["width"] + 1  # widths are fractions


def test_from_a_project_one_comes_to_its_organization(tocsin, sign_in):
    page = sign_in("alice", width=PHONE)
    page.goto(f"{tocsin.url}/acme/shop/")
    page.locator(".bar summary", has_text="Shop").click()
    page.locator(".bar").get_by_role("link", name="Members").click()
    page.wait_for_url("**/acme/settings/members/")


@pytest.mark.parametrize("width", [390, 800, 1280])
def test_a_long_search_stays_in_the_window(tocsin, sign_in, width):
    tocsin.will_write()
    cast, word = casting.found(tocsin.session), f"{width}" * 30
    wish = keeping_searches.Wish(word, f"message:{word}")
    keeping_searches.save(tocsin.session, cast.acme, wish, by=cast.alice, now=NOON)
    tocsin.session.commit()
    page = sign_in("alice", width=width)
    page.goto(f"{tocsin.url}/acme/shop/")
    page.locator(".search-menus summary").first.click()
    page.locator(".search-menus a", has_text=word).first.wait_for()
    box = page.locator(".search-menus .menu-panel").first.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
