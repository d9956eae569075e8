"""Answers for htmx and for browsers without it."""

import pytest

from tests.support.browser import HTMX

pytestmark = pytest.mark.any_database


def test_a_part_of_a_page_that_needs_signing_in_takes_the_whole_page_there(client, cast):
    answer = client.get("/", headers=HTMX)
    assert (answer.status_code, answer.text) == (200, "")
    assert answer.headers["HX-Redirect"] == "/auth/login/"


def test_a_page_that_needs_signing_in_leads_there_and_back(client, cast):
    answer = client.get("/acme/settings/members/")
    assert (answer.status_code, answer.location) == (303, "/auth/login/?next=/acme/settings/members/")


def test_a_post_that_needs_signing_in_is_not_repeated_afterwards(client, cast):
    assert client.post("/acme/settings/members/").location == "/auth/login/"


def test_what_is_missing_is_a_page_with_a_way_on(client):
    answer = client.get("/acme/nothing/at/all")
    assert answer.status_code == 404
    assert 'href="/"' in answer.text


def test_for_htmx_an_error_is_a_message_beside_the_page(as_user, cast):
    answer = as_user(cast.alice).get("/rivals/settings/members/", headers=HTMX)
    assert answer.status_code == 404
    assert 'hx-swap-oob="beforeend:#toasts"' in answer.text
    assert "<html" not in answer.text
    assert "HX-Request" in answer.headers["Vary"]


def test_an_error_of_ours_is_a_plain_page_that_asks_the_database_for_nothing(app, client, monkeypatch):
    def fail(*_):
        raise RuntimeError("on purpose")

    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    monkeypatch.setattr("app.web.auth.accounts.anybody", fail)
    answer = client.get("/auth/login/")
    assert answer.status_code == 500
    assert "That did not work" in answer.text
    assert "on purpose" not in answer.text
