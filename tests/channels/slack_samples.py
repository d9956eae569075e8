"""Messages and answers for tests of Slack's channels."""

import json
from dataclasses import replace
from datetime import UTC, datetime

from app.domain.message import Happened, Message, Subject
from tests.support.receiver import answer

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
TS = f"{int(NOW.timestamp()) - 3600}.000100"
SIGNING = "0123456789abcdef0123456789abcdef"
TOKEN = "xoxb-1234567890-abc"
HOOK = "https://hooks.slack.com/services/T0123ABCD/B0123ABCD/abcdefgh12345678"

ISSUE = Subject(
    143, "SHOP-4F", "https://t.example.org/acme/shop/issues/143/", "KeyError: 'cart'", "shop.cart",
    event_count=7, user_count=3, first_seen=NOW, last_seen=NOW,
)  # fmt: skip
EVENT = Happened(
    "8f21" * 8, NOW, "production", "shop@1.0", "web-1",
    tags={"browser": "Firefox", "environment": "production"},
    exception_type="KeyError", exception_value="'cart'",
)  # fmt: skip
HEADLINES = {"new": "New issue", "regression": "Regression", "again": "Alert", "resolved": "Resolved"}


def message(kind: str = "new", **changes) -> Message:
    usual = Message(
        id="msg_0123456789abcdef",
        kind=kind,
        type="issue.created",
        key="abc-143",
        at=NOW,
        project="Shop",
        project_slug="shop",
        instance_url="https://t.example.org",
        url=ISSUE.url,
        headline=f"{HEADLINES.get(kind, kind.capitalize())}: KeyError: 'cart'",
        issue=ISSUE,
        event=EVENT,
        rule_id=7,
        rule="New issues",
        reason="Rule “New issues” fired.",
    )
    return replace(usual, **changes)


def ok(**data):
    return answer(200, json.dumps({"ok": True, "channel": "C0123ABCD", "ts": TS, **data}).encode())


def error(name: str, **data):
    return answer(200, json.dumps({"ok": False, "error": name, **data}).encode())
