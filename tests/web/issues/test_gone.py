"""An issue that somebody deletes while others have it open."""

import pytest

from app.services.issues import removing

BACKGROUND = ["news?seen=1", "participants", "reach?kind=resolved", "names?q=@"]


@pytest.fixture
def deleted(session, cast, make, issue, now):
    make.notice(issue, "comment", planned_at=now)
    removing.delete(session, [issue], by=cast.alice, now=now)
    session.commit()
    return issue.id


@pytest.fixture
def cleared(session, issue, deleted):
    """Its row is gone too."""
    session.delete(issue)
    session.commit()
    return deleted


@pytest.mark.parametrize("path", BACKGROUND)
def test_what_an_open_page_asks_of_itself_is_quiet_once_the_issue_is_gone(as_user, cast, deleted, htmx, path):
    answer = as_user(cast.bob).get(f"/issues/{deleted}/{path}", headers=htmx("div#x"))
    assert (answer.status_code, answer.text) == (404, "")
    assert answer.headers["HX-Reswap"] == "none"


@pytest.mark.parametrize("state", ["deleted", "cleared"])
def test_an_action_on_a_deleted_issue_says_so_and_leads_to_the_list(
    as_user, cast, htmx, parsed, state, request
):
    issue_id = request.getfixturevalue(state)
    headers = {**htmx("section#x"), "Tocsin-Issue": "SHOP-1"}
    answer = as_user(cast.bob).post(f"/issues/{issue_id}/resolution", headers=headers)
    toast = parsed(answer.text).select_one(".toast")
    assert answer.status_code == 404
    assert "SHOP-1 was deleted." in toast.text
    assert toast.a["href"] == "/acme/shop/"


def test_its_page_says_so_too(as_user, cast, deleted):
    answer = as_user(cast.bob).get(f"/acme/shop/issues/{deleted}/")
    assert answer.status_code == 404
    assert "SHOP-1 was deleted" in answer.text


def test_whoever_never_saw_it_learns_nothing(as_user, cast, deleted, htmx):
    headers = {**htmx("section#x"), "Tocsin-Issue": "SHOP-1"}
    answer = as_user(cast.dee).post(f"/issues/{deleted}/resolution", headers=headers)
    assert answer.status_code == 404
    assert "was deleted." not in answer.text
    assert "Shop" not in answer.text


@pytest.mark.parametrize("name", ["", "<b>", "x" * 80])
def test_a_name_that_is_none_is_not_repeated(as_user, cast, htmx, name):
    headers = {**htmx("section#x"), "Tocsin-Issue": name}
    answer = as_user(cast.bob).post("/issues/99/resolution", headers=headers)
    assert answer.status_code == 404
    assert "Nothing here" in answer.text


def test_an_open_page_says_which_issue_it_is(as_user, cast, issue):
    page = as_user(cast.bob).page(f"/acme/shop/issues/{issue.id}/")
    assert '{"Tocsin-Issue": "SHOP-1"}' in str(page.main)
