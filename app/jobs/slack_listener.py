"""The process that keeps a connection to Slack open where Slack cannot reach us: `flask slack listen`.

What comes in goes into the same rows as calls over HTTP, and is acknowledged once it is kept.
"""

import logging
import signal
import threading
import time
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.socket_mode.client import BaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from app import outgoing
from app.channels.base import Outcome
from app.channels.slack_api import NAME, Calls
from app.clock import now
from app.db import reading, transaction
from app.services.integrations import calling_back, slack_listening
from app.services.integrations.slack_listening import Ear

log = logging.getLogger(__name__)
LOOK_EVERY = 30.0
CLOSED_WITHIN = 15.0


class Client(SocketModeClient):
    """slack_sdk's, but the address to connect to is asked for by the one client for all calls out."""

    def __init__(self, app: Flask, ear: Ear) -> None:
        self.app, self.ear = app, ear
        super().__init__(app_token=ear.token, logger=logging.getLogger(f"{__name__}.connection"))
        # The one that is set, or none: never one that the environment happens to name.
        self.proxy = app.config["SETTINGS"].outbound_proxy or None

    def issue_new_wss_url(self) -> str:
        with self.app.app_context():
            http = outgoing.client()
        try:
            answer, data = Calls(http, now(), self.ear.token, self.ear.host).call("apps.connections.open", {})
        finally:
            http.close()
        url = str(data.get("url") or "")
        if answer.outcome is not Outcome.DELIVERED or not (http.base(NAME, "") or _is_slacks(url)):
            raise ConnectionError(answer.advice or answer.code)
        return url

    def close(self) -> None:
        """In bounded time. A connection that has only begun forgets that it was ended: it is told again."""
        closing = threading.Thread(target=super().close, daemon=True)
        closing.start()
        over = time.monotonic() + CLOSED_WITHIN
        while closing.is_alive() and time.monotonic() < over:
            self.current_session_state.terminated = True
            closing.join(0.2)


def _is_slacks(url: str) -> bool:
    """The library speaks TLS on the usual port alone."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    is_theirs = host.endswith((".slack.com", ".slack-gov.com"))
    return parts.scheme == "wss" and is_theirs and parts.port in (None, 443)


class Listener:
    """The connections, one for each app that an integration names."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.open: dict[str, Client] = {}

    def look(self) -> None:
        """Open what is asked for, close what is not any more."""
        with self.app.app_context(), reading() as session:
            wanted = slack_listening.ears(session, outgoing.seal())
        for token in self.open.keys() - wanted.keys():
            self.open.pop(token).close()
        for token, ear in wanted.items():
            if token not in self.open:
                self._connect(ear)

    def _connect(self, ear: Ear) -> None:
        client = Client(self.app, ear)
        client.socket_mode_request_listeners.append(self.take)
        try:
            client.connect()
        except Exception as error:
            log.warning("no connection to Slack: %s", error, extra={"destination": ear.destination_id})
            client.close()
            return
        self.open[ear.token] = client
        log.info("listening to Slack", extra={"destination": ear.destination_id})

    def take(self, client: BaseSocketModeClient, request: SocketModeRequest) -> None:
        """Keep what was said, then say so. What was not kept is not acknowledged: Slack says it again."""
        payload: dict[str, Any] = request.payload if isinstance(request.payload, dict) else {}
        heard = slack_listening.heard(request.type, payload, envelope=request.envelope_id)
        if heard.act is not None:
            with self.app.app_context(), transaction() as session:
                ear = slack_listening.ears(session, outgoing.seal()).get(client.app_token)
                if ear is None:  # taken away a moment ago, or its settings cannot be opened
                    return
                calling_back.keep(session, ear.destination_id, heard, outgoing.seal(), now=now())
        client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))

    def close(self) -> None:
        for client in self.open.values():
            client.close()
        self.open.clear()


def run(app: Flask) -> None:
    """Listen until SIGTERM or Ctrl-C; integrations that are added are heard within half a minute."""
    over = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: over.set())
    listener = Listener(app)
    try:
        while not over.is_set():
            listener.look()
            over.wait(LOOK_EVERY)
    finally:
        listener.close()
