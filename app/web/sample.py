"""The sample event: an SDK's request to the real ingest endpoint, handed in without the network between."""

import json
import secrets
from collections.abc import Callable, Iterable
from datetime import datetime
from io import BytesIO
from typing import Any

from app.domain.errors import Refused
from app.models import Project, ProjectKey

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def send(ingest: Wsgi | None, key: ProjectKey, project: Project, *, now: datetime) -> str:
    """The id of the event that was accepted; `Refused` says what the endpoint answered instead."""
    if ingest is None:
        raise Refused("The sample event could not be sent: this process takes no events.")
    event_id = secrets.token_hex(16)
    answered: list[tuple[str, list[tuple[str, str]]]] = []
    request = _request(key, project, envelope(event_id, now))
    b"".join(ingest(request, lambda status, headers: answered.append((status, headers))))
    status, headers = answered[0]
    if not status.startswith("200 "):
        said = dict(headers).get("X-Sentry-Error", "no reason")
        raise Refused(f"The sample event was refused with {status}: {said}")
    return event_id


def _request(key: ProjectKey, project: Project, body: bytes) -> dict[str, Any]:
    auth = f"Sentry sentry_version=7, sentry_client=tocsin.sample/1, sentry_key={key.public}"
    return {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": f"/api/{project.id}/envelope/",
        "QUERY_STRING": "",
        "CONTENT_TYPE": "application/x-sentry-envelope",
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_X_SENTRY_AUTH": auth,
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.input": BytesIO(body),
    }


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
