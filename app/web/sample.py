"""The sample event: sent to this server's own ingest endpoint, over HTTP, as any SDK would."""

import json
import secrets
from datetime import datetime

import urllib3

from app.domain.errors import Refused
from app.models import Project, ProjectKey
from app.settings import Settings

# Where to connect for an address that only says what to listen on.
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 (connected to, not bound)
SECONDS = 5.0


def send(settings: Settings, key: ProjectKey, project: Project, *, now: datetime) -> str:
    """The id of the event that was accepted; `Refused` says what the endpoint answered instead."""
    host = EVERYWHERE.get(settings.host, settings.host)
    url = f"http://{f'[{host}]' if ':' in host else host}:{settings.port}/api/{project.id}/envelope/"
    event_id = secrets.token_hex(16)
    headers = {
        "Content-Type": "application/x-sentry-envelope",
        "X-Sentry-Auth": f"Sentry sentry_version=7, sentry_client=tocsin.sample/1, sentry_key={key.public}",
    }
    try:
        with urllib3.PoolManager(timeout=SECONDS, retries=False) as http:
            answer = http.request("POST", url, body=envelope(event_id, now), headers=headers)
    except urllib3.exceptions.HTTPError as error:
        raise Refused(f"The sample event could not be sent to {url}: {error}") from error
    if answer.status != 200:
        said = answer.headers.get("X-Sentry-Error") or answer.reason or "no reason"
        raise Refused(f"The sample event was refused with {answer.status}: {said}")
    return event_id


def envelope(event_id: str, now: datetime) -> bytes:
    """Each is an issue of its own, so that each rings."""
    event = {
        "event_id": event_id,
        "timestamp": now.timestamp(),
        "platform": "python",
        "level": "error",
        "logger": "tocsin.sample",
        "environment": "sample",
        "tags": {"sample": "yes"},
        "fingerprint": ["tocsin-sample", event_id],
        "exception": {"values": [_exception()]},
    }
    header, item = {"event_id": event_id}, {"type": "event"}
    return b"\n".join(json.dumps(part).encode() for part in (header, item, event))


def _exception() -> dict[str, object]:
    frame = {
        "filename": "sample.py",
        "abs_path": "/sample/sample.py",
        "function": "ring_the_bell",
        "module": "sample",
        "lineno": 3,
        "pre_context": [
            "def ring_the_bell():",
            "    # Tocsin sent this event to itself: nothing of yours is broken.",
        ],
        "context_line": "    return 1 / 0",
        "post_context": [],
        "in_app": True,
    }
    return {
        "type": "SampleError",
        "value": "a sample event, sent from the page “Connect”",
        "stacktrace": {"frames": [frame]},
        "mechanism": {"type": "tocsin.sample", "handled": True},
    }
