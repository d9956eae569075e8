"""The pages on which tokens for the API are made, shown once, and revoked."""

from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from app.models import ApiToken
from app.services.people import tokens

OWN, ORGANIZATIONS = "/settings/account/tokens/", "/acme/settings/tokens/"
PAGES = {"a person's": OWN, "an organization's": ORGANIZATIONS}
on_both_pages = pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
BUILDS = ["org:read", "project:read", "project:releases"]
FORM = {"name": "CI of shop", "preset": "ci"}


@pytest.fixture
def alices(as_user, alice):
    return as_user(alice)


@pytest.fixture
def token(session):
    """The only one there is."""

    def found():
        session.expire_all()
        return session.scalars(select(ApiToken)).one()

    return found


@pytest.fixture
def answer_to(client):
    """The status that a program is answered with this token."""

    def ask(text):
        headers = {"Authorization": f"Bearer {text}"}
        return client.get("/api/0/organizations/acme/releases/", headers=headers).status_code

    return ask


def made(browser, page):
    """Answered with a way on, to the page that shows the token."""
    answer = browser.post(page, data=FORM)
    assert (answer.status_code, answer.location) == (303, page)
    return browser.get(answer.location)


def shown(answer):
    return BeautifulSoup(answer.text, "html.parser").select_one("#token").text


@on_both_pages
def test_a_token_is_shown_once_and_works(alices, answer_to, page):
    answer = made(alices, page)
    text = shown(answer)
    assert answer.headers["Cache-Control"] == "no-store"
    assert f"export SENTRY_AUTH_TOKEN={text}" in answer.text
    assert answer_to(text) == 200
    again = alices.page(page)
    assert text not in again.text
    assert text[-4:] in again.select_one("tr.setting").text


@on_both_pages
def test_until_it_is_shown_nobody_reads_it(alices, page):
    alices.post(page, data=FORM)
    with alices.session_transaction(base_url="https://tocsin.example.org") as cookie:
        assert "made" in cookie
        assert "sntry" not in str(dict(cookie))
    assert shown(alices.get(page)).startswith("sntry")
    with alices.session_transaction(base_url="https://tocsin.example.org") as cookie:
        assert "made" not in cookie


@on_both_pages
def test_it_does_not_wait_for_long(alices, page, monkeypatch):
    monkeypatch.setattr("app.web.made.FOR", timedelta(0))
    assert 'id="token"' not in made(alices, page).text


@on_both_pages
def test_it_is_shown_on_no_other_page_of_tokens(alices, page):
    alices.post(page, data=FORM)
    [other] = set(PAGES.values()) - {page}
    assert alices.page(other).select_one("#token") is None
    assert alices.page(page).select_one("#token")


@on_both_pages
def test_revoking_is_asked_first_and_ends_it_at_once(alices, answer_to, token, session, now, page):
    text = shown(made(alices, page))
    assert answer_to(text) == 200
    link = alices.page(page).find("a", string="Revoke")["href"]
    question = alices.page(link)
    assert "just now" in question.select_one("dl.facts").text
    assert "stops working at once" in question.main.text
    assert answer_to(text) == 200
    assert alices.post(question.main.form["action"]).location == page
    assert answer_to(text) == 401
    assert "revoked" in alices.page(page).select_one("tr.setting").text
    assert token().revoked_by_id is not None


@on_both_pages
@pytest.mark.parametrize("change", [{"name": " "}, {"name": "x" * 101}], ids=["no name", "a long name"])
def test_a_form_that_lacks_something_comes_back(alices, session, page, change):
    answer = alices.post(page, data=FORM | change)
    assert answer.status_code == 422
    assert session.scalars(select(ApiToken)).all() == []


@pytest.mark.parametrize(
    ("typed", "given"),
    [
        ({"preset": "ci", "scope": ["event:admin"]}, [*BUILDS, "event:read", "event:write"]),
        ({"preset": "chosen", "scope": ["event:write", "org:read"]}, ["org:read", "event:write"]),
        ({"preset": "chosen"}, None),
        ({"preset": "chosen", "scope": ["root"]}, None),
    ],
    ids=["a preset", "ticked", "nothing ticked", "no scope of ours"],
)
def test_what_it_may_do_is_chosen(alices, session, typed, given):
    answer = alices.post(OWN, data={"name": "CI", **typed})
    assert answer.status_code == (303 if given else 422)
    assert [row.scopes for row in session.scalars(select(ApiToken))] == ([given] if given else [])


@on_both_pages
def test_it_takes_a_recent_proof_of_who_sits_there(alices, session, page):
    with alices.session_transaction(base_url="https://tocsin.example.org") as cookie:
        del cookie["proven_at"]
    answer = alices.post(page, data=FORM)
    assert answer.location.startswith("/settings/account/confirmation/?next=")
    assert "CI%2520of%2520shop" in answer.location or "CI%2Bof%2Bshop" in answer.location
    assert session.scalars(select(ApiToken)).all() == []


@on_both_pages
def test_whoever_makes_one_hears_of_it(alices, alice, run_jobs, mailbox, page):
    alices.post(page, data=FORM)
    run_jobs()
    [mail] = mailbox(alice)
    assert mail["X-Tocsin-Kind"] == "token_made"
    assert "CI of shop" in mail.text
    assert page in mail.text
    assert "sntry" not in mail.text


@on_both_pages
def test_the_change_log_says_so(alices, page):
    alices.post(page, data=FORM)
    log = alices.page("/settings/account/notifications/log/?category=token")
    assert "CI of shop" in log.select_one("#log").text


def test_nobody_finds_the_tokens_of_others(as_user, alices, cast, make, session):
    make.token(cast.alice)
    row = session.scalars(select(ApiToken)).one()
    bobs = as_user(cast.bob)
    for method in (bobs.get, bobs.post):
        assert method(f"{OWN}{row.id}/revocation").status_code == 404
        assert method(f"{ORGANIZATIONS}{row.id}/revocation").status_code == 404
    assert alices.post(f"{ORGANIZATIONS}{row.id}/revocation").status_code == 404
    assert row.last_characters not in bobs.page(OWN).text


@pytest.mark.parametrize(("who", "status"), [("alice", 200), ("bob", 404), ("charlie", 404)])
def test_managers_and_owners_look_after_an_organizations_tokens(as_user, cast, make, session, who, status):
    text = make.organization_token(cast.acme)
    row, browser = tokens.find(session, text), as_user(getattr(cast, who))
    assert browser.get(f"{ORGANIZATIONS}{row.id}/revocation").status_code == status
    assert browser.post(ORGANIZATIONS, data=FORM).status_code == (303 if status == 200 else 404)
    shown = browser.get(ORGANIZATIONS)
    assert (row.last_characters in shown.text) == (who == "alice")


@pytest.mark.parametrize("path", ["/settings/account/tokens/", "/acme/settings/tokens/"])
def test_who_has_no_token_reads_what_one_is_for(as_user, cast, path):
    page = as_user(cast.alice).page(path)
    assert "No token yet." in page.select_one(".empty").text
