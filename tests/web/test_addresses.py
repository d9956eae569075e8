"""The page of a person's mail addresses, and where each project's mail goes."""

import pytest
from sqlalchemy import select

from app.models import EmailAddress, EmailRoute
from app.services.people import accounts
from tests.support.browser import HTMX

ROOT = "/settings/account/notifications/"
PAGE = f"{ROOT}email/"
HOME = "bob@home.example"


@pytest.fixture
def bobs(as_user, cast):
    """Bob's browser."""
    return as_user(cast.bob)


@pytest.fixture
def second(session, cast, now):
    """Another verified address of Bob's."""
    made = EmailAddress(address=HOME, verified_at=now)
    cast.bob.addresses.append(made)
    session.flush()
    return made


def addresses(session, user):
    session.expire_all()
    return {each.address: (each.is_primary, each.verified_at is not None) for each in user.addresses}


def link_in(mail):
    return next(link for link in mail.links if "/verify/" in link).removeprefix("https://tocsin.example.org")


@pytest.mark.both_databases
def test_an_address_is_added_verified_made_primary_and_the_old_one_removed(
    session, bobs, cast, run_jobs, mailbox
):
    assert bobs.post(PAGE, data={"email": HOME}).location == PAGE
    run_jobs()
    [mail] = [mail for mail in mailbox() if mail.to == HOME]
    link = link_in(mail)
    page = bobs.page(link)
    assert HOME in page.h1.text
    assert addresses(session, cast.bob)[HOME] == (False, False)
    assert bobs.post(page.main.form["action"]).location == PAGE
    assert addresses(session, cast.bob)[HOME] == (False, True)

    rows = bobs.page(PAGE).select("tr.setting")
    bobs.post(rows[1].find("button", string="Make primary").find_parent("form")["action"])
    run_jobs()
    assert [mail["X-Tocsin-Kind"] for mail in mailbox() if mail.to == "bob@example.org"] == [
        "address_verified",
        "primary_changed",
    ]
    rows = bobs.page(PAGE).select("tr.setting")
    bobs.post(rows[1].find("button", string="Remove").find_parent("form")["action"])
    assert addresses(session, cast.bob) == {HOME: (True, True)}


def test_opening_the_link_changes_nothing(session, bobs, cast, run_jobs, mailbox):
    bobs.post(PAGE, data={"email": HOME})
    run_jobs()
    link = link_in(mailbox()[0])
    for _ in range(3):
        assert bobs.get(link).status_code == 200
    assert addresses(session, cast.bob)[HOME] == (False, False)


def test_the_link_asks_strangers_to_sign_in_and_works_for_nobody_else(
    session, client, as_user, bobs, cast, run_jobs, mailbox
):
    bobs.post(PAGE, data={"email": HOME})
    run_jobs()
    link = link_in(mailbox()[0])
    assert client.get(link).location == f"/auth/login/?next={link}"
    alices = as_user(cast.alice)
    assert alices.get(link).status_code == 410
    assert alices.post(link).status_code == 410
    assert addresses(session, cast.bob)[HOME] == (False, False)
    assert HOME not in addresses(session, cast.alice)


def test_the_answer_does_not_tell_whether_somebody_has_the_address(bobs):
    def answer(email):
        sent = bobs.post(PAGE, data={"email": email})
        row = bobs.page(PAGE).select("tr.setting")[-1]
        said = " ".join(row.text.split()).replace(email, "it")
        return sent.status_code, sent.location, said

    assert answer("alice@example.org") == answer("nobody@example.org")


def test_what_is_no_address_comes_back_as_typed(bobs):
    answer = bobs.post(PAGE, data={"email": "bob at home"})
    assert answer.status_code == 422
    assert "bob at home" in answer.text


def test_letters_to_an_address_are_limited(bobs):
    statuses = [bobs.post(PAGE, data={"email": HOME}).status_code for _ in range(7)]
    assert statuses.count(303) == 5
    assert statuses[-1] == 429


@pytest.mark.parametrize("act", ["primary", "removal", "link"])
def test_nobody_acts_on_the_addresses_of_others(session, as_user, cast, second, act):
    answer = as_user(cast.alice).post(f"{PAGE}{second.id}/{act}")
    assert answer.status_code == 404
    assert addresses(session, cast.bob)[HOME] == (False, True)


def test_without_a_verified_address_every_page_of_settings_says_so(as_user, make, cast):
    una = make.member(cast.acme, make.user("Una", verified=False))
    browser = as_user(una)
    assert "no verified address, so no mail reaches you" in browser.get(PAGE).text
    assert "una@example.org is not verified: nothing is sent there" in browser.get(ROOT).text


# Proof of who sits here


@pytest.fixture
def unattended(session, bobs):
    """Bob's browser, a while after he signed in."""
    with bobs.session_transaction(base_url=bobs.application.config["TOCSIN_URL"]) as cookie:
        cookie["proven_at"] -= 601
    return bobs


CONFIRM = "/settings/account/confirmation/"


@pytest.mark.parametrize("act", ["", "{id}/primary", "verify/secret/"], ids=["add", "promote", "verify"])
def test_what_changes_who_gets_in_wants_a_fresh_sign_in_or_the_password(
    session, unattended, second, cast, act
):
    before = addresses(session, cast.bob)
    answer = unattended.post(f"{PAGE}{act.format(id=second.id)}", data={"email": "eve@evil.example"})
    assert answer.status_code == 303
    assert answer.location.startswith(CONFIRM)
    assert addresses(session, cast.bob) == before


def test_the_password_is_proof_and_leads_back_to_what_was_typed(session, unattended, cast):
    accounts.set_password(cast.bob, "correct-horse-9")
    cast.bob.session_version -= 1  # this browser stays signed in
    page = unattended.page(unattended.post(PAGE, data={"email": HOME}).location)
    form = page.main.form
    sent = {field["name"]: field["value"] for field in form.select("input[name][value]")}
    wrong = unattended.post(form["action"], data={**sent, "current": "not-this-one"})
    assert wrong.status_code == 422
    back = unattended.post(form["action"], data={**sent, "current": "correct-horse-9"}).location
    assert unattended.page(back).find("input", attrs={"name": "email"})["value"] == HOME
    assert unattended.post(PAGE, data={"email": HOME}).location == PAGE


def test_without_a_password_only_a_fresh_sign_in_is_proof(session, unattended, cast):
    cast.bob.password_hash = None
    assert "Sign out" in unattended.get(CONFIRM).text
    assert unattended.post(CONFIRM, data={"current": ""}).status_code == 422
    answer = unattended.post("/settings/account/password", data={"password": "evil-horse-9"})
    assert answer.location.startswith(CONFIRM)
    session.expire_all()
    assert cast.bob.password_hash is None


# Routing


@pytest.mark.both_databases
def test_a_projects_mail_goes_to_the_address_chosen_for_it(
    session, bobs, cast, second, issue, acts, run_jobs, mailbox
):
    row = bobs.page(f"{ROOT}workflow/").select_one("#p-shop")
    form = row.find(id=f"email-{cast.shop.id}").find_parent("form")
    sent = {field["name"]: field["value"] for field in form.select("input[name]")}
    answer = bobs.post(form["action"], data={**sent, "email": second.id}, headers=HTMX)
    assert "Saved" in answer.text
    acts.resolve(issue, by=cast.alice)
    run_jobs()
    assert [mail.to for mail in mailbox() if mail.to.startswith("bob")] == [HOME]


def test_only_verified_addresses_of_ones_own_are_offered_and_taken(session, bobs, cast, second, now):
    claimed = EmailAddress(address="bob@later.example")
    cast.bob.addresses.append(claimed)
    session.flush()
    row = bobs.page(f"{ROOT}alerts/").select_one("#p-shop")
    offered = [option.text for option in row.select(f"#email-{cast.shop.id} option")]
    assert offered == ["Default (bob@example.org)", "bob@example.org", HOME]
    sent = {"category": "alerts", "project": cast.shop.id, "was": ""}
    for wrong in (claimed.id, cast.alice.primary_address.id):
        assert bobs.post(f"{ROOT}route", data={**sent, "email": wrong}).status_code == 422
    assert session.scalar(select(EmailRoute)) is None


def test_with_one_address_there_is_nothing_to_route(bobs):
    assert not bobs.page(f"{ROOT}alerts/").select("[name=email]")


def test_a_route_that_was_changed_elsewhere_is_shown_afresh(session, bobs, cast, second):
    sent = {"category": "alerts", "project": cast.shop.id, "was": ""}
    bobs.post(f"{ROOT}route", data={**sent, "email": second.id})
    answer = bobs.post(f"{ROOT}route", data={**sent, "email": ""}, headers=HTMX)
    assert answer.status_code == 409
    assert session.scalars(select(EmailRoute.address_id)).one() == second.id


def test_nobody_routes_the_mail_of_a_project_out_of_reach(session, bobs, cast, second):
    sent = {"category": "alerts", "project": cast.other_shop.id, "was": "", "email": second.id}
    assert bobs.post(f"{ROOT}route", data=sent).status_code == 404
    assert session.scalar(select(EmailRoute)) is None


def test_the_change_log_names_addresses_and_routes(bobs, cast, second):
    sent = {"category": "alerts", "project": cast.shop.id, "was": "", "email": second.id}
    bobs.post(f"{ROOT}route", data=sent)
    bobs.post(PAGE, data={"email": "bob@work.example"})
    bobs.post(f"{PAGE}{second.id}/primary")
    said = bobs.page(f"{ROOT}log/").text
    assert f"Delivery address for Shop: primary address → {HOME}" in said
    assert "bob@work.example: added, not verified yet" in said
    assert f"{HOME}: made the primary address" in said


def test_the_name_of_each_button_begins_with_the_words_on_it(bobs, second):
    for button in bobs.page(PAGE).select("main button[aria-label], main a[aria-label]"):
        assert button["aria-label"].startswith(button.text.strip())
