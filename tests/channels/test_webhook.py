"""Webhooks: the documented body, signatures that receivers can check, and what their answers mean."""

import base64
import hashlib
import hmac
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.channels.base import Outcome, settings_of
from app.channels.webhook import MOST_BYTES, THIN, Webhook
from app.domain import standard_webhooks
from app.domain.message import Frame, Happened, Message, Subject
from app.settings import ROOT
from tests.support.receiver import answer

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
VECTORS = ROOT.parent / "shared" / "contracts" / "vectors" / "standard-webhooks.json"
SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
OTHER = "whsec_ZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXp7fH1+f4CBgoM="


def vectors(part: str) -> list[dict]:
    return json.loads(VECTORS.read_text())[part] if VECTORS.exists() else []


def message(**changes) -> Message:
    issue = Subject(
        143, "SHOP-4F", "https://t.example.org/acme/shop/issues/143/", "KeyError: cart", "shop.cart",
        event_count=7, user_count=3, first_seen=NOW, last_seen=NOW,
    )  # fmt: skip
    event = Happened(
        "8f21" * 8,
        NOW,
        "production",
        "shop@1.0",
        tags={"browser": "Firefox"},
        exception_type="KeyError",
        exception_value="cart",
        frames=[Frame("shop/cart.py", 42, "checkout", True)] * 9,
    )
    usual = Message(
        id="msg_0123456789abcdef",
        kind="new",
        type="issue.created",
        key="abc-143",
        at=NOW,
        project="Shop",
        project_slug="shop",
        instance_url="https://t.example.org",
        url=issue.url,
        headline="New issue: KeyError: cart",
        issue=issue,
        event=event,
        rule_id=7,
        rule="New issues",
        reason="Rule “New issues” fired.",
    )
    return replace(usual, **changes)


def verified(secret: str, request) -> bool:
    """As a receiver does it, in its own words."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + request.body
    expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return expected in headers["webhook-signature"].split()


@pytest.mark.parametrize("vector", vectors("sign"))
def test_signatures_are_those_of_the_standard(vector):
    made = standard_webhooks.signature(
        vector["secret"], vector["id"], vector["timestamp"], vector["body"].encode()
    )
    assert made == vector["signature"]


@pytest.mark.parametrize("vector", vectors("secrets"))
def test_secrets_that_people_bring_are_checked(vector):
    wrong = not vector["value"] or standard_webhooks.wrong_with_secret(vector["value"])
    assert bool(wrong) != vector["ok"]


def test_what_is_sent_can_be_verified_and_is_the_documented_body(http, receiver):
    hook = Webhook(receiver.url, SECRET, headers={"X-Token": "open sesame"})
    said = hook.send(message(), http=http, now=NOW)
    [request] = receiver.taken
    assert said.outcome == Outcome.DELIVERED
    assert verified(SECRET, request)
    assert not verified(OTHER, request)
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["X-Token"] == "open sesame"
    assert request.headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    assert re.fullmatch(r"[A-Za-z0-9_-]{8,64}", request.headers["webhook-id"])
    body = json.loads(request.body)
    assert body["type"] == "issue.created"
    assert body["timestamp"] == "2026-11-23T09:00:00.000000Z"
    assert body["data"]["issue"]["short_id"] == "SHOP-4F"
    assert len(body["data"]["event"]["top_frames"]) == 5
    assert body["data"]["rule"] == {"id": 7, "name": "New issues", "reason": "Rule “New issues” fired."}
    assert body["data"]["actor"] is None


def test_the_same_message_has_the_same_id_at_every_try_and_a_new_timestamp(http, receiver):
    hook = Webhook(receiver.url, SECRET)
    for minutes in (0, 5):
        hook.send(message(), http=http, now=NOW + timedelta(minutes=minutes))
    first, second = receiver.taken
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]
    assert first.body == second.body


def test_while_a_secret_is_exchanged_both_sign_and_then_the_new_one_alone(http, receiver):
    until = (NOW + timedelta(hours=24)).isoformat()
    hook = Webhook(receiver.url, SECRET, old_secrets=[[OTHER, until]])
    hook.send(message(), http=http, now=NOW)
    hook.send(message(), http=http, now=NOW + timedelta(hours=25))
    during, after = receiver.taken
    assert verified(SECRET, during)
    assert verified(OTHER, during)
    assert verified(SECRET, after)
    assert not verified(OTHER, after)


def test_thin_bodies_name_the_issue_and_nothing_of_the_event():
    body = json.dumps(Webhook("https://x", SECRET, THIN).payload(message()))
    assert "SHOP-4F" in body
    assert "Firefox" not in body
    assert "shop/cart.py" not in body


def test_what_is_too_large_loses_frames_then_tags():
    long = [Frame("x" * 200, 1, "y" * 200, True)] * 9
    tags = {f"tag{number}": "z" * 200 for number in range(100)}
    event = replace(message().event, frames=long, tags={**tags, "browser": "Firefox"})
    body = Webhook("https://x", SECRET).payload(message(event=event, tags=("browser",)))
    assert len(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()) <= MOST_BYTES
    assert body["data"]["event"]["top_frames"] == []
    assert body["data"]["event"]["tags"] == {"browser": "Firefox"}


def test_no_message_is_larger_than_it_may_be():
    huge = replace(message().event, exception_value="💥" * 50_000, tags={"a": "💥" * 50_000})
    issue = replace(message().issue, title="💥" * 255, culprit="💥" * 200)
    body = Webhook("https://x", SECRET).payload(message(event=huge, issue=issue, comment="💥" * 50_000))
    assert len(json.dumps(body, ensure_ascii=False).encode()) <= MOST_BYTES


MEANINGS = {
    "400 is tried again": (answer(400), Outcome.RETRY),
    "401 is tried again": (answer(401), Outcome.RETRY),
    "404 is tried again": (answer(404), Outcome.RETRY),
    "410 is the end": (answer(410), Outcome.BROKEN),
    "429 says when": (answer(429, retry_after="9"), Outcome.RETRY_AT),
    "302 is tried again": (answer(302, location="/there"), Outcome.RETRY),
}


@pytest.mark.parametrize(("script", "outcome"), MEANINGS.values(), ids=MEANINGS)
def test_what_answers_mean(http, receiver, script, outcome):
    receiver.script(script)
    assert Webhook(receiver.url, SECRET).send(message(), http=http, now=NOW).outcome == outcome


def test_the_log_shows_the_request_without_query_or_secrets(http, receiver):
    hook = Webhook(f"{receiver.url}?token=s3cret", SECRET, headers={"Authorization": "Bearer s3cret"})
    said = hook.send(message(), http=http, now=NOW)
    assert "SHOP-4F" in said.request
    assert "s3cret" not in said.request
    assert SECRET not in said.request


def test_secrets_do_not_stand_in_its_repr():
    shown = repr(Webhook("https://x", SECRET, headers={"A": "s3cret"}, old_secrets=[[OTHER, "x"]]))
    assert not [each for each in (SECRET, OTHER, "s3cret") if each in shown]


HEADERS = {
    "one of ours": {"webhook-id": "x"},
    "the length": {"Content-Length": "1"},
    "the host": {"HOST": "x"},
    "a blank in the name": {"a b": "x"},
    "a line break": {"X": "a\r\nB: c"},
    "not latin": {"X": "日本"},
    "too long": {"X": "y" * 1001},
    "too many": {f"X-{number}": "" for number in range(11)},
}


@pytest.mark.parametrize("headers", HEADERS.values(), ids=HEADERS)
def test_headers_that_cannot_be_sent_are_refused(headers):
    [field] = [each for each in settings_of(Webhook) if each.name == "headers"]
    assert field.check(headers)
    assert not field.check({"Authorization": "Bearer x", "X-Ümlaut".replace("Ü", "U"): "ü"})


def test_the_version_in_the_user_agent_is_that_of_the_project():
    from app.channels.http import VERSION

    assert f'version = "{VERSION}"' in Path(ROOT / "pyproject.toml").read_text()
