"""Where a page of a list begins stands in its address: whatever stands there, there is a page."""

import pytest
from sqlalchemy import select

from app.domain.cursor import Cursor, NamedCursor
from app.models import Issue

MOST = (1 << 62) - 1
FIRST_DAY = -62_135_596_800_000_000  # of the calendar, in microseconds since 1970
SORTS = ("date", "new", "freq", "users", "priority")
PLACES = [
    *(Cursor(value, MOST, back) for value in (MOST, -MOST, FIRST_DAY) for back in (False, True)),
    *(NamedCursor(MOST, name) for name in ("", "x" * 4000, "\ud7ff")),
]

pytestmark = pytest.mark.both_databases


@pytest.fixture
def ask(as_user, make, cast):
    """A page of Alice's: what it was answered with."""
    make.arrival(cast.shop, user={"id": "7"}, release="shop@1")
    make.check_in(cast.shop, slug="nightly")
    browser = as_user(cast.alice)
    return lambda path, **query: browser.get(f"/acme/shop/{path}", query_string=query).status_code


@pytest.fixture
def issue(session, ask):
    return session.scalars(select(Issue)).one()


@pytest.mark.parametrize("sort", SORTS)
def test_a_list_of_issues_begins_anywhere(ask, issue, sort):
    for place in PLACES:
        query = {"sort": sort, "cursor": place.encode()}
        assert ask("", **query) == 200
        assert {ask(f"issues/{issue.id}/{way}/", **query) for way in ("next", "previous")} == {303}


@pytest.mark.parametrize("path", ["releases/", "feedback/", "monitors/nightly/", "events/", "users/"])
def test_every_other_list_does(ask, issue, path):
    path = f"issues/{issue.id}/{path}" if path in ("events/", "users/") else path
    for place in PLACES:
        assert ask(path, cursor=place.encode()) == 200


@pytest.mark.parametrize("number", ["9" * 18, "9" * 40, "-1", "x"])
def test_so_do_lists_whose_pages_begin_at_a_number(ask, issue, make, cast, settings, number):
    rule, webhook = make.rule(cast.shop), make.webhook(cast.shop, "https://hooks.example/in", settings)
    assert ask(f"settings/alerts/{rule.id}/", before=number) == 200
    assert ask(f"settings/integrations/{webhook.id}/", start=number) == 200
    assert ask(f"issues/{issue.id}/notifications/", before=number) in (200, 400)
