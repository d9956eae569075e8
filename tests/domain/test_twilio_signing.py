"""Calls that Twilio signed are told from all others."""

import json
from urllib.parse import urlencode

import pytest

from app.domain import twilio_signing
from app.settings import ROOT

VECTORS = ROOT.parent / "shared" / "contracts" / "vectors" / "twilio-signing.json"
TOKEN, URL = "0123456789abcdef" * 2, "https://t.example.org/hooks/k/status"
FORM = [("MessageSid", "SM1"), ("To", "+1500"), ("Body", "")]


def vectors() -> list[dict]:
    return json.loads(VECTORS.read_text())["cases"] if VECTORS.exists() else []


@pytest.mark.parametrize("vector", vectors(), ids=lambda each: each["name"])
def test_signatures_are_twilios(vector):
    form = twilio_signing.form_of(urlencode(vector["form"]).encode())
    assert twilio_signing.signature(vector["auth_token"], vector["url"], form) == vector["signature"]
    assert twilio_signing.is_genuine(vector["auth_token"], vector["url"], form, vector["signature"])


GENUINE = {
    "as it is": (URL, URL),
    "signed with the usual port": (URL.replace(".org", ".org:443"), URL),
    "signed without its port": (URL, URL.replace(".org", ".org:443")),
    "another port": (URL.replace(".org", ".org:8443"), URL.replace(".org", ".org:8443")),
    "another port, signed without": (URL, URL.replace(".org", ".org:8443")),
    "with a query": (f"{URL}?x=1", f"{URL}?x=1"),
}


@pytest.mark.parametrize(("signed", "called"), GENUINE.values(), ids=GENUINE)
def test_the_port_may_stand_in_the_address_or_not(signed, called):
    given = twilio_signing.signature(TOKEN, signed, FORM)
    assert twilio_signing.is_genuine(TOKEN, called, FORM, given)


FORGED = {
    "another token": lambda: twilio_signing.is_genuine("f" * 32, URL, FORM, _signed()),
    "another field": lambda: twilio_signing.is_genuine(TOKEN, URL, [*FORM, ("x", "y")], _signed()),
    "another address": lambda: twilio_signing.is_genuine(TOKEN, URL + "x", FORM, _signed()),
    "another query": lambda: twilio_signing.is_genuine(TOKEN, URL + "?x", FORM, _signed()),
    "none": lambda: twilio_signing.is_genuine(TOKEN, URL, FORM, ""),
    "not ASCII": lambda: twilio_signing.is_genuine(TOKEN, URL, FORM, "é"),
}


def _signed() -> str:
    return twilio_signing.signature(TOKEN, URL, FORM)


@pytest.mark.parametrize("check", FORGED.values(), ids=FORGED)
def test_what_is_forged_is_told(check):
    assert not check()


@pytest.mark.parametrize("body", [b"\xff\xfe", b"&".join([b"a=b"] * 300), b""])
def test_a_body_that_is_no_form_has_no_fields(body):
    assert twilio_signing.form_of(body) == []


def test_empty_fields_count():
    assert twilio_signing.form_of(b"Body=&From=%2B1500") == [("Body", ""), ("From", "+1500")]
