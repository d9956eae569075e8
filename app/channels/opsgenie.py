"""OpsGenie and its successor, Jira Service Management: an alert for an issue, which is closed with it."""

import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import quote

from app.channels import meanings
from app.channels.base import CHOICE, LIST, About, Answer, Outcome, Picture, setting
from app.channels.http import Http, Reply
from app.channels.levels import levels_setting
from app.domain import incident
from app.domain.kinds import OPENING, TEST
from app.domain.message import Message, clean, cut_units, units
from app.domain.message_words import one_line

JSM = "jsm"
HOSTS = {
    JSM: ("https://api.atlassian.com", "/jsm/ops/integration"),
    "us": ("https://api.opsgenie.com", ""),
    "eu": ("https://api.eu.opsgenie.com", ""),
}
PRIORITIES = {"fatal": "P1", "error": "P2", "warning": "P3", "info": "P5", "debug": "P5"}
LONGEST_MESSAGE, LONGEST_DESCRIPTION, LONGEST_DETAILS = 130, 15_000, 8000
LONGEST_ENTITY, LONGEST_USER, LONGEST_NOTE = 512, 100, 25_000
MOST_TAGS, LONGEST_TAG, MOST_RESPONDERS = 20, 50, 50
MANNERS = {"team": "name", "user": "username", "schedule": "name", "escalation": "name"}
YES, NO = "yes", "no"
# A create says later what came of it. A test waits for that; a new alert is asked about on the first day.
WAITS = (0.5, 1.0, 1.5)
ASK_AFTER, FIRST_DAY = timedelta(seconds=10), timedelta(days=1)
ASKING = "asking"
MINUTE = timedelta(minutes=1)
BROKEN = {
    401: "OpsGenie does not know the API key, or its integration is switched off there.",
    402: "The plan at OpsGenie does not cover this.",
    403: "The API key may not do this: its integration needs the right to create and update.",
    410: "The account is not there any more. OpsGenie ends: choose Jira Service Management as the host.",
}
LOOK = "It was taken. Look there what became of it: an alert “Test message”, closed again."
BY_ID = "Jira Service Management finds responders by their ids, not by names. Look whether it rang."
_KEY = re.compile(r"[A-Za-z0-9-]{20,64}")
_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def wrong_with_key(key: str) -> str:
    return "" if _KEY.fullmatch(key) else "An API key has 20 to 64 letters, digits and hyphens."


def wrong_with_responders(lines: Sequence[str]) -> str:
    """Why these are no responders, or ""."""
    for each in lines:
        manner, _, name = each.partition(":")
        if manner.strip() not in MANNERS or not name.strip():
            return f"“{each}”: one of {', '.join(f'{known}:…' for known in MANNERS)}."
    return "" if len(lines) <= MOST_RESPONDERS else f"Up to {MOST_RESPONDERS} responders."


def wrong_with_tags(tags: Sequence[str]) -> str:
    """Why these are no tags, or ""."""
    wrong = [each for each in tags if "," in each or units(each) > LONGEST_TAG]
    return f"“{wrong[0]}”: up to {LONGEST_TAG} characters, no comma." if wrong else ""


@dataclass(frozen=True)
class OpsGenie:
    """`begun_at` is when the first alert was created, as text."""

    about: ClassVar[About] = About(
        name="opsgenie",
        label="OpsGenie and Jira Service Management",
        summary="Creates an alert for an issue, and closes it with the issue.",
        ladder="paging",
        is_paging=True,
        kinds=(*OPENING, "assigned", "comment"),
        usual_kinds=OPENING,
        labels={"assigned": "Assignments, as a note or an acknowledgement", "comment": "Comments, as a note"},
        needs_open=("assigned", "comment"),
        pace=timedelta(milliseconds=500),
        notice="OpsGenie ends on 5 April 2027, for accounts that have moved 120 days after their move: Jira "
        "Service Management follows it, and is one of the hosts here. What was opened is always closed. A "
        "test creates an alert of priority P5 and closes it.",
    )

    api_key: str = setting(
        "API key",
        secret=True,
        check=wrong_with_key,
        hint="Of an integration of the type API, with the right to create and update.",
    )
    host: str = setting(
        "Host",
        default=JSM,
        kind=CHOICE,
        choices={JSM: "Jira Service Management", "us": "OpsGenie, United States", "eu": "OpsGenie, Europe"},
    )
    responders: Sequence[str] = setting(
        "Responders",
        default=tuple,
        kind=LIST,
        check=wrong_with_responders,
        hint="One a line: team:Name, user:address, schedule:Name, escalation:Name. By id at Jira Service "
        "Management. Empty: whom the integration there names.",
    )
    acknowledge: str = setting(
        "Acknowledge when assigned",
        default=NO,
        kind=CHOICE,
        choices={NO: "No: a note", YES: "Yes"},
        hint="Where assignments are switched on below.",
    )
    tags: Sequence[str] = setting(
        "More tags", default=tuple, kind=LIST, check=wrong_with_tags, hint="One a line."
    )
    levels: Mapping[str, str] = levels_setting()
    begun_at: str = setting("Since", default="", hidden=True)

    def payload(self, message: Message) -> Mapping[str, Any]:
        return self._alert(message) if message.kind in (*OPENING, TEST) else _follow_up(message)

    def picture(self, message: Message) -> Picture:
        body = self.payload(message)
        return Picture(
            "card",
            title=body.get("message", body.get("note", "")),
            text=body.get("description", ""),
            fields=[(name, body[name]) for name in ("priority", "entity") if name in body],
            buttons=("Acknowledge", "Close") if "message" in body else (),
            level=incident.level(message, self.levels),
            note=", ".join(body.get("tags", ())),
        )

    def send(self, message: Message, *, http: Http, now: datetime) -> Answer:
        if message.kind == TEST:
            return self._test(message, http, now)
        if message.kind not in OPENING:
            return self._call(self._place(message), message, http, now)
        asked = message.references.get(ASKING, {})
        if asked.get("message") == message.id:
            return self._settled(asked["request"], message, http, now)
        return self._create(message, http, now)

    # What is sent

    def _alert(self, message: Message) -> dict[str, Any]:
        alert: dict[str, Any] = {
            "message": cut_units(incident.title(message), LONGEST_MESSAGE),
            "alias": incident.key(message),
            "description": cut_units(incident.text(message), LONGEST_DESCRIPTION),
            "entity": cut_units(incident.culprit(message), LONGEST_ENTITY),
            "source": incident.TOOL,
            "priority": PRIORITIES[incident.level(message, self.levels)],
        }
        if not message.is_bare:
            alert["responders"] = [self._responder(each) for each in self.responders][:MOST_RESPONDERS]
            alert["tags"] = self._tags(message)
            alert["details"] = _details(message)
        return {name: value for name, value in alert.items() if value}

    def _responder(self, line: str) -> dict[str, str]:
        manner, _, name = (part.strip() for part in line.partition(":"))
        is_id = self.host == JSM or _ID.fullmatch(name)
        return {"type": manner, "id" if is_id else MANNERS[manner]: name}

    def _tags(self, message: Message) -> list[str]:
        level = message.issue.level if message.issue else ""
        own = {"project": message.project_slug, "environment": incident.environment(message), "level": level}
        named = [f"{name}:{value}" for name, value in own.items() if value]
        clear = (cut_units(one_line(each.replace(",", " ")), LONGEST_TAG) for each in (*named, *self.tags))
        return list(dict.fromkeys(each for each in clear if each))[:MOST_TAGS]

    def _place(self, message: Message) -> str:
        """The address of what is done to an alert that is there."""
        does_acknowledge = message.kind == "assigned" and self.acknowledge == YES
        verb = "close" if incident.closes(message) else "acknowledge" if does_acknowledge else "notes"
        return _place(message, verb)

    # How

    def _create(self, message: Message, http: Http, now: datetime) -> Answer:
        """On the first day it is asked what became of it: a wrong responder shows only then."""
        answer = self._call("", message, http, now)
        begun_at = datetime.fromisoformat(self.begun_at) if self.begun_at else now
        if answer.outcome is not Outcome.DELIVERED or self.host == JSM or now - begun_at > FIRST_DAY:
            return answer
        return replace(
            answer,
            changes={} if self.begun_at else {"begun_at": now.isoformat()},
            references={ASKING: {"message": message.id, "request": answer.references["request"]}},
            ask_after=ASK_AFTER,
        )

    def _settled(self, request: str, message: Message, http: Http, now: datetime) -> Answer:
        """What became of an alert that was taken; what was refused is worth another form."""
        answer = self._ask(request, http, now)
        if answer.outcome is Outcome.BROKEN:
            return replace(answer, outcome=Outcome.BAD_MESSAGE, references={ASKING: {}})
        return replace(answer, advice="")

    def _test(self, message: Message, http: Http, now: datetime) -> Answer:
        """Whatever was created is closed; the first answer that is no yes counts."""
        created = self._call("", message, http, now)
        if created.outcome is not Outcome.DELIVERED:
            return created
        asked = self._waited(created.references["request"], http, now) if self.host != JSM else created
        closed = self._call(_place(message, "close"), message, http, now)
        steps = "\n\n".join(dict.fromkeys((created.request, asked.request, closed.request)))
        for answer in (asked, closed):
            if answer.outcome is not Outcome.DELIVERED:
                return replace(answer, request=steps, references={})
        return replace(closed, request=steps, advice=self._advice(asked), references={})

    def _advice(self, asked: Answer) -> str:
        if self.host != JSM:
            return asked.advice
        return LOOK if all(_ID.fullmatch(name) for name in _names(self.responders)) else BY_ID

    def _waited(self, request: str, http: Http, now: datetime) -> Answer:
        answer = self._ask(request, http, now)
        for seconds in WAITS:
            if answer.advice != LOOK:
                break
            time.sleep(seconds)
            answer = self._ask(request, http, now)
        return answer

    def _ask(self, request: str, http: Http, now: datetime) -> Answer:
        path = f"/v2/alerts/requests/{quote(request, safe='')}"
        return meanings.attempt(
            lambda: http.request("GET", f"{self._base(http)}{path}", headers=self._headers()),
            lambda reply: _came_of_it(reply, now),
            request=f"GET {''.join(HOSTS[self.host])}{path}",
        )

    def _call(self, place: str, message: Message, http: Http, now: datetime) -> Answer:
        body = _follow_up(message) if place else self.payload(message)
        path = f"/v2/alerts{place}"
        shown = f"POST {''.join(HOSTS[self.host])}{path}\n{json.dumps(body, ensure_ascii=False, indent=2)}"
        written = json.dumps(body, ensure_ascii=False).encode()
        return meanings.attempt(
            lambda: http.post(f"{self._base(http)}{path}", written, self._headers()),
            lambda reply: _meaning(reply, now, is_new=not place),
            request=shown,
        )

    def _base(self, http: Http) -> str:
        host, path = HOSTS[self.host]
        return f"{http.base('opsgenie', host)}{path}"

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"GenieKey {self.api_key}", "Content-Type": "application/json"}


def _place(message: Message, verb: str) -> str:
    """Without the type of the identifier, the alias would be taken for an id."""
    return f"/{quote(incident.key(message), safe='')}/{verb}?identifierType=alias"


def _follow_up(message: Message) -> dict[str, Any]:
    """What somebody did, or wrote."""
    note = incident.news(message)
    if message.kind == "comment":
        who, what = one_line(message.actor) or "Somebody", clean(message.comment).strip()
        note = f"{who}: {what}" if what else f"{who} commented: {message.url}"
    body = {"user": cut_units(one_line(message.actor), LONGEST_USER), "source": incident.TOOL}
    return {**{name: value for name, value in body.items() if value}, "note": cut_units(note, LONGEST_NOTE)}


def _details(message: Message) -> dict[str, str]:
    """The address, counts, and as many tags as there is room for."""
    found: dict[str, str] = {}
    room = LONGEST_DETAILS
    for name, value in incident.details(message).items():
        size = units(name) + units(value)
        if size <= room:
            found[name] = value
            room -= size
    return found


def _names(responders: Sequence[str]) -> list[str]:
    return [each.partition(":")[2].strip() for each in responders]


def _meaning(reply: Reply, now: datetime, *, is_new: bool) -> Answer:
    said = reply.data
    if 200 <= reply.status < 300:
        if request := said.get("requestId"):
            return Answer(Outcome.DELIVERED, references={"request": str(request)} if is_new else {})
        return Answer(Outcome.RETRY, advice="The answer does not say that it was taken.")
    if reply.status == 404 and not is_new:
        return Answer(Outcome.DELIVERED)  # nothing is open any more
    return _refused(reply, now)


def _refused(reply: Reply, now: datetime) -> Answer:
    if advice := BROKEN.get(reply.status):
        return Answer(Outcome.BROKEN, advice=advice)
    if reply.status == 422 and isinstance(errors := reply.data.get("errors"), dict):
        return Answer(Outcome.BAD_MESSAGE, advice="; ".join(f"{name}: {why}" for name, why in errors.items()))
    if reply.status == 429:
        wait = meanings.retry_after(reply.headers, now=now) or _period(reply)
        return Answer(Outcome.RETRY_AT, retry_after=wait)
    return meanings.usual(reply, now=now)


def _period(reply: Reply) -> timedelta:
    """Its limits are by the minute, unless it says otherwise."""
    known = {name.lower(): value for name, value in reply.headers.items()}
    text = known.get("x-ratelimit-period-in-sec", "")
    is_number = text.isascii() and text.isdigit() and len(text) < 6
    return min(timedelta(seconds=int(text)), meanings.LONGEST_WAIT) if is_number else MINUTE


def _came_of_it(reply: Reply, now: datetime) -> Answer:
    """The outcome of what was taken. That nobody can say yet, or may know, is no failure."""
    data = reply.data.get("data")
    if reply.status == 200 and isinstance(data, dict) and "isSuccess" in data:
        if data["isSuccess"]:
            return Answer(Outcome.DELIVERED)
        why = one_line(data.get("status")) or "it does not say why"
        return Answer(Outcome.BROKEN, advice=f"It was taken, and then refused: {why}")
    answer = meanings.usual(reply, now=now)
    if answer.outcome in (Outcome.RETRY, Outcome.RETRY_AT):
        return answer
    return Answer(Outcome.DELIVERED, advice=LOOK)
