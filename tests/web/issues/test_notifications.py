"""The issue's Notifications tab: every notice with its reach, or what each said to one person."""

import pytest

from app.models import Verdict
from app.services.notices.notice_list import PAGE
from tests.support.browser import HTMX


@pytest.fixture
def address(issue):
    return f"/acme/shop/issues/{issue.id}/notifications/"


def rows_of(page):
    return [" ".join(row.text.split()) for row in page.select("#notifications tbody tr")]


def test_it_is_a_tab_of_the_issue(as_user, cast, issue, address):
    page = as_user(cast.bob).page(f"/acme/shop/issues/{issue.id}/")
    assert page.find("a", href=address)


def test_all_notices_newest_first_with_their_reach(as_user, make, cast, issue, address, now):
    first = make.notice(issue, planned_at=now, event_id="8f21c0de" * 4)
    second = make.notice(issue, "comment", planned_at=now, actor_id=cast.alice.id)
    make.delivery(first, cast.bob, state="accepted")
    make.delivery(second, cast.cy, state="failed")
    newer, older = rows_of(as_user(cast.bob).page(address))
    assert "Comment" in newer
    assert "Alice commented on this issue." in newer
    assert "1 failed" in newer
    assert "Told 1" in older


def test_it_can_be_narrowed_to_a_person(as_user, make, cast, issue, address, now):
    first, second = make.notice(issue, planned_at=now), make.notice(issue, "comment", planned_at=now)
    make.delivery(first, cast.bob, state="accepted")
    make.delivery(second, cast.cy, state="accepted")
    page = as_user(cast.alice).page(f"{address}?person={cast.bob.id}")
    [row] = rows_of(page)
    assert "sent" in row
    assert page.select_one("#person option[selected]").text == "Bob"


def test_a_member_reads_of_another_no_more_than_the_public_part(
    as_user, session, make, cast, issue, address, now
):
    notice = make.notice(issue, planned_at=now)
    told = {"subject": "user", "channel": "email", "outcome": "skip", "params": {"scope": "account"}}
    session.add(Verdict(notice_id=notice.id, subject_id=cast.bob.id, code="alerts_off", reasons=[], **told))
    seen = {
        reader.name: rows_of(as_user(reader).page(f"{address}?person={cast.bob.id}"))[0]
        for reader in (cast.alice, cast.bob, cast.cy)
    }
    assert "Alerts are off (from your account)." in seen["Alice"]
    assert "Alerts are off (from your account)." in seen["Bob"]
    assert "Their own settings." in seen["Cy"]
    assert "Alerts are off" not in seen["Cy"]


def test_it_comes_in_pages(as_user, make, cast, issue, address, now):
    for _ in range(PAGE + 2):
        make.delivery(make.notice(issue, planned_at=now), cast.bob)
    browser = as_user(cast.bob)
    first = browser.page(f"{address}?person={cast.bob.id}")
    older = first.select_one('a[rel="next"]')["href"]
    second = browser.page(older)
    assert (len(rows_of(first)), len(rows_of(second))) == (PAGE, 2)
    assert f"person={cast.bob.id}" in older
    assert second.select_one('a[rel="next"]') is None


def test_the_filter_asks_for_the_list_alone(as_user, make, cast, issue, address, now):
    make.notice(issue, planned_at=now)
    answer = as_user(cast.bob).get(address, headers=HTMX)
    assert "<html" not in answer.text
    assert 'id="notifications"' in answer.text


def test_an_issue_that_rang_nothing_says_so(as_user, cast, address):
    assert "told to anybody" in as_user(cast.bob).page(address).select_one("#notifications").text


@pytest.mark.parametrize("query", ["?person=x", "?before=-1", "?person=999999999999999999999999"])
def test_odd_numbers_are_400(as_user, cast, address, query):
    assert as_user(cast.bob).get(f"{address}{query}").status_code == 400


@pytest.mark.parametrize("name", ["dee", "charlie"])
def test_strangers_find_nothing(as_user, cast, address, name):
    assert as_user(getattr(cast, name)).get(address).status_code == 404


@pytest.mark.parametrize("with_person", [False, True])
def test_it_takes_eight_queries_however_much_there_is(
    as_user, make, cast, issue, address, now, queries, with_person
):
    query = f"?person={cast.bob.id}" if with_person else ""
    browser = as_user(cast.bob)

    def sent():
        browser.get(f"{address}{query}", headers=HTMX)  # what a first request looks up for the others
        with queries() as found:
            assert browser.get(f"{address}{query}", headers=HTMX).status_code == 200
        return len(found)

    make.delivery(make.notice(issue, planned_at=now), cast.bob)
    for_one = sent()
    for _ in range(10):
        notice = make.notice(issue, "comment", planned_at=now, actor_id=cast.alice.id)
        make.delivery(notice, cast.bob, state="accepted")
        make.delivery(notice, cast.cy, state="accepted")
    assert sent() == for_one <= 8
