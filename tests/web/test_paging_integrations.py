"""The forms of services that page: keys by tag, pasted addresses, and checkboxes in their own words."""

import pytest
from sqlalchemy import select

from app.models import Destination
from app.services.integrations import channel_settings
from app.services.sealing import Seal
from tests.support.incidents import API_KEY, KEY

HERE = "/acme/shop/settings/integrations/"
OTHER = "b" * 32
PAGERDUTY = {
    "name": "Night shift",
    "routing_key": KEY,
    "region": "eu",
    "routes": f"environment=staging -> {OTHER}\nurl=https://x/?a=b ->  {KEY}",
    "levels": "staging=info\n* = -1",
    "kind": ["new", "assigned"],
}


@pytest.fixture
def alices(as_user, cast):
    return as_user(cast.alice)


@pytest.fixture
def made(session):
    def look() -> Destination:
        session.commit()
        return session.scalars(select(Destination)).one()

    return look


@pytest.fixture
def kept(made, settings):
    return lambda: channel_settings.stored(made(), Seal(settings.credential_keys))


def test_keys_by_tag_are_typed_a_line_each_in_their_order(alices, kept, made):
    alices.post(f"{HERE}new/pagerduty/", data=PAGERDUTY)
    assert list(kept()["routes"].items()) == [("environment=staging", OTHER), ("url=https://x/?a=b", KEY)]
    assert kept()["levels"] == {"staging": "info", "*": "-1"}
    assert made().kinds == ["new", "assigned"]


def test_what_is_shown_of_them_may_be_saved_again(alices, kept, made):
    alices.post(f"{HERE}new/pagerduty/", data=PAGERDUTY)
    page = alices.page(f"{HERE}{made().id}/edit/")
    shown = page.find(id="routes").text.strip()
    assert KEY not in str(page)
    assert OTHER not in str(page)
    assert shown.splitlines()[0] == "environment=staging -> ••••bbbb"
    before = kept()
    levels = page.find(id="levels").text
    again = {**PAGERDUTY, "routing_key": "", "routes": shown, "levels": levels}
    alices.post(f"{HERE}{made().id}/edit/", data=again)
    assert kept() == before


def test_checkboxes_say_what_they_do_there_and_offer_no_summaries(alices):
    page = alices.page(f"{HERE}new/pagerduty/")
    boxes = {
        box["value"]: box.find_parent("label").get_text(" ", strip=True) for box in page.select("[name=kind]")
    }
    assert list(boxes) == ["new", "regression", "again", "assigned"]
    assert boxes["assigned"] == "Acknowledge the incident when the issue is assigned"
    assert not page.select_one("[name=kind][value=assigned]").has_attr("checked")


def test_a_pasted_address_is_taken_for_its_key(alices, kept):
    address = f"https://alert.victorops.com/integrations/generic/20131114/alert/{API_KEY}/$routing_key"
    form = {"name": "Nights", "api_key": address, "routing_key": "database", "levels": "", "kind": ["new"]}
    alices.post(f"{HERE}new/victorops/", data=form)
    assert kept()["api_key"] == API_KEY


WRONG = {
    "pagerduty": ({**PAGERDUTY, "routes": f"staging -> {KEY}"}, "a tag and its value"),
    "opsgenie": (
        {"name": "x", "api_key": API_KEY, "host": "jsm", "responders": "Core", "acknowledge": "no"},
        "one of team:",
    ),
    "victorops": (
        {"name": "x", "api_key": API_KEY, "routing_key": "$routing_key"},
        "stands for a routing key",
    ),
}


@pytest.mark.parametrize(("channel", "row"), WRONG.items(), ids=WRONG)
def test_what_cannot_be_is_refused_with_a_reason(alices, channel, row, session):
    form, words = row
    answer = alices.post(f"{HERE}new/{channel}/", data=form)
    assert answer.status_code == 422
    assert words in answer.text
    assert session.scalar(select(Destination)) is None


def test_its_end_is_told_on_the_form(alices):
    assert "5 April 2027" in alices.get(f"{HERE}new/opsgenie/").text
