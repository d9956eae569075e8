"""PagerDuty by its Events API, version 2: an incident is opened for an issue, and resolved with it."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar

from app.channels import meanings
from app.channels.base import CHOICE, HEADERS, About, Answer, Outcome, Picture, setting
from app.channels.http import Http, Reply
from app.channels.levels import levels_setting
from app.domain import incident
from app.domain.kinds import OPENING, TEST
from app.domain.message import Message, cut
from app.domain.message_words import one_line

HOSTS = {"us": "https://events.pagerduty.com", "eu": "https://events.eu.pagerduty.com"}
PATH = "/v2/enqueue"
SEVERITIES = {"fatal": "critical", "error": "error", "warning": "warning", "info": "info", "debug": "info"}
LONGEST_SUMMARY, MOST_BYTES = 1024, 512 * 1024
MOST_ROUTES, MOST_USED = 50, 100
# "Retry 3 times 30 seconds apart, then by minutes"; it does not promise to say for how long itself.
SLOW, SLOWER, TIMES_SLOW = timedelta(seconds=30), timedelta(minutes=2), 3
# What is kept of an issue: by which keys it may be open, and how often it was too much.
KEYS, SLOWED = "keys", "slowed"
LOOK = "PagerDuty takes unknown keys, too: look whether an incident “Test message” was opened, and resolved."
_KEY = re.compile(r"[A-Za-z0-9]{32}")


def wrong_with_key(key: str) -> str:
    return "" if _KEY.fullmatch(key) else "An integration key has 32 letters and digits."


def wrong_with_routes(routes: Mapping[str, str]) -> str:
    """Why these are no ways by tag, or ""."""
    if len(routes) > MOST_ROUTES:
        return f"Up to {MOST_ROUTES} lines."
    for way, key in routes.items():
        name, between, value = way.partition("=")
        if not name.strip() or not between or not value.strip():
            return f"“{way}”: a tag and its value, such as environment=production -> key."
        if wrong := wrong_with_key(key):
            return f"{way}: {wrong}"
    return ""


@dataclass(frozen=True)
class PagerDuty:
    """`used_keys` are those that anything was opened by: it can be closed by the same one alone."""

    about: ClassVar[About] = About(
        name="pagerduty",
        label="PagerDuty",
        summary="Opens an incident for an issue, and resolves it with the issue.",
        ladder="paging",
        is_paging=True,
        kinds=(*OPENING, "assigned"),
        usual_kinds=OPENING,
        labels={"assigned": "Acknowledge the incident when the issue is assigned"},
        needs_open=("assigned",),
        pace=timedelta(milliseconds=500),
        notice="What was opened is always resolved. A test opens an incident of severity info and resolves "
        "it at once: it may page somebody.",
    )

    routing_key: str = setting(
        "Integration key",
        secret=True,
        check=wrong_with_key,
        hint="Of an “Events API v2” integration of the service, or of an orchestration (begins with R).",
    )
    region: str = setting(
        "Region", default="us", kind=CHOICE, choices={"us": "United States", "eu": "Europe"}
    )
    routes: Mapping[str, str] = setting(
        "Other keys by tag",
        default=dict,
        kind=HEADERS,
        between="->",
        secret=True,
        check=wrong_with_routes,
        hint="The first that fits is used, one a line: environment=staging -> integration key",
    )
    levels: Mapping[str, str] = levels_setting()
    used_keys: Sequence[str] = setting("Used keys", default=tuple, secret=True, hidden=True)

    def payload(self, message: Message) -> Mapping[str, Any]:
        return self._body(message, self._keys(message)[0])

    def picture(self, message: Message) -> Picture:
        body = self._body(message, "")
        shown = body.get("payload", {})
        known = [
            (name, str(shown[name])) for name in ("source", "component", "group", "class") if name in shown
        ]
        return Picture(
            "card",
            title=shown.get("summary", f"{incident.news(message)}: {body['event_action']}"),
            fields=[("severity", shown["severity"]), *known] if shown else (),
            buttons=[each["text"] for each in body.get("links", ())],
            level=incident.level(message, self.levels),
            note=f"{body['event_action']} · {body['dedup_key']}",
        )

    def send(self, message: Message, *, http: Http, now: datetime) -> Answer:
        if message.kind == TEST:
            return self._test(message, http, now)
        if message.kind in OPENING:
            return self._open(message, http, now)
        return self._follow(message, http, now)

    # Which key

    def _keys(self, message: Message) -> Sequence[str]:
        """By which it is sent: what is open under several is closed under each."""
        kept = message.references.get(KEYS, ())
        used = [key for key in self._known() if _name(key) in kept]
        if message.kind not in OPENING:
            return used or [self.routing_key]
        current = (self.routing_key, *self.routes.values())
        return [key for key in used if key in current][:1] or [self._routed(message)]

    def _known(self) -> Sequence[str]:
        return tuple(dict.fromkeys((self.routing_key, *self.routes.values(), *self.used_keys)))

    def _routed(self, message: Message) -> str:
        tags = {**incident.tags(message), "environment": incident.environment(message)}
        for way, key in self.routes.items():
            name, _, value = way.partition("=")
            if tags.get(name.strip()) == value.strip():
                return key
        return self.routing_key

    # What is sent

    def _body(self, message: Message, key: str) -> dict[str, Any]:
        """As much of it as fits: of the details the tags are the last to go."""
        if message.kind not in (*OPENING, TEST):
            return self._follow_up(message, key, "resolve" if incident.closes(message) else "acknowledge")
        tags = incident.tags(message)
        for details in (_details(message, tags), {"tags": tags}, {}):
            body = self._trigger(message, key, details)
            if len(_written(body)) <= MOST_BYTES:
                break
        return body

    def _follow_up(self, message: Message, key: str, action: str) -> dict[str, Any]:
        return {"routing_key": key, "event_action": action, "dedup_key": incident.key(message)}

    def _trigger(self, message: Message, key: str, details: Mapping[str, Any]) -> dict[str, Any]:
        event = message.event
        about = {
            "summary": _summary(message),
            "source": one_line(event.server_name if event else "") or message.project_slug,
            "severity": SEVERITIES[incident.level(message, self.levels)],
            "timestamp": incident.moment(event.at if event else message.at),
            "component": message.project_slug,
            "group": incident.environment(message),
            "class": one_line(event.exception_type) if event else "",
            "custom_details": details,
        }
        return {
            **self._follow_up(message, key, "trigger"),
            "client": incident.TOOL,
            "client_url": message.url,
            "links": [{"href": message.url, "text": message.issue.short_id if message.issue else "Tocsin"}],
            "payload": {name: value for name, value in about.items() if value},
        }

    # How

    def _open(self, message: Message, http: Http, now: datetime) -> Answer:
        """The key is kept where it may be open by it now, and for the bare form, which has no tags."""
        [key] = self._keys(message)
        answer = self._post(self._body(message, key), message, http, now)
        is_kept = answer.outcome in (Outcome.DELIVERED, Outcome.BAD_MESSAGE) or answer.is_unsure
        if not is_kept:
            return answer
        used = tuple(dict.fromkeys((*self.used_keys, key)))[-MOST_USED:]
        kept = dict.fromkeys((*message.references.get(KEYS, ()), _name(key)))
        return replace(
            answer,
            references={**answer.references, KEYS: list(kept)},
            changes={"used_keys": list(used)} if key not in self.used_keys else {},
        )

    def _follow(self, message: Message, http: Http, now: datetime) -> Answer:
        """Acknowledge or resolve, under each key that it is open by."""
        left = list(self._keys(message))
        answer = Answer(Outcome.DELIVERED)
        while left:
            answer = self._post(self._body(message, left[0]), message, http, now)
            if answer.outcome is not Outcome.DELIVERED and not self._is_gone(left[0], answer):
                break
            answer = replace(answer, outcome=Outcome.DELIVERED)
            del left[0]
        if not incident.closes(message):
            return answer
        return replace(answer, references={**answer.references, KEYS: [_name(key) for key in left]})

    def _is_gone(self, key: str, answer: Answer) -> bool:
        """Whether nothing can be open by that key any more: it was in use once, and is unknown by now."""
        is_current = key in (self.routing_key, *self.routes.values())
        return answer.outcome is Outcome.BROKEN and not is_current

    def _test(self, message: Message, http: Http, now: datetime) -> Answer:
        opened = self._post(self._body(message, self.routing_key), message, http, now)
        if opened.outcome is not Outcome.DELIVERED:
            return opened
        body = self._follow_up(message, self.routing_key, "resolve")
        closed = self._post(body, message, http, now)
        return replace(closed, advice=closed.advice or LOOK, request=f"{opened.request}\n\n{closed.request}")

    def _post(self, body: Mapping[str, Any], message: Message, http: Http, now: datetime) -> Answer:
        url = f"{http.base('pagerduty', HOSTS[self.region])}{PATH}"
        masked = {**body, "routing_key": f"••••{body['routing_key'][-4:]}"}
        shown = f"POST {HOSTS[self.region]}{PATH}\n{json.dumps(masked, ensure_ascii=False, indent=2)}"
        slowed = message.references.get(SLOWED, 0)
        return meanings.attempt(
            lambda: http.post(url, _written(body), {"Content-Type": "application/json"}),
            lambda reply: _meaning(reply, now, slowed),
            request=shown,
        )


def _summary(message: Message) -> str:
    """`[production] ValueError: bad literal (api.views.save)`"""
    place, where = incident.environment(message), incident.culprit(message)
    parts = (
        f"[{place}]" if place else "",
        incident.words(message) or incident.title(message),
        where and f"({where})",
    )
    return cut(" ".join(part for part in parts if part), LONGEST_SUMMARY)


def _details(message: Message, tags: Mapping[str, str]) -> Mapping[str, Any]:
    details = {**incident.facts(message), "tags": tags, "frames": incident.frames(message)}
    return {name.replace(" ", "_"): value for name, value in details.items() if value}


def _name(key: str) -> str:
    """What stands for a key where no secret may stand."""
    return hashlib.sha256(key.encode()).hexdigest()[:16]


def _written(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _meaning(reply: Reply, now: datetime, slowed: int) -> Answer:
    said = reply.data
    if 200 <= reply.status < 300:
        if said.get("status") == "success":
            return Answer(Outcome.DELIVERED, references={SLOWED: 0} if slowed else {})
        return Answer(Outcome.RETRY, advice="The answer does not say that PagerDuty took it.")
    if reply.status == 400 and "routing_key" in str(said.get("errors", "")):
        return Answer(Outcome.BROKEN, advice="PagerDuty does not know the integration key. Enter it again.")
    if reply.status == 429:
        wait = meanings.retry_after(reply.headers, now=now) or (SLOW if slowed < TIMES_SLOW else SLOWER)
        return Answer(Outcome.RETRY_AT, retry_after=wait, references={SLOWED: slowed + 1})
    return meanings.usual(reply, now=now)
