"""The page of a project's discarded issues."""

import pytest
from sqlalchemy import select

from app.models import IssueHash, Tombstone
from app.services.issues import removing

PAGE = "/acme/shop/settings/discarded/"


@pytest.fixture
def stone(make, cast, session, now):
    issue = make.issue(cast.shop, title="KeyError: <b>cart</b>", events=1)
    removing.discard(session, [issue], by=cast.alice, now=now)
    return session.scalars(select(Tombstone)).one()


def test_it_says_what_is_discarded_since_when_and_by_whom(as_user, alice, stone):
    row = as_user(alice).page(PAGE).select_one(f"#discarded-{stone.id}")
    for words in ("SHOP-1", "KeyError: <b>cart</b>", "Alice"):
        assert words in row.text
    assert row.select_one("time")["datetime"] == f"{stone.created_at:%Y-%m-%dT%H:%M:%SZ}"


def test_an_empty_page_says_how_something_gets_there(as_user, alice, shop):
    assert "Nothing is discarded." in as_user(alice).page(PAGE).text


def test_one_press_ends_it(as_user, alice, stone, session):
    browser = as_user(alice)
    form = browser.page(PAGE).select_one(f"#discarded-{stone.id} form")
    assert browser.post(form["action"]).location == PAGE
    assert "SHOP-1 is no longer discarded" in browser.page(PAGE).select_one(".toast").text
    assert session.scalars(select(Tombstone)).all() == session.scalars(select(IssueHash)).all() == []


@pytest.mark.parametrize("who", ["bob", "dee", "charlie"])
def test_others_do_not_find_it(as_user, cast, stone, session, who):
    browser = as_user(getattr(cast, who))
    assert browser.get(PAGE).status_code == 404
    assert browser.post(f"{PAGE}{stone.id}/end").status_code == 404
    assert session.scalars(select(Tombstone)).all() == [stone]


def test_only_who_may_see_it_is_led_there(as_user, cast, shop):
    links = [
        {link["href"] for link in as_user(who).page("/acme/shop/settings/").select(".sidenav a")}
        for who in (cast.alice, cast.bob)
    ]
    assert PAGE in links[0]
    assert PAGE not in links[1]
