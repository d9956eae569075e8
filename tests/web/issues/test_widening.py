"""What an empty list offers: the search with one term less, or a value that need not be exact."""

import pytest

from app.models import IssueTag

pytestmark = pytest.mark.any_database


@pytest.fixture
def payments(make, shop, session, now):
    """Two that are unresolved and a settled one; the first was seen with a browser, in production."""
    shop.first_event_at = now
    made = [make.issue(shop, title="TimeoutError", message="payment gateway", level="error")]
    made += [make.issue(shop, title="KeyError", status=status) for status in ("unresolved", "resolved")]
    for key, value in (("browser", "Firefox"), ("environment", "production"), ("release", "shop@1")):
        tag = {"key": key, "value": value, "count": 1, "last_seen": now}
        session.add(IssueTag(issue_id=made[0].id, **tag))
    session.flush()
    return made


@pytest.fixture
def offered(as_user, bob, htmx, parsed):
    """The lines of the empty list: at once, and when they are counted."""

    def read(path):
        browser = as_user(bob)
        at_once = browser.page(path).select_one("#widening")
        counted = parsed(browser.get(at_once["hx-get"], headers=htmx("div")).text).select_one("#widening")
        assert "hx-get" not in counted.attrs
        for link in counted.select("a"):
            assert browser.page(link["href"]).select(".row")
        return [[line.text for line in part.select("li, p")] for part in (at_once, counted)]

    return read


WAYS = {
    "message:gateway is:unresolved": [
        "Search for message:*gateway* (would show 1)",
        "Clear message:gateway (would show 2)",
    ],
    "is:ignored": ["Clear is:ignored (would show 3)"],
    "is:resolved timeout error": ["Clear timeout error (would show 1)"],
    "error.handled:true is:unresolved": [
        "No event has a tag error.handled.",
        "Clear error.handled:true (would show 2)",
    ],
    "has:plan": ["No event has a tag plan.", "Clear has:plan (would show 3)"],
    "browser:fire": ["Search for browser:*fire* (would show 1)", "Clear browser:fire (would show 3)"],
    "browser:opera firefly": ["Without any one of them alone, nothing matches either."],
    "is:resolved&release=shop@1": [
        "Clear is:resolved (would show 1)",
        "Clear release shop@1 (would show 1)",
    ],
    "is:resolved&release=latest": ["Clear latest release (would show 1)"],
    "is:resolved&environment=production": [
        "Clear is:resolved (would show 1)",
        "Clear production (would show 1)",
    ],
}


@pytest.mark.parametrize(("query", "lines"), WAYS.items())
def test_an_empty_list_offers_what_would_show_something(payments, offered, query, lines):
    at_once, counted = offered(f"/acme/shop/?query={query}")
    assert counted == lines
    assert all(line.partition(" (")[0] in at_once for line in lines if "would show" in line)


def test_the_project_that_was_selected_can_be_cleared(payments, offered, make, cast):
    make.project(cast.acme, "blog", teams=[cast.team])
    _, counted = offered("/acme/issues/?query=is:resolved&project=blog")
    assert counted == ["Clear blog (would show 1)"]


@pytest.mark.parametrize("query", ["is:unresolved", "is:nonsense", "timeout&cursor=garbage"])
def test_a_list_that_shows_something_or_says_what_is_wrong_offers_nothing(as_user, bob, payments, query):
    answer = as_user(bob).get(f"/acme/shop/?query={query}")
    assert "widening" not in answer.text


def test_the_numbers_alone_are_no_page(as_user, bob, payments):
    answer = as_user(bob).get("/acme/shop/wider?query=is:ignored")
    assert (answer.status_code, answer.location) == (303, "/acme/shop/?query=is:ignored")
    assert as_user(bob).get("/acme/shop/wider?query=is:no", headers={"HX-Request": "true"}).status_code == 200
