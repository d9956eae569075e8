"""VictorOps, now Splunk On-Call, by its REST endpoint: an incident for an issue, which recovers with it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from app.channels import meanings
from app.channels.base import About, Answer, Outcome, Picture, setting
from app.channels.http import Http, Reply
from app.channels.levels import levels_setting
from app.domain import incident
from app.domain.kinds import OPENING, TEST
from app.domain.message import Message, cut
from app.domain.message_words import one_line

HOST = "https://alert.victorops.com"
PATH = "/integrations/generic/20131114/alert"
TYPES = {"fatal": "CRITICAL", "error": "CRITICAL", "warning": "WARNING", "info": "INFO", "debug": "INFO"}
ACKNOWLEDGEMENT, RECOVERY, INFO = "ACKNOWLEDGEMENT", "RECOVERY", "INFO"
LONGEST_NAME, LONGEST_TEXT = 512, 20_480
UNKNOWN = "VictorOps does not know the API key. Copy the address of the REST integration again."
_KEY = re.compile(r"[A-Za-z0-9-]{20,64}")
_ADDRESS = re.compile(rf"https://[a-z.]*victorops\.com{PATH}/([^/]+)(/.*)?")
_ROUTE = re.compile(r"[A-Za-z0-9_.-]{1,128}")


def key_in(text: str) -> str:
    """The key, of which people paste the whole address that VictorOps shows."""
    found = _ADDRESS.fullmatch(text.strip())
    return found[1] if found else text.strip()


def wrong_with_key(key: str) -> str:
    if _KEY.fullmatch(key):
        return ""
    return "The API key of “REST - Generic”, or its whole address: https://alert.victorops.com/…"


def wrong_with_route(route: str) -> str:
    if "$" in route:
        return "“$routing_key” stands for a routing key of yours: see Settings, Routing Keys, at VictorOps."
    return "" if _ROUTE.fullmatch(route) else "Letters, digits, dots, hyphens and underscores, up to 128."


@dataclass(frozen=True)
class VictorOps:
    about: ClassVar[About] = About(
        name="victorops",
        label="VictorOps",
        summary="Splunk On-Call: opens an incident for an issue, which recovers with the issue.",
        ladder="paging",
        is_paging=True,
        kinds=(*OPENING, "assigned"),
        usual_kinds=OPENING,
        labels={"assigned": "Acknowledge the incident when the issue is assigned"},
        needs_open=("assigned",),
        pace=timedelta(seconds=1),
        notice="What was opened always recovers. A test is of the type INFO, which pages nobody.",
    )

    api_key: str = setting(
        "API key",
        secret=True,
        tidy=key_in,
        check=wrong_with_key,
        hint="Of the integration “REST - Generic”; its whole address will do.",
    )
    routing_key: str = setting(
        "Routing key",
        check=wrong_with_route,
        hint="One that VictorOps knows: others go where its default leads, without an error.",
    )
    levels: Mapping[str, str] = levels_setting()

    def payload(self, message: Message) -> Mapping[str, Any]:
        """Its fields, and more that its rules can use; those without a value are left out."""
        issue, event = message.issue, message.event
        at = int(message.at.timestamp())
        body: dict[str, Any] = {
            "message_type": self._type(message),
            "entity_id": incident.key(message),
            "entity_display_name": cut(incident.title(message), LONGEST_NAME),
            "state_message": cut(_text(message), LONGEST_TEXT),
            "state_start_time": at,
            "timestamp": at,
            "monitoring_tool": incident.TOOL,
            "host_name": one_line(event.server_name) if event else "",
            "issue_url": message.url,
            "project": message.project_slug,
            "environment": incident.environment(message),
            "release": one_line(event.release) if event else "",
            "level": issue.level if issue and not incident.closes(message) else "",
            "vo_annotate.u.Issue": message.url,
            "vo_annotate.s.Note": cut(one_line(message.reason), LONGEST_NAME),
        }
        if body["message_type"] == ACKNOWLEDGEMENT:
            body["ack_author"] = one_line((issue and issue.assignee) or message.actor) or incident.TOOL
            body["ack_msg"] = incident.news(message)
        return {name: value for name, value in body.items() if value != ""}

    def picture(self, message: Message) -> Picture:
        body = self.payload(message)
        known = [(name, body[name]) for name in ("host_name", "environment", "release") if name in body]
        return Picture(
            "card",
            title=body["entity_display_name"],
            text=body["state_message"],
            fields=[("message_type", body["message_type"]), *known],
            buttons=("Issue",),
            level=incident.level(message, self.levels),
            note=f"{body['monitoring_tool']} · {self.routing_key or 'routing key'}",
        )

    def send(self, message: Message, *, http: Http, now: datetime) -> Answer:
        body = self.payload(message)
        written = json.dumps(body, ensure_ascii=False)
        url = f"{http.base('victorops', HOST)}{PATH}/{self.api_key}/{self.routing_key}"
        shown = f"POST {HOST}{PATH}/••••{self.api_key[-4:]}/{self.routing_key}"
        return meanings.attempt(
            lambda: http.post(url, written.encode(), {"Content-Type": "application/json"}),
            lambda reply: _meaning(reply, now),
            request=f"{shown}\n{json.dumps(body, ensure_ascii=False, indent=2)}",
        )

    def _type(self, message: Message) -> str:
        if incident.closes(message):
            return RECOVERY
        if message.kind == "assigned":
            return ACKNOWLEDGEMENT
        return INFO if message.kind == TEST else TYPES[incident.level(message, self.levels)]


def _text(message: Message) -> str:
    if message.kind in (*OPENING, TEST):
        return incident.text(message)
    return f"{incident.news(message)}\n{message.url}"


def _meaning(reply: Reply, now: datetime) -> Answer:
    """What failed is answered with 200, too."""
    said = reply.data
    if 200 <= reply.status < 300:
        if said.get("result") == "success":
            return Answer(Outcome.DELIVERED)
        if said.get("result") == "failure":
            return Answer(Outcome.BAD_MESSAGE, advice=one_line(said.get("message")))
        return Answer(Outcome.RETRY, advice="The answer does not say that VictorOps took it.")
    if reply.status == 404:
        return Answer(Outcome.BROKEN, advice=UNKNOWN)
    return meanings.usual(reply, now=now)
