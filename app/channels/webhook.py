"""Signed webhooks: JSON by POST to an address of one's own, as Standard Webhooks 1.0.0 has it."""

import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlsplit

from app.channels import meanings
from app.channels.base import ADDRESS, CHOICE, HEADERS, About, Answer, Outcome, Picture, setting
from app.channels.http import Http, Reply
from app.domain import standard_webhooks
from app.domain.message import Frame, Happened, Message, Subject, cut

MOST_BYTES = 20 * 1024
MOST_FRAMES, MOST_HEADERS, LONGEST_HEADER = 5, 10, 1000
LONGEST_VALUE, LONGEST_COMMENT = 2000, 4000
FULL, THIN = "full", "thin"
_NAME = re.compile(r"[A-Za-z0-9-]{1,64}")
_OURS = re.compile(r"(host|connection|transfer-encoding|content-.*|webhook-.*)", re.IGNORECASE)


def wrong_with_headers(headers: Mapping[str, str]) -> str:
    """Why these cannot be sent along, or ""."""
    if len(headers) > MOST_HEADERS:
        return f"Up to {MOST_HEADERS} headers."
    for name, value in headers.items():
        if not _NAME.fullmatch(name):
            return f"“{name}” is no name of a header."
        if _OURS.fullmatch(name):
            return f"{name} is set by Tocsin."
        if len(value) > LONGEST_HEADER or not _is_latin(value):
            return f"{name} has up to {LONGEST_HEADER} printable characters."
    return ""


def _is_latin(value: str) -> bool:
    return value.isprintable() and all(ord(character) < 256 for character in value)


def _made_secret() -> str:
    return standard_webhooks.secret_of(secrets.token_bytes(standard_webhooks.MADE_BYTES))


@dataclass(frozen=True)
class Webhook:
    """`old_secrets` sign too until their time is over: pairs of a secret and the moment, as text."""

    about: ClassVar[About] = About(
        name="webhook",
        label="Webhook",
        summary="Signed JSON to an address of your own.",
        ladder="webhook",
        patience=timedelta(days=5),
    )

    url: str = setting("Address", kind=ADDRESS, hint="Where each message is sent by POST.")
    secret: str = setting(
        "Signing secret",
        secret=True,
        make=_made_secret,
        check=standard_webhooks.wrong_with_secret,
        hint="Empty: one is made, and shown once.",
    )
    payload_form: str = setting(
        "Body",
        default=FULL,
        member="payload",
        kind=CHOICE,
        choices={FULL: "Full: issue, event and stack", THIN: "Thin: ids and addresses, to be looked up"},
    )
    headers: Mapping[str, str] = setting(
        "Headers",
        default=dict,
        kind=HEADERS,
        secret=True,
        bound_to=("url",),
        check=wrong_with_headers,
        hint="Sent along with each message, one a line: Authorization: Bearer …",
    )
    old_secrets: Sequence[Sequence[str]] = setting("Old secrets", default=tuple, secret=True, hidden=True)

    def payload(self, message: Message) -> Mapping[str, Any]:
        """The documented body, as much of it as fits: frames go first, then tags."""
        shown = message.bare() if self.payload_form == THIN else message
        for frames, tags in ((MOST_FRAMES, True), (0, True), (0, False)):
            body = _body(shown, frames=frames, tags=tags)
            if len(_written(body)) <= MOST_BYTES:
                return body
        return _body(message.bare(), frames=0, tags=False)

    def picture(self, message: Message) -> Picture:
        return Picture("code", text=json.dumps(self.payload(message), indent=2, ensure_ascii=False))

    def send(self, message: Message, *, http: Http, now: datetime) -> Answer:
        body = _written(self.payload(message))
        signed = standard_webhooks.headers(self._secrets(now), message.id, now, body)
        headers = {**self.headers, **signed, "Content-Type": "application/json"}
        shown = f"POST {_shown(self.url)}\nwebhook-id: {message.id}\n{body.decode()}"
        return meanings.attempt(
            lambda: http.post(self.url, body, headers),
            lambda reply: _meaning(reply, now),
            request=shown,
        )

    def _secrets(self, now: datetime) -> list[str]:
        old = (secret for secret, until in self.old_secrets if datetime.fromisoformat(until) > now)
        return [self.secret, *old]


def _meaning(reply: Reply, now: datetime) -> Answer:
    """The standard has no faulty messages: all but a yes, a wait and a goodbye is tried again."""
    answer = meanings.usual(reply, now=now)
    if answer.outcome in (Outcome.BAD_MESSAGE, Outcome.DOUBTFUL):
        return Answer(Outcome.RETRY, advice=answer.advice)
    return answer


def _body(message: Message, *, frames: int, tags: bool) -> dict[str, Any]:
    data: dict[str, Any] = {
        "issue": message.issue and _issue(message.issue, message),
        "event": message.event and _event(message.event, message, frames=frames, tags=tags),
        "rule": _rule(message),
        "actor": {"id": message.actor_id, "name": message.actor} if message.actor_id else None,
        "url": message.url,
    }
    if message.issue is None:
        data["project"] = _project(message)
        data["text"] = message.headline
    if message.issues:
        data["issues"] = [_issue(each, message) for each in message.issues]
    if message.comment:
        data["comment"] = cut(message.comment, LONGEST_COMMENT)
    return {"type": message.type, "timestamp": _moment(message.at), "data": data}


def _project(message: Message) -> dict[str, Any]:
    return {"slug": message.project_slug, "name": message.project}


def _rule(message: Message) -> dict[str, Any] | None:
    if message.rule_id is None:
        return None
    return {"id": message.rule_id, "name": message.rule, "reason": message.reason}


def _issue(issue: Subject, message: Message) -> dict[str, Any]:
    return {
        "id": issue.id,
        "short_id": issue.short_id,
        "title": issue.title,
        "culprit": issue.culprit,
        "level": issue.level,
        "status": issue.status,
        "url": issue.url,
        "project": _project(message),
        "first_seen": _moment(issue.first_seen),
        "last_seen": _moment(issue.last_seen),
        "event_count": issue.event_count,
        "user_count": issue.user_count,
        "assignee": issue.assignee or None,
    }


def _event(event: Happened, message: Message, *, frames: int, tags: bool) -> dict[str, Any]:
    exception = {"type": event.exception_type, "value": cut(event.exception_value, LONGEST_VALUE)}
    return {
        "id": event.id,
        "timestamp": _moment(event.at),
        "environment": event.environment or None,
        "release": event.release or None,
        "tags": dict(event.tags) if tags else message.chosen_tags,
        "exception": exception if event.exception_type else None,
        "top_frames": [_frame(each) for each in event.frames[:frames]],
    }


def _frame(frame: Frame) -> dict[str, Any]:
    return {"file": frame.file, "line": frame.line, "function": frame.function, "in_app": frame.in_app}


def _moment(at: datetime | None) -> str | None:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if at else None


def _written(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _shown(url: str) -> str:
    """Without the query, which may hold a token."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}{'?…' if parts.query else ''}"
