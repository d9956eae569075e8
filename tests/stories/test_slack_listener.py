"""Socket Mode: over a connection of our own comes what would have been called, and counts the same."""

import json
from dataclasses import replace
from urllib.parse import parse_qs

import pytest
from sqlalchemy import select

from app.channels.slack_calls import realm_of
from app.jobs import slack_listener
from app.jobs.slack_listener import Listener
from app.models import Callback, ChannelAccount
from tests.support import slack
from tests.support.receiver import answer
from tests.support.slack import TEAM, press
from tests.support.websocket import WebSocketServer

TOKEN = "xapp-1-A0123-4567-abcdef"


@pytest.fixture
def server():
    made = WebSocketServer()
    yield made
    made.stop()


@pytest.fixture
def alerts(session, cast, settings):
    made = slack.bot(session, cast.shop, settings, cast.alice, signing_secret="", app_token=TOKEN)
    session.commit()
    return made


@pytest.fixture
def listener(app, receiver, server, alerts, monkeypatch):
    said = {"ok": True, "url": server.url, "channel": slack.CHANNEL, "ts": slack.TS}
    receiver.usual = answer(200, json.dumps(said).encode())
    settings = replace(app.config["SETTINGS"], slack_base_url=receiver.base)
    monkeypatch.setitem(app.config, "SETTINGS", settings)
    made = Listener(app)
    yield made
    made.close()


def envelope(number: str, body: bytes) -> dict:
    """A press as it comes over the connection."""
    payload = json.loads(parse_qs(body.decode())["payload"][0])
    return {
        "envelope_id": number,
        "type": "interactive",
        "payload": payload,
        "accepts_response_payload": True,
    }


def rows(session):
    session.commit()
    return session.scalars(select(Callback).order_by(Callback.id)).all()


def test_a_press_over_the_connection_acts_as_the_linked_person(
    cast, make, listener, server, session, run_jobs, receiver, now
):
    issue = make.issue(cast.shop)
    linked = ChannelAccount(
        user_id=cast.bob.id, channel="slack", realm=realm_of(TOKEN), team=TEAM, account="U0B0B", names={},
        asked_at=now, linked_at=now,
    )  # fmt: skip
    session.add(linked)
    session.commit()
    listener.look()
    assert receiver.taken[0].headers["Authorization"] == f"Bearer {TOKEN}"
    said = envelope("e-1", press("resolve", issue.id))
    assert server.say(said) == [{"envelope_id": "e-1"}]
    assert len(rows(session)) == 1  # kept before it was acknowledged
    run_jobs()
    session.refresh(issue)
    assert issue.status == "resolved"
    server.say(said, answers=2)
    assert len(rows(session)) == 1  # said twice, counts once


def test_what_means_nothing_is_acknowledged_and_not_kept(listener, server, session):
    listener.look()
    server.say({"type": "hello"}, answers=0)
    assert server.say({"envelope_id": "e-2", "type": "slash_commands", "payload": {}}) == [
        {"envelope_id": "e-2"}
    ]
    assert rows(session) == []


def test_connections_follow_what_integrations_say(listener, alerts, session):
    listener.look()
    assert list(listener.open) == [TOKEN]
    alerts.enabled = False
    session.commit()
    listener.look()
    assert listener.open == {}


def test_a_token_that_slack_does_not_take_is_tried_again_later(listener, receiver):
    receiver.script(answer(200, b'{"ok":false,"error":"invalid_auth"}'))
    listener.look()
    assert listener.open == {}
    listener.look()
    assert list(listener.open) == [TOKEN]


@pytest.mark.parametrize(
    ("url", "is_right"),
    [
        ("wss://wss-primary.slack.com/link/?ticket=1", True),
        ("wss://wss-primary.slack-gov.com/link/?ticket=1", True),
        ("ws://wss-primary.slack.com/link/", False),
        ("wss://wss-primary.slack.com:8443/link/", False),
        ("wss://slack.com.example.org/", False),
        ("", False),
    ],
)
def test_only_slacks_own_addresses_are_connected_to_and_only_in_secret(url, is_right):
    assert slack_listener._is_slacks(url) == is_right
