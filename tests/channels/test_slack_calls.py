"""What Slack tells us: only what it signed lately, read without trust."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from app.channels.base import Call
from app.channels.slack import Slack
from app.channels.slack_calls import answer_address, happened, pressed, signature
from app.settings import ROOT
from tests.support.slack import press, shared

VECTORS = ROOT.parent / "shared" / "contracts" / "vectors" / "slack-signing.json"
SIGNING = "0123456789abcdef0123456789abcdef"
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def vectors() -> list[dict]:
    return json.loads(VECTORS.read_text())["cases"] if VECTORS.exists() else []


def call(
    body: bytes, *, name: str = "interactions", at: datetime = NOW, secret: str = SIGNING, **changes
) -> Call:
    timestamp = int(at.timestamp())
    headers = {
        "x-slack-request-timestamp": str(timestamp),
        "x-slack-signature": signature(secret, timestamp, body),
        **changes,
    }
    return Call(name, "https://tocsin.example.org/hooks/x/y", headers, body)


@pytest.mark.parametrize("vector", vectors(), ids=lambda each: each["name"])
def test_signatures_are_slacks(vector):
    body = vector["body"].encode()
    assert signature(vector["signing_secret"], vector["timestamp"], body) == vector["signature"]


@pytest.mark.parametrize("vector", vectors(), ids=lambda each: each["name"])
def test_another_implementation_agrees(vector):
    from slack_sdk.signature import Clock, SignatureVerifier

    class Then(Clock):
        def now(self) -> float:
            return vector["timestamp"]

    verifier = SignatureVerifier(vector["signing_secret"], Then())
    made = signature(vector["signing_secret"], vector["timestamp"], vector["body"].encode())
    assert verifier.is_valid(vector["body"], str(vector["timestamp"]), made)


BAD = {
    "301 seconds ago": {"at": NOW - timedelta(seconds=301)},
    "301 seconds ahead": {"at": NOW + timedelta(seconds=301)},
    "another secret": {"secret": "f" * 32},
    "no signature": {"x-slack-signature": ""},
    "half a signature": {"x-slack-signature": "v0=00"},
    "letters for a time": {"x-slack-request-timestamp": "now"},
    "digits of another script": {"x-slack-request-timestamp": "١٢٣"},
    "an endless time": {"x-slack-request-timestamp": "1" * 5000},
    "a signature of other letters": {"x-slack-signature": "v0=ü"},
}


@pytest.mark.parametrize("changes", BAD.values(), ids=BAD)
def test_what_is_not_signed_lately_is_not_heard(changes):
    heard = Slack(signing_secret=SIGNING).hear(call(press("resolve", 7), **changes), now=NOW)
    assert (heard.status, heard.act, heard.key) == (401, None, "")


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_five_minutes_are_allowed_either_way(seconds):
    late = call(press("resolve", 7), at=NOW + timedelta(seconds=seconds))
    heard = Slack(signing_secret=SIGNING).hear(late, now=NOW)
    assert heard.status == 200
    assert heard.act["what"] == "resolve"


def test_without_a_signing_secret_nothing_is_heard():
    assert Slack().hear(call(press("resolve", 7), secret=""), now=NOW).status == 403


def test_a_press_is_answered_with_nothing_and_known_by_its_signature():
    made = call(press("ignore", 7, choice="60"))
    heard = Slack(signing_secret=SIGNING).hear(made, now=NOW)
    assert (heard.status, heard.text, heard.content_type) == (200, "", None)
    assert heard.key == made.headers["x-slack-signature"]
    assert (heard.act["issue"], heard.act["choice"], heard.act["account"]) == (7, "60", "U0B0B")


def test_an_event_is_known_by_its_id():
    hear = Slack(signing_secret=SIGNING).hear
    first = hear(call(shared("https://x/1"), name="events"), now=NOW)
    again = hear(call(shared("https://x/1"), name="events", at=NOW + timedelta(seconds=60)), now=NOW)
    assert first.key == again.key == "Ev01"
    assert first.act["to"] == {"channel": "C0123ABCD", "ts": first.act["to"]["ts"]}


ODD = [
    {},
    {"type": "view_submission"},
    {"type": "block_actions"},
    {"type": "block_actions", "actions": []},
    {"type": "block_actions", "actions": ["resolve"]},
    {"type": "block_actions", "actions": [{"action_id": "open", "value": "7"}], "user": {"id": "U"}},
    {"type": "block_actions", "actions": [{"action_id": "drop", "value": "7"}], "user": {"id": "U"}},
    {"type": "block_actions", "actions": [{"action_id": "resolve", "value": "7 or 1"}], "user": {"id": "U"}},
    {"type": "block_actions", "actions": [{"action_id": "resolve", "value": "9" * 99}], "user": {"id": "U"}},
    {"type": "block_actions", "actions": [{"action_id": "resolve", "value": "7"}], "user": "U"},
    {"type": "block_actions", "actions": [{"action_id": 7, "value": 7}], "user": {"id": ["U"]}},
]


@pytest.mark.parametrize("payload", ODD)
def test_what_means_nothing_is_taken_and_leads_to_nothing(payload):
    heard = pressed({"team": {"id": "T"}, **payload}, key="k")
    assert (heard.status, heard.act) == (200, None)


@pytest.mark.parametrize(
    "body", [b"", b"payload=", b"payload=[]", b"payload=%7B", b"\xff\xfe", b"payload=" + b"[" * 9000]
)
def test_what_is_no_payload_leads_to_nothing(body):
    heard = Slack(signing_secret=SIGNING).hear(call(body), now=NOW)
    assert (heard.status, heard.act) == (200, None)


@pytest.mark.parametrize("event", [None, 7, {"type": "message"}, {"type": "link_shared", "links": "x"}])
def test_odd_events_do_no_harm(event):
    act = happened({"type": "event_callback", "event": event}, key="k").act
    assert act is None or act["links"] == []


ADDRESSES = {
    "https://hooks.slack.com/actions/T/1/x": True,
    "https://hooks.slack-gov.com/actions/T/1/x": True,
    "https://hooks.slack.com:8443/x": False,
    "https://user@hooks.slack.com/x": False,
    "https://hooks.slack.com.example.org/x": False,
    "https://example.org/#hooks.slack.com": False,
    "http://hooks.slack.com/x": False,
    "https://[": False,
    "https://hooks.slack.com/x\n": False,
}


@pytest.mark.parametrize(("address", "is_right"), ADDRESSES.items(), ids=ADDRESSES)
def test_presses_are_answered_at_slacks_own_addresses_alone(address, is_right):
    assert answer_address(address) == (address if is_right else "")
