"""The issue's Users tab: all users whom it met, whoever it met last first."""

from datetime import timedelta

import pytest

from app.models import Event
from app.services.issues import issue_users, merging
from app.services.issues.issue_users import PER_PAGE
from tests.support.browser import HTMX
from tests.web.issues.conftest import HOSTILE


@pytest.fixture
def meet(make, cast):
    """The issue meets a user: `meet({"id": "7"}, at=now)`."""
    return lambda user, **members: make.arrival(cast.shop, user=user, **members)


def address_of(issue):
    return f"/acme/shop/issues/{issue.id}/users/"


def names(page):
    return [link.text for link in page.select("#users td[data-label=User] a")]


def cell(row, label):
    return " ".join(row.select_one(f"td[data-label='{label}']").text.split())


def test_it_is_a_tab_of_the_issue_and_its_number_of_users_leads_there(as_user, cast, meet):
    issue = meet({"id": "7"})
    browser, here = as_user(cast.bob), address_of(issue)
    for path in ("", "events/", "users/", "notifications/"):
        assert browser.page(f"/acme/shop/issues/{issue.id}/{path}").select_one(f".tabs a[href='{here}']")
    assert browser.page(here).select_one(f".tabs a[href='{here}']")["aria-current"] == "page"
    head = browser.page(f"/acme/shop/issues/{issue.id}/").select_one(".issue-head .under")
    assert head.find("a", href=here).text == "1 user"


def test_a_row_says_who_when_and_how_often_and_leads_to_their_last_event(as_user, cast, meet, now):
    user = {"id": "7", "email": "ann@example.net"}
    meet(user, at=now - timedelta(days=2))
    meet({"id": "8"}, at=now - timedelta(days=1))
    issue = meet(user, at=now, event_id="f" * 32)
    browser = as_user(cast.bob)
    row = browser.page(address_of(issue)).select_one("#users tbody tr")
    assert [each.text for each in row.select("td[data-label=User] > div")] == ["ann@example.net", "id:7"]
    assert row.select_one("[data-label='First seen'] time")["datetime"].startswith(
        f"{now - timedelta(days=2):%Y-%m-%d}"
    )
    last = row.select_one("[data-label='Last seen'] a")
    assert last.time["datetime"].startswith(f"{now:%Y-%m-%dT%H:%M:%S}")
    assert last["href"].endswith("f" * 32)
    assert cell(row, "Events") == "2"


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("user", "shown"),
    [
        ({"id": "7", "email": "ann@example.net", "username": "ann"}, "ann@example.net"),
        ({"id": "7", "username": "ann"}, "ann"),
        ({"id": 7}, "7"),
        ({"email": "ann@example.net"}, "ann@example.net"),
        ({"ip_address": "203.0.113.9"}, "203.0.113.9"),
        ({"id": 'a "b" \\c*d'}, 'a "b" \\c*d'),
        ({"id": "x" * 128}, "x" * 100),
        ({"username": HOSTILE}, HOSTILE),
    ],
)
def test_a_user_leads_to_all_issues_that_met_them(as_user, make, cast, meet, user, shown):
    issue = meet(user)
    other = make.arrival(cast.shop, "OSError: disk", user=user)
    make.arrival(cast.shop, "OSError: net", user={"id": "somebody else"})
    browser = as_user(cast.bob)
    row = browser.page(address_of(issue)).select_one("#users tbody tr")
    link = row.select_one("td[data-label=User] a")
    assert link.text[:97] == shown[:97]
    found = {each.text for each in browser.page(link["href"]).select(".row h3 a")}
    assert found == {issue.title, other.title}


@pytest.mark.both_databases
def test_they_come_in_pages_that_lead_on_and_back(as_user, cast, meet, now):
    """Users of one moment included, which the pages divide."""
    for n in range(PER_PAGE):
        meet({"id": f"same {n:02}"}, at=now)
    for n in range(1, 4):
        meet({"id": f"older {n}"}, at=now - timedelta(minutes=n))
    issue = meet({"id": "newest"}, at=now + timedelta(minutes=1))
    same = [f"same {n:02}" for n in reversed(range(PER_PAGE))]
    browser = as_user(cast.bob)
    first = browser.page(address_of(issue))
    second = browser.page(first.select_one('a[rel="next"]')["href"])
    assert [*names(first), *names(second)] == ["newest", *same, "older 1", "older 2", "older 3"]
    assert len(names(first)) == PER_PAGE
    assert first.select_one('a[rel="prev"]') is None
    assert second.select_one('a[rel="next"]') is None
    assert names(browser.page(second.select_one('a[rel="prev"]')["href"])) == names(first)


@pytest.mark.both_databases
def test_users_stay_when_their_events_are_no_longer_kept(as_user, session, cast, meet, now):
    issue = meet({"id": "7", "email": "ann@example.net"}, at=now - timedelta(days=2))
    meet({"id": "8"}, at=now)
    session.query(Event).filter(Event.user_ident == "id:7").delete()
    page = as_user(cast.bob).page(address_of(issue))
    kept, gone = page.select("#users tbody tr")
    assert (cell(kept, "User"), cell(kept, "Events")) == ("8", "1")
    assert (cell(gone, "User"), cell(gone, "Events")) == ("7", "")
    assert gone.select_one("[data-label='Last seen'] a") is None
    assert "counted among the last 1 that are still kept. Who" in page.select_one("#users").text
    assert "is known of all 2." in page.select_one("#users").text


def test_events_are_counted_in_the_last_ones_and_the_page_says_so(as_user, cast, meet, now, monkeypatch):
    monkeypatch.setattr(issue_users, "COUNTED", 3)
    for n in range(4):
        meet({"id": "often"}, at=now + timedelta(minutes=n))
    issue = meet({"id": "once"}, at=now + timedelta(hours=1))
    page = as_user(cast.bob).page(address_of(issue))
    assert [cell(row, "Events") for row in page.select("#users tbody tr")] == ["1", "2"]
    assert "counted among the last 3. Who" in page.select_one("#users").text


def test_what_is_counted_in_full_needs_no_word(as_user, cast, meet):
    issue = meet({"id": "7"})
    assert "counted among" not in as_user(cast.bob).page(address_of(issue)).select_one("#users").text


@pytest.mark.both_databases
def test_merged_issues_bring_their_users(as_user, session, make, cast, meet, now):
    issue = meet({"id": "7"}, at=now)
    other = make.arrival(cast.shop, "OSError: disk", at=now + timedelta(hours=1), user={"id": "8"})
    kept = merging.merge(session, [issue, other], by=cast.alice, now=now)
    assert set(names(as_user(cast.bob).page(address_of(kept)))) == {"7", "8"}


def test_only_those_of_the_issue_are_there(as_user, make, cast, meet):
    make.arrival(cast.shop, "OSError: disk", user={"id": "8"})
    assert names(as_user(cast.bob).page(address_of(meet({"id": "7"})))) == ["7"]


def test_htmx_gets_the_list_alone(as_user, cast, meet):
    answer = as_user(cast.bob).get(address_of(meet({"id": "7"})), headers=HTMX)
    assert "<html" not in answer.text
    assert 'id="users"' in answer.text


def test_an_issue_that_met_nobody_says_how_users_are_known(as_user, make, cast):
    issue = make.issue(cast.shop)
    said = as_user(cast.bob).page(address_of(issue)).select_one("#users").text
    assert "No user of this issue is known." in said
    assert "sentry_sdk.set_user(" in said


@pytest.mark.parametrize("cursor", ["x", "PjEueA", "PjEueAB5", ">1.7"])
def test_a_cursor_that_is_none_begins_at_the_beginning_or_beyond_the_end(as_user, cast, meet, cursor):
    assert as_user(cast.bob).get(f"{address_of(meet({'id': '7'}))}?cursor={cursor}").status_code == 200


def test_a_page_beyond_the_last_leads_back(as_user, cast, meet):
    here = address_of(meet({"id": "7"}))
    turned = as_user(cast.bob).page(f"{here}?cursor=PjEueA").select_one("#users")
    assert turned.find("a", href=here)


@pytest.mark.parametrize("name", ["dee", "charlie"])
def test_strangers_find_nothing(as_user, cast, meet, name):
    assert as_user(getattr(cast, name)).get(address_of(meet({"id": "7"}))).status_code == 404


def test_an_old_address_leads_on(as_user, cast, meet):
    issue = meet({"id": "7"})
    answer = as_user(cast.bob).get(f"/acme/old-name/issues/{issue.id}/users/")
    assert (answer.status_code, answer.location) == (303, address_of(issue))
