"""The issue list."""

import gzip
from datetime import timedelta

import pytest

from app.clock import now as real_now
from app.models import IssueHour
from tests.web.issues.conftest import HOSTILE

TITLE = "IntegrityError: duplicate key value violates unique constraint “orders_number_key”"


def titles(page):
    return [link.text for link in page.select(".row h3 a")]


def test_the_list_shows_what_is_unresolved(as_user, bob, make, shop):
    make.issue(shop, title="open")
    make.issue(shop, title="done", status="resolved")
    page = as_user(bob).page("/acme/shop/")
    assert titles(page) == ["open"]
    assert page.select_one("#query")["value"] == "is:unresolved"


def test_a_row_says_all_that_matters(as_user, cast, make, shop, run_jobs, report, session):
    report("KeyError: cart", level="fatal")
    run_jobs()
    row = as_user(cast.bob).page("/acme/shop/").select_one(".row")
    assert row.select_one(".mark.is-fatal")
    text = row.text
    for part in ("KeyError: cart", "shop.cart.checkout", "SHOP-1", "New", "just now", "Told 3"):
        assert part in text
    assert row.select_one("svg.spark")["aria-label"] == "1 event in 24 hours, busiest hour 1"
    assert row.select_one(".row > .avatar[aria-label=Nobody]")
    assert row.select_one("a.reach")["href"].startswith("/notices/n_")


def test_the_assignee_stands_in_the_row(as_user, cast, make, shop):
    make.issue(shop, assignee_user_id=cast.bob.id)
    make.issue(shop, assignee_team_id=cast.team.id)
    page = as_user(cast.alice).page("/acme/shop/")
    assert {cell["title"] for cell in page.select(".row > .avatar")} == {"Bob", "#shop-team"}


@pytest.mark.parametrize("path", ["/acme/shop/", "/acme/shop/counts", "/acme/shop/news", "/acme/shop/people"])
@pytest.mark.parametrize("who", ["dee", "charlie"])
def test_who_may_not_see_the_project_does_not_find_it(as_user, cast, make, shop, path, who):
    assert as_user(getattr(cast, who)).get(path).status_code == 404


def test_strangers_do_not_find_the_organization(as_user, charlie, shop):
    assert as_user(charlie).get("/acme/issues/").status_code == 404


def test_an_organizations_list_holds_the_projects_one_sees(as_user, cast, make):
    make.issue(make.project(cast.acme, "hidden"), title="unseen")
    make.issue(cast.shop, title="seen")
    assert titles(as_user(cast.bob).page("/acme/issues/")) == ["seen"]
    assert set(titles(as_user(cast.alice).page("/acme/issues/"))) == {"seen", "unseen"}


def test_signed_out_people_are_asked_to_sign_in(client, shop):
    answer = client.get("/acme/shop/")
    assert answer.status_code == 303
    assert "/auth/login/" in answer.location


@pytest.mark.parametrize(
    ("tab", "found"),
    [
        ("Unresolved", {"open", "mine", "back"}),
        ("For review", {"open", "back"}),
        ("Assigned to me", {"mine"}),
        ("Regressed", {"back"}),
        ("Ignored", {"silenced"}),
        ("Resolved", {"done"}),
    ],
)
def test_a_tab_shows_what_it_says(as_user, bob, make, shop, tab, found):
    make.issue(shop, title="open")
    make.issue(shop, title="mine", assignee_user_id=bob.id)
    make.issue(shop, title="back", regressed_at=make.now)
    make.issue(shop, title="done", status="resolved", regressed_at=make.now)
    make.issue(shop, title="silenced", status="ignored")
    browser = as_user(bob)
    link = next(a for a in browser.page("/acme/shop/").select("#stream-tabs a") if tab in a.text)
    page = browser.page(link["href"])
    assert set(titles(page)) == found
    assert page.select_one("#stream-tabs [aria-current]").text.strip() == tab


def test_counts_come_after_the_page(as_user, bob, make, shop, htmx, parsed, monkeypatch):
    monkeypatch.setattr("app.services.issues.finding.COUNTED_UP_TO", 3)
    for status in ("unresolved", "unresolved", "unresolved", "unresolved", "ignored"):
        make.issue(shop, status=status)
    browser = as_user(bob)
    later = browser.page("/acme/shop/").select_one("#stream-tabs")
    assert not later.select(".count")
    tabs = parsed(browser.get(later["hx-get"], headers=htmx("div#stream-tabs")).text)
    assert [count.text for count in tabs.select(".count")] == ["2+", "2+", "0", "0", "1", "0"]
    assert browser.get(later["hx-get"]).status_code == 303


def test_a_search_by_htmx_gets_the_list_and_beside_it_the_tabs(as_user, bob, make, shop, htmx, parsed):
    make.issue(shop, title="KeyError: one", culprit="here")
    make.issue(shop, title="ValueError: two", culprit="there")
    answer = as_user(bob).get("/acme/shop/?query=keyerror&sort=freq", headers=htmx("div#stream"))
    assert "<html" not in answer.text
    assert "HX-Request" in answer.vary
    part = parsed(answer.text)
    assert titles(part.select_one("#stream")) == ["KeyError: one"]
    assert part.select_one("#stream-tabs")["hx-swap-oob"] == "true"
    assert part.select("#stream-tabs .count")


def test_the_form_of_the_filters_works_without_script(as_user, bob, shop):
    form = as_user(bob).page("/acme/shop/").select_one("form.filters")
    assert form["action"] == form["hx-get"] == "/acme/shop/"
    assert {field["name"] for field in form.select("[name]")} == {"query", "statsPeriod", "sort"}
    assert form.select_one("button[type=submit]")


def test_no_selector_is_called_as_a_choice_of_another(as_user, bob, make, shop):
    make.environment(shop, "production")
    make.release(shop, "shop@1")
    page = as_user(bob).page("/acme/issues/")
    selectors = page.select(".selectors select")
    labels = {label["for"]: label.text for label in page.select(".selectors label[for]")}
    names = {each.get("aria-label") or labels[each["id"]] for each in selectors}
    assert len(names) == len(selectors) == 5
    assert {labels["statsPeriod"], labels["sort"]} == {"Seen", "Sort"}
    assert not names & {option.text for each in selectors for option in each.select("option")}


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true", "HX-Request-Type": "partial"}])
def test_a_bad_term_is_named_with_what_may_be_written(as_user, bob, make, shop, headers, parsed):
    make.issue(shop)
    answer = as_user(bob).get("/acme/shop/?query=is:nonsense+cart", headers=headers)
    assert answer.status_code == 422
    page = parsed(answer.text)
    problem = page.select_one("#query-problem[role=alert]").text
    assert "is:nonsense" in problem
    assert "unresolved" in problem
    assert not page.select(".row")
    if not headers:
        assert page.select_one("#query")["value"] == "is:nonsense cart"


@pytest.mark.parametrize("text", ["SHOP-1", " shop-1 "])
def test_a_short_id_opens_its_issue(as_user, bob, make, shop, text, htmx):
    issue = make.issue(shop)
    browser = as_user(bob)
    answer = browser.get("/acme/shop/", query_string={"query": text})
    assert (answer.status_code, answer.location) == (303, f"/acme/shop/issues/{issue.id}/")
    by_htmx = browser.get("/acme/shop/", query_string={"query": text}, headers=htmx())
    assert by_htmx.headers["HX-Redirect"] == f"/acme/shop/issues/{issue.id}/"


def test_what_only_looks_like_a_short_id_is_searched_for(as_user, bob, make, shop):
    make.issue(shop, title="no such thing: SHOP-99")
    assert titles(as_user(bob).page("/acme/shop/?query=SHOP-99")) == ["no such thing: SHOP-99"]


def test_pages_are_links(as_user, bob, make, shop, now):
    for n in range(30):
        make.issue(shop, title=f"E{n}", last_seen=now + timedelta(minutes=n))
    browser = as_user(bob)
    first = browser.page("/acme/shop/?query=is:unresolved+level:error")
    assert len(titles(first)) == 25
    second = browser.page(first.select_one(".pager [rel=next]")["href"])
    assert titles(second) == [f"E{n}" for n in range(4, -1, -1)]
    assert titles(browser.page(second.select_one(".pager [rel=prev]")["href"])) == titles(first)
    assert browser.get("/acme/shop/?cursor=garbage&sort=nonsense").status_code == 200


@pytest.mark.parametrize(
    ("query", "heading"),
    [("", "Nothing unresolved."), ("?query=level:fatal", "No issue matches.")],
)
def test_an_empty_list_says_what_is_normal_and_what_to_do(as_user, bob, make, shop, now, query, heading):
    shop.first_event_at = now
    make.issue(shop, status="resolved", resolved_at=real_now() - timedelta(hours=2))
    empty = as_user(bob).page(f"/acme/shop/{query}").select_one(".empty")
    assert empty.h2.text == heading
    assert ("2 hours ago" in empty.text) == (query == "")
    assert empty.select_one("a[href]")


def test_a_project_without_events_leads_to_its_connection(as_user, bob, shop):
    page = as_user(bob).page("/acme/shop/")
    assert page.select_one(".empty a")["href"] == "/welcome/acme/shop/connect/"


def test_what_an_sdk_says_is_only_text(as_user, bob, make, shop):
    make.issue(shop, title=HOSTILE, culprit=HOSTILE)
    answer = as_user(bob).get("/acme/shop/")
    assert "<script>alert" not in answer.text
    assert '<b hx-get="/boom">' not in answer.text
    page = as_user(bob).page("/acme/shop/")
    link = page.select_one(".row h3 a")
    assert link.text == HOSTILE
    assert link.find_parent(attrs={"hx-ignore": True})


def test_an_open_list_is_told_of_news_and_of_nothing_else(as_user, bob, make, shop, now):
    make.issue(shop)
    browser = as_user(bob)
    poll = browser.page("/acme/shop/").select_one("#stream .strip span")
    assert poll["hx-trigger"].startswith("every ")
    quiet = browser.get(poll["hx-get"])
    assert (quiet.status_code, quiet.text) == (204, "")
    make.issue(shop, status="ignored", last_seen=now + timedelta(hours=1))
    assert browser.get(poll["hx-get"]).status_code == 204
    make.issue(shop, last_seen=now + timedelta(minutes=1))
    news = browser.get(poll["hx-get"])
    assert "New events · Show" in news.text
    assert news.get_etag()[0]


def test_rows_beyond_the_first_page_and_other_orders_are_not_watched(as_user, bob, make, shop):
    make.issue(shop)
    assert not as_user(bob).page("/acme/shop/?sort=freq").select("#stream .strip span")


def test_the_keys_find_what_they_press(as_user, bob, make, shop):
    make.issue(shop)
    page = as_user(bob).page("/acme/shop/")
    keys = {key["data-row-key"]: key["data-post"] for key in page.select("form > [data-row-key][hidden]")}
    row, oneself = "/issues/0/row/", "/issues/0/oneself/"
    assert keys == {"r": row, "i": row, "s": oneself, "m": oneself}
    assert {"r", "i", "a", "s"} <= {key["data-key"] for key in page.select(".bulkbar [data-key]")}


def full_list(make, shop, cast):
    """With all that makes a row long: a long title, no quiet hour, an assignee, somebody who was told."""
    hour = real_now().replace(minute=0, second=0, microsecond=0)
    for n in range(26):
        issue = make.issue(
            shop, title=f"{TITLE} {n}", culprit="shop.checkout.orders.place_order", times_seen=12_000 + n
        )
        if n % 3 == 0:
            issue.assignee_user_id = cast.bob.id
        make.session.add_all(
            IssueHour(issue_id=issue.id, hour=hour - timedelta(hours=at), count=1 + n * at * 7 % 41)
            for at in range(24)
        )
        make.delivery(make.notice(issue, planned_at=issue.last_seen), cast.bob, state="accepted")


def test_a_full_page_stays_within_fifty_kilobytes(as_user, cast, make, shop):
    full_list(make, shop, cast)
    page = as_user(cast.bob).get("/acme/shop/").data
    assert len(page) < 50 * 1024
    assert len(gzip.compress(page)) < 9 * 1024


def test_a_full_page_takes_as_many_queries_as_a_short_one(as_user, cast, make, shop, queries):
    browser = as_user(cast.bob)
    make.notice(make.issue(shop))
    browser.get("/acme/shop/")
    with queries() as for_one:
        browser.get("/acme/shop/")
    full_list(make, shop, cast)
    with queries() as for_many:
        browser.get("/acme/shop/")
    assert len(for_many) == len(for_one) == 7
