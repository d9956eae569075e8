"""From one issue's page to the next: along the list that the reader looked at last."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from app.models import IssueTag, PinnedSearch


@pytest.fixture
def in_order(make, cast, now):
    """Issues of shop as its list has them: `in_order(3)`, or with `same=True` all of one moment."""

    def made(count, *, same=False, **columns):
        issues = [
            make.issue(
                cast.shop, title=f"E{n}: x", last_seen=now - timedelta(minutes=0 if same else n), **columns
            )
            for n in range(count)
        ]
        return issues[::-1] if same else issues

    return made


@pytest.fixture
def seen_in(session, now):
    """The issue was seen in an environment."""

    def seen(issue, environment):
        session.add(IssueTag(issue_id=issue.id, key="environment", value=environment, count=1, last_seen=now))

    return seen


def page_of(issue):
    return f"/acme/{issue.project.slug}/issues/{issue.id}/"


def link(page, label):
    return page.select_one(f'.issue-head a[title="{label}"]')["href"]


def walk(browser, issue, label="Next issue"):
    """Where the link of the issue's page leads."""
    return led_to(browser.get(link(browser.page(page_of(issue)), label)))


def led_to(answer):
    """To whose page: the list that is walked is named behind it."""
    page, _, the_list = answer.location.partition("?")
    assert the_list.startswith("list=")
    return page


@pytest.mark.both_databases
@pytest.mark.parametrize("same", [False, True], ids=["one after the other", "all in one moment"])
def test_every_issue_of_the_list_comes_once_in_its_order_and_back(as_user, cast, in_order, same):
    issues = in_order(4, same=same)
    browser = as_user(cast.bob)
    browser.page("/acme/shop/")
    for here, there in pairwise(issues):
        assert walk(browser, here) == page_of(there)
        assert walk(browser, there, "Previous issue") == page_of(here)


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("sort", "column"), [("freq", "times_seen"), ("users", "users_seen"), ("new", "first_seen")]
)
def test_the_order_is_that_of_the_list(as_user, make, cast, now, sort, column):
    values = [now - timedelta(days=n) for n in (2, 1, 3)] if column == "first_seen" else [20, 30, 10]
    second, first, third = [make.issue(cast.shop, **{column: value}) for value in values]
    browser = as_user(cast.bob)
    browser.page(f"/acme/shop/?sort={sort}")
    assert [walk(browser, first), walk(browser, second)] == [page_of(second), page_of(third)]


@pytest.mark.both_databases
def test_only_what_the_list_finds_is_met(as_user, make, cast, now):
    first = make.issue(cast.shop, title="Wanted: a", last_seen=now)
    make.issue(cast.shop, title="Other: b", last_seen=now - timedelta(minutes=1))
    make.issue(cast.shop, title="Wanted: c", last_seen=now - timedelta(minutes=2), status="resolved")
    last = make.issue(cast.shop, title="Wanted: d", last_seen=now - timedelta(minutes=3))
    browser = as_user(cast.bob)
    browser.page("/acme/shop/?query=is:unresolved+Wanted")
    assert walk(browser, first) == page_of(last)


@pytest.mark.both_databases
def test_a_list_of_all_projects_leads_from_one_to_another(as_user, make, cast, now):
    other = make.project(cast.acme, "other", teams=[cast.team])
    make.issue(make.project(cast.acme, "hidden"), last_seen=now - timedelta(minutes=1))
    first = make.issue(cast.shop, last_seen=now)
    last = make.issue(other, last_seen=now - timedelta(minutes=2))
    browser = as_user(cast.bob)
    browser.page("/acme/issues/")
    assert walk(browser, first) == page_of(last)
    assert walk(browser, last, "Previous issue") == page_of(first)


def test_what_is_selected_beside_the_search_counts_too(as_user, make, cast, seen_in, now):
    first, unwanted, last = [make.issue(cast.shop, last_seen=now - timedelta(minutes=n)) for n in range(3)]
    for issue in (first, last):
        seen_in(issue, "staging")
    seen_in(unwanted, "production")
    browser = as_user(cast.bob)
    browser.page("/acme/shop/?environment=staging")
    assert walk(browser, first) == page_of(last)


def test_an_issue_that_has_left_the_list_still_has_its_place_there(as_user, cast, in_order, session):
    first, second, third = in_order(3)
    browser = as_user(cast.bob)
    browser.page("/acme/shop/")
    second.status = "resolved"
    session.flush()
    assert walk(browser, second) == page_of(third)
    assert walk(browser, second, "Previous issue") == page_of(first)


def test_an_issue_that_moves_while_it_is_read_was_where_its_page_says(as_user, cast, in_order, session, now):
    _first, second, third = in_order(3)
    browser = as_user(cast.bob)
    browser.page("/acme/shop/")
    following = link(browser.page(page_of(second)), "Next issue")
    second.last_seen = now + timedelta(minutes=1)
    session.flush()
    assert led_to(browser.get(following)) == page_of(third)


@pytest.mark.both_databases
@pytest.mark.parametrize(("sort", "column"), [("date", "last_seen"), ("freq", "times_seen")])
def test_an_issue_that_is_seen_again_and_again_is_no_end_of_the_way_back(
    as_user, cast, in_order, session, now, sort, column
):
    first, second, _third = in_order(3)
    for count, issue in ((30, first), (20, second)):
        issue.times_seen = count
    browser = as_user(cast.bob)
    browser.page(f"/acme/shop/?sort={sort}")
    back = link(browser.page(page_of(second)), "Previous issue")
    setattr(second, column, {"last_seen": now - timedelta(seconds=1), "times_seen": 29}[column])
    session.flush()
    assert led_to(browser.get(back)) == page_of(first)


def test_an_issue_that_alone_went_ahead_of_its_place_is_said_to_be_the_first(
    as_user, cast, in_order, session, now
):
    [issue] = in_order(1)
    browser = as_user(cast.bob)
    browser.page("/acme/shop/")
    back = link(browser.page(page_of(issue)), "Previous issue")
    issue.last_seen = now + timedelta(minutes=1)
    session.flush()
    assert led_to(browser.get(back)) == page_of(issue)
    assert "Start of the list" in browser.page(page_of(issue)).select_one("#toasts").text


def test_a_list_in_an_order_that_is_no_more_is_walked_by_date(as_user, app, cast, in_order):
    first, second = in_order(2)
    browser = as_user(cast.bob)
    browser.page("/acme/shop/?sort=freq")
    with browser.session_transaction(base_url=app.config["TOCSIN_URL"]) as kept:
        kept["walked"] = {**kept["walked"], "sort": "colour"}
    assert walk(browser, first) == page_of(second)


@pytest.mark.parametrize("tab", ["events", "users", "notifications"])
def test_a_tab_leads_to_the_neighbours_own_page(as_user, cast, in_order, tab):
    first, second = in_order(2, status="ignored")
    browser = as_user(cast.bob)
    browser.page("/acme/shop/?query=is:ignored")
    page = browser.page(f"{page_of(first)}{tab}/")
    assert led_to(browser.get(link(page, "Next issue"))) == page_of(second)
    assert page.select_one(".issue-head .state").text.strip() == "Ignored"


def test_a_page_stays_with_its_list_whatever_another_tab_shows(as_user, cast, in_order):
    first, second, third = in_order(3)
    second.title = "Unwanted: x"
    browser = as_user(cast.bob)
    browser.page("/acme/shop/?query=is:unresolved+!title:Unwanted*")
    following = link(browser.page(page_of(first)), "Next issue")
    browser.page("/acme/shop/?query=is:unresolved")
    assert led_to(browser.get(following)) == page_of(third)
    assert walk(browser, third, "Previous issue") == page_of(first)


@pytest.mark.parametrize(
    ("label", "which", "words"),
    [
        ("Next issue", -1, "End of the list: no issue comes after SHOP-3 in “is:unresolved” of Shop."),
        ("Previous issue", 0, "Start of the list: no issue comes before SHOP-1 in “is:unresolved” of Shop."),
    ],
)
def test_at_its_end_the_page_says_so(as_user, cast, in_order, label, which, words):
    issue = in_order(3)[which]
    browser = as_user(cast.bob)
    browser.page("/acme/shop/")
    assert walk(browser, issue, label) == page_of(issue)
    assert words in browser.page(page_of(issue)).select_one("#toasts").text


def test_what_narrowed_the_list_is_said_at_its_end(as_user, make, cast, seen_in):
    issue = make.issue(cast.shop, last_seen=datetime.now(UTC))
    seen_in(issue, "staging")
    browser = as_user(cast.bob)
    browser.page("/acme/issues/?query=&environment=staging&statsPeriod=90d&project=shop")
    walk(browser, issue)
    said = browser.page(page_of(issue)).select_one("#toasts").text
    assert "no issue comes after SHOP-1 in all issues of Acme (staging, shop, last 90 days)." in said


def test_without_a_list_it_is_that_with_which_the_project_begins(as_user, make, cast, in_order):
    first, second = in_order(2)
    assert walk(as_user(cast.bob), first) == page_of(second)


def test_what_is_pinned_is_with_what_a_project_begins(as_user, cast, in_order, session):
    first, second = in_order(2, times_seen=5)
    second.times_seen = 9
    session.add(PinnedSearch(organization_id=cast.acme.id, user_id=cast.bob.id, query="", sort="freq"))
    browser = as_user(cast.bob)
    assert walk(browser, second) == page_of(first)


def test_the_list_of_another_project_is_none_of_this_one(as_user, make, cast, in_order):
    first, second = in_order(2)
    other = make.project(cast.acme, "other", teams=[cast.team])
    make.issue(other, title="Wanted: a")
    browser = as_user(cast.bob)
    browser.page("/acme/other/?query=Wanted")
    assert walk(browser, first) == page_of(second)


@pytest.mark.parametrize("path", ["/acme/shop/?query=is:wrong", "/acme/shop/?query=nothing+like+it"])
def test_a_list_that_shows_nothing_is_not_walked(as_user, cast, in_order, path):
    first, second = in_order(2)
    browser = as_user(cast.bob)
    browser.page("/acme/shop/")
    browser.get(path)
    assert walk(browser, first) == page_of(second)


def test_a_search_too_long_for_a_cookie_is_not_remembered(as_user, cast, in_order):
    first, second = in_order(2)
    browser = as_user(cast.bob)
    browser.page("/acme/shop/?query=is:resolved")
    browser.page(f"/acme/shop/?query=is:unresolved+!title:{'x' * 900}")
    assert walk(browser, first) == page_of(second)


def test_a_search_that_is_none_is_explained_where_lists_are(as_user, cast, in_order):
    [issue] = in_order(1)
    answer = as_user(cast.bob).get(f"{page_of(issue)}next/?query=is:wrong&cursor=x")
    assert (answer.status_code, answer.location) == (303, "/acme/shop/?query=is:wrong")


@pytest.mark.parametrize("which", ["next", "previous"])
@pytest.mark.parametrize("name", ["dee", "charlie"])
def test_strangers_find_nothing(as_user, cast, in_order, name, which):
    issue, _ = in_order(2)
    assert as_user(getattr(cast, name)).get(f"{page_of(issue)}{which}/").status_code == 404


@pytest.mark.parametrize("place", ["issues", "hidden"])
def test_whatever_list_an_address_names_one_finds_only_what_one_may_see(
    as_user, make, cast, in_order, now, place
):
    first, second = in_order(2)
    make.issue(make.project(cast.acme, "hidden"), last_seen=now - timedelta(seconds=1))
    answer = as_user(cast.bob).get(f"{page_of(first)}next/?list={place}&query=is:unresolved")
    assert led_to(answer) == page_of(second)


@pytest.mark.both_databases
@pytest.mark.parametrize("path", ["/acme/shop/", "/acme/issues/?environment=staging"])
def test_a_step_takes_the_same_few_queries_however_long_the_list(
    as_user, cast, in_order, seen_in, queries, path
):
    issues = in_order(40)
    for issue in issues:
        seen_in(issue, "staging")
    browser = as_user(cast.bob)
    browser.page(path)
    following = link(browser.page(page_of(issues[30])), "Next issue")
    browser.get(following)
    with queries() as sent:
        assert led_to(browser.get(following)) == page_of(issues[31])
    assert len(sent) <= 8, "\n".join(sent)


def test_the_page_asks_nothing_for_it(as_user, cast, in_order, queries):
    first, _ = in_order(2)
    browser = as_user(cast.bob)
    browser.page(page_of(first))
    with queries() as without:
        browser.page(page_of(first))
    browser.page("/acme/shop/")
    with queries() as sent:
        browser.page(page_of(first))
    assert len(sent) == len(without)


def test_a_page_that_one_has_walked_to_keeps_its_list_whatever_else_is_looked_at(as_user, cast, make, now):
    calm, calmer = (
        make.issue(cast.shop, title=f"W{n}: x", level="warning", last_seen=now - timedelta(minutes=n))
        for n in range(2)
    )
    make.issue(cast.shop, title="E: x", last_seen=now - timedelta(minutes=1, seconds=-30))
    browser = as_user(cast.bob)
    browser.page("/acme/shop/?query=level:warning")
    there = browser.get(link(browser.page(page_of(calm)), "Next issue")).location
    browser.page("/acme/shop/?query=level:error")
    page = browser.page(there)
    assert led_to(browser.get(link(page, "Previous issue"))) == page_of(calm)
    assert page.select_one('[data-key="g i"]')["href"] == "/acme/shop/?query=level:warning"
    assert there.startswith(page_of(calmer))
