"""Slack as tests play it: integrations of its app, calls that it signs, presses of its buttons."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any
from urllib.parse import urlencode

from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app.channels.slack_calls import signature
from app.clock import now
from app.domain.kinds import INTEGRATION_KINDS
from app.models import Destination, Project, User
from app.services.integrations import connecting
from app.services.integrations.connecting import Vault, Wishes
from app.services.sealing import Seal
from app.settings import Settings

SIGNING = "0123456789abcdef0123456789abcdef"
TOKEN = "xoxb-1234567890-abc"
HOOK = "https://hooks.slack.com/services/T0123ABCD/B0123ABCD/abcdefgh12345678"
ANSWER_TO = "https://hooks.slack.com/actions/T0123ABCD/1234/abcdef"
TEAM, CHANNEL = "T0123ABCD", "C0123ABCD"
TS = f"{int(now().timestamp())}.000100"  # of a message that was just posted
_presses = count(1)


def bot(
    session: Session, project: Project, settings: Settings, by: User, *, name: str = "Alerts", **changes: Any
) -> Destination:
    """An integration of the project with the app's bot; `changes` are settings, "" takes one away."""
    given = {"bot_token": TOKEN, "channel": CHANNEL, "signing_secret": SIGNING, **changes}
    wishes = Wishes(name, list(INTEGRATION_KINDS), given)
    vault = Vault(Seal(settings.credential_keys), settings.outbound_allow)
    made, _ = connecting.add(session, project, "slack", wishes, vault, by=by, now=now())
    made.settings = {**made.settings, "team": TEAM}
    session.flush()
    return made


def press(what: str, issue_id: int, *, account: str = "U0B0B", choice: str = "", **changes: Any) -> bytes:
    """The body of the call that a press of a button makes."""
    payload = {
        "type": "block_actions",
        "user": {"id": account, "username": "bob.slack"},
        "team": {"id": TEAM, "domain": "acme"},
        "channel": {"id": CHANNEL, "name": "checkout"},
        "container": {"message_ts": TS},
        "response_url": ANSWER_TO,
        "trigger_id": str(next(_presses)),
        "actions": [_action(what, str(issue_id), choice)],
        **changes,
    }
    return urlencode({"payload": json.dumps(payload)}).encode()


def _action(what: str, value: str, choice: str) -> dict[str, Any]:
    if what == "ignore":
        return {"action_id": "ignore", "selected_option": {"value": f"{value}/{choice}"}}
    if what == "assign":
        return {"action_id": f"assign/{value}", "selected_user": choice}
    return {"action_id": what, "value": value}


def shared(*links: str, event_id: str = "Ev01", team: str = TEAM) -> bytes:
    """The body of the event that links in a message make."""
    event = {
        "type": "link_shared",
        "channel": CHANNEL,
        "message_ts": TS,
        "links": [{"domain": "tocsin.example.org", "url": url} for url in links],
    }
    return json.dumps(
        {"type": "event_callback", "team_id": team, "event_id": event_id, "event": event}
    ).encode()


def headers(body: bytes, *, secret: str = SIGNING, ago: int = 0) -> dict[str, str]:
    """As Slack signs a call, so many seconds ago."""
    timestamp = int(now().timestamp()) - ago
    return {
        "X-Slack-Request-Timestamp": str(timestamp),
        "X-Slack-Signature": signature(secret, timestamp, body),
    }


@dataclass
class Workspace:
    """Calls an integration as Slack does."""

    client: FlaskClient
    destination: Destination

    def call(
        self, body: bytes, *, name: str = "interactions", signed: Mapping[str, str] | None = None
    ) -> TestResponse:
        kind = "application/x-www-form-urlencoded" if name == "interactions" else "application/json"
        address = f"/hooks/{self.destination.callback_key}/{name}"
        given = headers(body) if signed is None else signed
        return self.client.post(address, data=body, headers={"Content-Type": kind, **given})
