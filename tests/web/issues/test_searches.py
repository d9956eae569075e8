"""What stands beside the search box: selectors, saved searches, the pin, and what is left of a bad search."""

from datetime import timedelta

import pytest

from app.models import IssueTag
from app.services.issues.keeping_searches import BUILT_IN
from tests.web.issues.test_listing import titles

pytestmark = pytest.mark.any_database
AT = "/acme/shop/searches"


def forms(page):
    return {button.get("formaction"): button.span.text for button in page.select("main form [formaction]")}


def test_a_search_is_saved_found_and_deleted_without_script(as_user, bob, shop):
    browser = as_user(bob)
    menus = browser.page("/acme/shop/?query=level:fatal&sort=freq").select_one("#searches")
    page = browser.page(menus.select("a")[1]["href"])
    form = page.select_one("main form:has(#name)")
    hidden = {field["name"]: field["value"] for field in form.select("input[type=hidden]")}
    saved = browser.post(form["action"], data={**hidden, "name": "Fatal ones"})
    assert (saved.status_code, saved.location) == (303, "/acme/shop/?query=level:fatal&sort=freq")
    page = browser.page(f"{AT}?query=level:fatal")
    assert "/acme/shop/?query=level:fatal&sort=freq" in [a["href"] for a in page.select("a.menu-item")]
    [delete] = [action for action, label in forms(page).items() if "Fatal ones" in label]
    browser.post(delete, data=hidden)
    assert "Fatal ones" not in browser.page(AT).select_one("main").text


def test_a_name_twice_leaves_what_was_typed(as_user, bob, shop, parsed):
    browser = as_user(bob)
    form = {"query": "cart", "name": "Carts"}
    browser.post(AT, data=form)
    again = browser.post(AT, data=form)
    assert again.status_code == 422
    page = parsed(again.text)
    assert "already" in page.select_one(".errors, [role=alert], .notice").text
    assert page.select_one("#name")["value"] == "Carts"


def test_who_manages_saves_for_everybody(as_user, cast):
    as_user(cast.alice).post(AT, data={"query": "cart", "name": "Carts", "visibility": "organization"})
    page = as_user(cast.bob).page(f"{AT}?query=cart")
    assert "Carts" in page.select_one("main").text
    assert not page.select("[name=visibility]")
    assert not [label for label in forms(page).values() if "Delete" in label]


def test_what_is_pinned_comes_first_in_every_list_until_it_is_unpinned(as_user, cast, make):
    make.issue(cast.shop, title="loud", level="fatal")
    make.issue(cast.shop, title="quiet")
    browser = as_user(cast.bob)
    browser.post(f"{AT}/pin", data={"query": "level:fatal", "sort": "freq"})
    for path in ("/acme/shop/", "/acme/issues/"):
        page = browser.page(path)
        assert titles(page) == ["loud"]
        assert page.select_one("#sort [selected]")["value"] == "freq"
    assert set(titles(as_user(cast.alice).page("/acme/shop/"))) == {"loud", "quiet"}
    assert set(titles(browser.page("/acme/shop/?query=is:unresolved"))) == {"loud", "quiet"}
    browser.post(f"{AT}/pin", data={"query": "level:fatal", "unpin": "1"})
    assert set(titles(browser.page("/acme/shop/"))) == {"loud", "quiet"}


def test_what_is_pinned_has_a_tab_and_a_mark_and_is_unpinned_from_its_menu(as_user, bob, shop, htmx, parsed):
    browser = as_user(bob)
    browser.post(f"{AT}/pin", data={"query": "level:fatal", "sort": "freq"})
    page = browser.page("/acme/shop/")
    assert page.select_one("#stream-tabs [aria-current]").text.strip() == "Pinned"
    later = parsed(browser.get(page.select_one("#stream-tabs")["hx-get"], headers=htmx("div")).text)
    assert later.select_one("[aria-current]").text.strip() == "Pinned"
    menu = parsed(browser.get(f"{AT}?query=cart", headers=htmx("div")).text)
    assert [link.small.text for link in menu.select("a.menu-item") if "level:fatal" in link.text] == [
        "Pinned"
    ]
    [unpin] = menu.select("form button[name=unpin]")
    browser.post(unpin["formaction"], data={"unpin": "1"})
    assert "Pinned" not in browser.page("/acme/shop/").select_one("#stream-tabs").text


def test_a_tab_that_is_pinned_is_not_shown_twice(as_user, bob, shop):
    browser = as_user(bob)
    browser.post(f"{AT}/pin", data={"query": "is:unresolved assigned:me", "sort": "date"})
    tabs = browser.page("/acme/shop/").select_one("#stream-tabs")
    assert tabs.select_one("[aria-current]").text.strip() == "Assigned to me"
    assert "Pinned" not in tabs.text
    assert [link.span.text for link in browser.page(AT).select("a.menu-item") if "· pinned" in link.text] == [
        "Assigned to meis:unresolved assigned:me · pinned"
    ]


def test_every_search_that_one_may_delete_is_deleted_from_one_page(as_user, bob, shop):
    browser = as_user(bob)
    for name in ("One", "Two"):
        browser.post(AT, data={"query": name, "name": name})
    assert [label for label in forms(browser.page(AT)).values() if label.startswith("Delete")] == [
        "Delete “One”",
        "Delete “Two”",
    ]


def lately(browser):
    known = {query for _, query in BUILT_IN}
    links = browser.page(AT).select("main a.menu-item")
    return [link.text.strip() for link in links if not link.small and link.text.strip() not in known]


def test_searches_made_lately_are_offered_again_until_they_are_forgotten(as_user, bob, make, shop):
    make.issue(shop, title="cart")
    browser = as_user(bob)
    for query in ("is:unresolved", "cart", "is:nonsense", "finds nothing"):
        browser.get("/acme/shop/", query_string={"query": query})
    assert lately(browser) == ["cart"]
    [forget] = [action for action, label in forms(browser.page(AT)).items() if "Forget" in label]
    assert browser.post(forget, data={"query": "cart"}).location == "/acme/shop/?query=cart"
    assert lately(browser) == []
    browser.get("/acme/shop/?query=cart")
    assert lately(browser) == ["cart"]


@pytest.mark.parametrize("path", ["/acme/shop/searches", "/acme/issues/searches"])
def test_strangers_find_no_searches(as_user, charlie, cast, path):
    assert as_user(charlie).get(path).status_code == 404
    assert as_user(charlie).post(path, data={"query": "x", "name": "y"}).status_code == 404


def test_a_bad_search_offers_the_rest_of_it(as_user, bob, make, shop, parsed):
    make.issue(shop, title="cart")
    answer = as_user(bob).get("/acme/shop/?query=is:nonsense+cart&statsPeriod=7d")
    link = parsed(answer.text).select_one("#query-problem a")
    assert link["href"] == "/acme/shop/?query=cart&statsPeriod=7d"


@pytest.fixture
def spread(make, cast, session):
    """Issues of two projects, two environments and three releases, one of them old."""
    other = make.project(cast.acme, "blog", teams=[cast.team])
    real = make.now + timedelta(days=400)  # of the real clock, too
    for project, environment, release, title in (
        (cast.shop, "production", "shop@1", "paid"),
        (cast.shop, "staging", "shop@2", "tried"),
        (other, "production", "blog@1", "read"),
    ):
        issue = make.issue(project, title=title, last_seen=real)
        for key, value in (("environment", environment), ("release", release)):
            session.add(IssueTag(issue_id=issue.id, count=1, key=key, value=value, last_seen=real))
        make.release(project, release, at=make.now + timedelta(hours=len(title)))
    for project in (cast.shop, other):
        make.environment(project, "production")
    make.issue(cast.shop, title="old", last_seen=make.now - timedelta(days=700))
    session.flush()


@pytest.mark.parametrize(
    ("asked", "found"),
    {
        "/acme/issues/": "old paid read tried",
        "/acme/issues/?project=blog": "read",
        "/acme/issues/?project=nothing": "",
        "/acme/issues/?environment=production": "paid read",
        "/acme/issues/?environment=production&project=shop": "paid",
        "/acme/issues/?statsPeriod=90d": "paid read tried",
        "/acme/shop/?environment=staging": "tried",
        "/acme/shop/?environment=nowhere": "",
        "/acme/issues/?release=blog@1": "read",
        "/acme/issues/?release=latest": "read tried",
        "/acme/shop/?release=shop@1": "paid",
        "/acme/shop/?release=latest&environment=production": "",
        "/acme/shop/?release=shop*": "",
    }.items(),
)
def test_selectors_narrow_the_list_and_what_leads_on_from_it(as_user, bob, spread, asked, found):
    page = as_user(bob).page(asked)
    assert sorted(titles(page)) == found.split()
    for name, value in (pair.split("=") for pair in asked.partition("?")[2].split("&") if pair):
        if value != "nothing":
            assert page.select_one(f".filters [name={name}] [selected]")["value"] == value
        links = [link["href"] for link in page.select("#stream-tabs a")]
        assert all(f"{name}={value}" in link for link in links)
        if found:
            assert page.select_one(f"#bulk [name={name}]")["value"] == value


def offered(page):
    return [option.text for option in page.select("#release option")]


@pytest.mark.parametrize(
    ("asked", "found"),
    {
        "/acme/shop/": "shop@2 shop@1",
        "/acme/shop/?release=shop@0": "shop@2 shop@1 shop@0",
        "/acme/issues/": "shop@2 blog@1 shop@1",
        "/acme/issues/?project=blog": "blog@1",
    }.items(),
)
def test_the_releases_of_what_is_in_view_are_offered_newest_first(as_user, bob, spread, asked, found):
    assert offered(as_user(bob).page(asked)) == ["Any release", "Latest release", *found.split()]


def test_the_releases_follow_the_project_that_is_selected(as_user, bob, spread, htmx, parsed):
    here = {**htmx("div#stream"), "HX-Current-URL": "http://localhost/acme/issues/?project=blog"}
    browser = as_user(bob)
    moved = parsed(browser.get("/acme/issues/?project=shop", headers=here).text)
    assert offered(moved) == ["Any release", "Latest release", "shop@2", "shop@1"]
    stayed = parsed(browser.get("/acme/issues/?project=blog&release=latest", headers=here).text)
    assert not stayed.select("#releases")


def test_more_releases_than_fit_are_searched_for(as_user, bob, make, cast):
    hidden = make.project(cast.acme, "hidden")
    for n in range(21):
        make.release(cast.shop, f"shop@{n}", at=make.now + timedelta(minutes=n))
    make.release(hidden, "hidden@1", at=make.now + timedelta(days=1))
    page = as_user(bob).page("/acme/issues/")
    _, _, *versions, last = offered(page)
    assert versions == [f"shop@{n}" for n in range(20, 0, -1)]
    assert "search for release:" in last
    assert "release:" in page.select_one(f"#{page.select_one('#release')['aria-describedby']}").text


@pytest.mark.parametrize("path", ["/acme/shop/", "/acme/issues/"])
def test_a_search_within_its_selectors_takes_eight_queries_when_it_is_made_again(
    as_user, bob, spread, queries, path
):
    browser, asked = (
        as_user(bob),
        f"{path}?query=is:unresolved+paid+browser:x&environment=production&project=shop&release=latest",
    )
    browser.get(asked)
    with queries() as sent:
        browser.get(asked)
    assert len(sent) <= 8, "\n".join(sent)


def test_the_help_is_made_of_the_table_that_reads(as_user, bob, htmx):
    browser = as_user(bob)
    page = browser.page("/help/search/")
    assert {"told", "firstSeen, age", "any_tag"} <= {cell.text for cell in page.select(".search-keys dt")}
    assert "<html" not in browser.get("/help/search/", headers=htmx("div")).text
