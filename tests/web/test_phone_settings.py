"""Forms of integrations whose settings are numbers of people, depend on each other, or are pasted whole."""

import re

import pytest
from sqlalchemy import select

from app.models import Destination
from app.services.integrations import channel_settings
from app.services.sealing import Seal

HERE = "/acme/shop/settings/integrations/"
ANN, BOB, SAME_END = "+15005550009", "+15005550010", "+15015550009"
TOKEN = "0123456789abcdef" * 2
CURL = "curl -d 'Hello!' https://93.184.215.14/rooms/2/7-AbCdEf123456/messages"


@pytest.fixture
def alices(as_user, alice, cast):
    return as_user(alice)


@pytest.fixture
def form():
    return {
        "name": "Phones",
        "account": "AC" + "a" * 32,
        "sender": "+15005550006",
        "recipients": f"{ANN}\n{BOB}\n{SAME_END}",
        "auth_token": TOKEN,
        "region": "us1",
        "link": "yes",
        "retention": "all",
        "hourly": "10",
        "daily": "50",
        "kind": ["new"],
    }


@pytest.fixture
def stored(session, settings):
    def look():
        session.expire_all()
        row = session.scalar(select(Destination))
        return row, channel_settings.stored(row, Seal(settings.credential_keys))

    return look


def recipients_shown(browser, row):
    page = browser.page(f"{HERE}{row.id}/edit/")
    return page.find("textarea", {"name": "recipients"}).text.strip().splitlines()


def test_numbers_are_shown_masked_and_stay_what_they_are(alices, form, stored):
    assert alices.post(f"{HERE}new/twilio/", data=form).status_code == 303
    row, values = stored()
    assert values["numbers"] == [ANN, BOB, SAME_END]
    shown = recipients_shown(alices, row)
    assert shown == ["+15•••0009", "+15•••0010", "+15•••0009 (2)"]
    page = alices.get(f"{HERE}{row.id}/").text
    assert "+15•••0010" in page
    assert ANN not in page
    changed = {**form, "recipients": "\n".join([*shown[1:], shown[0], "+15005550011"]), "auth_token": ""}
    assert alices.post(f"{HERE}{row.id}/edit/", data=changed).status_code == 303
    assert sorted(stored()[1]["numbers"]) == sorted([ANN, BOB, SAME_END, "+15005550011"])
    assert stored()[1]["auth_token"] == TOKEN


TOGETHER = {
    "a key without its secret": ({"key": "SK" + "b" * 32}, "An API key goes with its secret."),
    "no credentials": ({"auth_token": ""}, "An API key with its secret, or the auth token."),
    "no number": ({"recipients": ""}, "At least one number."),
    "no number of a phone": ({"recipients": "15005550009"}, "is no number with its country"),
}


@pytest.mark.parametrize(("typed", "words"), TOGETHER.values(), ids=TOGETHER)
def test_what_does_not_go_together_is_said_in_the_form(alices, form, typed, words):
    answer = alices.post(f"{HERE}new/twilio/", data={**form, **typed})
    assert answer.status_code == 422
    assert words in answer.text


def test_numbers_that_are_to_be_confirmed_stand_on_the_page(alices, form, stored):
    alices.post(f"{HERE}new/twilio/", data=form)
    row, _ = stored()
    page = alices.get(f"{HERE}{row.id}/").text
    assert page.count("not confirmed: send a test") == 3
    assert 'name="code"' not in page


def test_a_channel_that_asks_nobody_shows_nobody(alices, as_user, cast, hook):
    page = alices.get(f"{HERE}{hook.id}/").text
    assert 'id="confirm"' not in page
    answer = alices.post(f"{HERE}{hook.id}/confirm", data={"key": "x", "code": "1"})
    assert answer.status_code == 404


def test_only_who_looks_after_the_project_confirms(alices, as_user, form, stored, cast):
    alices.post(f"{HERE}new/twilio/", data=form)
    row, _ = stored()
    assert (
        as_user(cast.bob).post(f"{HERE}{row.id}/confirm", data={"key": "x", "code": "1"}).status_code == 404
    )


def test_the_whole_line_of_campfire_is_taken(alices, stored):
    given = {"name": "Fire", "url": CURL, "room": "", "sound": "", "token": "", "kind": ["new"]}
    assert alices.post(f"{HERE}new/campfire/", data=given).status_code == 303
    row, values = stored()
    assert values["url"] == CURL.rpartition(" ")[2]
    page = alices.get(f"{HERE}{row.id}/").text
    assert "AbCdEf123456" not in page


def test_the_field_of_campfires_address_takes_more_than_an_address(alices):
    page = alices.page(f"{HERE}new/campfire/")
    assert page.find("input", {"name": "url"})["type"] == "text"


@pytest.mark.parametrize("channel", ["pushover", "twilio", "campfire"])
def test_each_form_shows_what_a_message_looks_like(alices, channel):
    page = alices.page(f"{HERE}new/{channel}/")
    assert "KeyError" in page.select_one("figure.picture").text
    labels = {each["for"] for each in page.select("main label[for]")}
    assert not {each["id"] for each in page.select("main .field [name]") if each.get("id")} - labels


def test_a_picture_is_drawn_though_nothing_is_set_yet(alices):
    for channel in ("pushover", "twilio", "campfire"):
        assert re.search("SHOP-4F", alices.get(f"{HERE}new/{channel}/").text)
