"""The issue's Events tab: all its events that are kept, newest first."""

from datetime import timedelta

import pytest

from app.models import Event
from app.services.issues.issue_events import PER_PAGE
from tests.support.browser import HTMX
from tests.web.issues.conftest import HOSTILE


@pytest.fixture
def issue(make, cast):
    """Without an event, until a test makes some."""
    return make.issue(cast.shop)


@pytest.fixture
def address(issue):
    return f"/acme/shop/issues/{issue.id}/events/"


def ids_of(page):
    """The events that the rows lead to."""
    return [link["href"].partition("?event=")[2] for link in page.select("#events td[data-label=Event] a")]


def cell(row, label):
    return " ".join(row.select_one(f"td[data-label={label}]").text.split())


def test_it_is_a_tab_of_the_issue(as_user, cast, issue, address):
    browser = as_user(cast.bob)
    for path in (f"/acme/shop/issues/{issue.id}/", address, f"/acme/shop/issues/{issue.id}/notifications/"):
        assert browser.page(path).find("a", href=address)
    assert browser.page(address).find("a", href=address)["aria-current"] == "page"


def test_a_row_says_when_what_where_and_to_whom_and_leads_to_its_event(
    as_user, make, cast, issue, address, now
):
    event = make.event(issue, at=now, release="shop@2.0.0", environment="staging")
    browser = as_user(cast.bob)
    row = browser.page(address).select_one("#events tbody tr")
    assert row.time["datetime"].startswith(f"{now:%Y-%m-%dT%H:%M:%S}")
    assert cell(row, "Event").startswith(event.title)
    assert cell(row, "Release") == "shop@2.0.0"
    assert cell(row, "Environment") == "staging"
    assert cell(row, "User") == "visitor@example.net"
    assert event.event_id[:8] in browser.page(row.a["href"]).select_one("#event h2").text


@pytest.mark.parametrize(
    ("user", "shown"),
    [
        ({"id": "7", "email": "ann@example.net", "username": "ann"}, "ann@example.net"),
        ({"id": "7", "username": "ann"}, "ann"),
        ({"id": 7}, "7"),
        ({"ip_address": "203.0.113.9"}, "203.0.113.9"),
        (None, ""),
        ({"username": HOSTILE}, HOSTILE),
    ],
)
def test_a_user_is_named_by_what_people_know_best(as_user, make, cast, issue, address, user, shown):
    make.event(issue, user=user)
    row = as_user(cast.bob).page(address).select_one("#events tbody tr")
    assert cell(row, "User") == " ".join(shown.split())


@pytest.mark.both_databases
def test_they_come_newest_first_in_pages_that_lead_on_and_back(as_user, make, cast, issue, address, now):
    """Events of one moment included, which the pages divide."""
    same = [make.event(issue, at=now) for _ in range(PER_PAGE)]
    older = [make.event(issue, at=now - timedelta(minutes=n)) for n in range(1, 4)]
    newest = make.event(issue, at=now + timedelta(minutes=1))
    ordered = [each.event_id for each in (newest, *reversed(same), *older)]
    browser = as_user(cast.bob)
    first = browser.page(address)
    second = browser.page(first.select_one('a[rel="next"]')["href"])
    assert [*ids_of(first), *ids_of(second)] == ordered
    assert len(ids_of(first)) == PER_PAGE
    assert first.select_one('a[rel="prev"]') is None
    assert second.select_one('a[rel="next"]') is None
    assert ids_of(browser.page(second.select_one('a[rel="prev"]')["href"])) == ids_of(first)


def test_only_those_of_the_issue_are_there(as_user, make, cast, issue, address):
    make.event(make.issue(cast.shop, title="OSError: other"))
    event = make.event(issue)
    assert ids_of(as_user(cast.bob).page(address)) == [event.event_id]


def test_htmx_gets_the_list_alone(as_user, make, cast, issue, address):
    make.event(issue)
    answer = as_user(cast.bob).get(address, headers=HTMX)
    assert "<html" not in answer.text
    assert 'id="events"' in answer.text


def test_an_issue_whose_events_are_no_longer_kept_says_so(as_user, session, make, cast, issue, address):
    for _ in range(PER_PAGE + 1):
        make.event(issue)
    browser = as_user(cast.bob)
    older = browser.page(address).select_one('a[rel="next"]')["href"]
    session.query(Event).filter(Event.issue_id == issue.id).delete()
    assert "No event of this issue is kept" in browser.page(address).select_one("#events").text
    turned = browser.page(older).select_one("#events")
    assert turned.find("a", href=address)


def test_a_cursor_that_is_none_begins_at_the_beginning(as_user, make, cast, issue, address):
    event = make.event(issue)
    assert ids_of(as_user(cast.bob).page(f"{address}?cursor=x")) == [event.event_id]


@pytest.mark.parametrize("name", ["dee", "charlie"])
def test_strangers_find_nothing(as_user, cast, address, name):
    assert as_user(getattr(cast, name)).get(address).status_code == 404


def test_an_old_address_leads_on(as_user, cast, issue, address):
    answer = as_user(cast.bob).get(f"/acme/old-name/issues/{issue.id}/events/")
    assert (answer.status_code, answer.location) == (303, address)
