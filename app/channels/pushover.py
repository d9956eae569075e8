"""Pushover: messages that ring phones, and emergencies that ring until somebody acknowledges them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qs, quote, urlencode

from app.channels import meanings
from app.channels import pushover_answers as answers
from app.channels.base import CHOICE, HEADERS, About, Answer, Call, Heard, Outcome, Picture, setting
from app.channels.http import Http, Reply
from app.channels.levels import levels_setting
from app.domain import incident, message_words, outward
from app.domain.kinds import CLOSING, OPENING, TEST
from app.domain.message import Message, cut
from app.domain.outward import Allowed

ADDRESS = "https://api.pushover.net"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
LONGEST_TEXT, LONGEST_TITLE, LONGEST_URL, LONGEST_URL_TITLE = 1024, 250, 512, 100
MOST_USERS, MOST_ISSUES = 50, 5
EMERGENCY = 2
SHORTEST_RETRY, LONGEST_EXPIRE = 30, 10_800
# The service wants to be left alone for so long after a failure, and between questions about an emergency.
PAUSE = ASK_EVERY = timedelta(seconds=5)
BY_LEVEL, LOUD = "level", "emergency"
LEVELS = {"fatal": 1, "error": 0, "warning": -1, "info": -1, "debug": -2}
PRIORITIES = {
    "-2": "Lowest: no alert",
    "-1": "Low: no sound",
    "0": "Normal",
    "1": "High: also in quiet hours",
}
# In the references of an issue: what has become of its emergency.
RINGS, OVER, NEVER = "rings", "over", "never"
_KEY = re.compile(r"[A-Za-z0-9]{30}")
_DEVICE = re.compile(r"[A-Za-z0-9_-]{1,25}")
_SOUND = re.compile(r"[A-Za-z0-9_-]{1,20}")


def _several(text: str) -> list[str]:
    return [each.strip() for each in text.split(",") if each.strip()]


def wrong_with_token(text: str) -> str:
    return "" if _KEY.fullmatch(text) else "A token has 30 letters and digits."


def wrong_with_users(text: str) -> str:
    keys = _several(text)
    if len(keys) > MOST_USERS:
        return f"Up to {MOST_USERS} keys."
    return "" if keys and all(map(_KEY.fullmatch, keys)) else "Keys of 30 letters and digits, with commas."


def wrong_with_devices(text: str) -> str:
    names = _several(text)
    fine = names and all(map(_DEVICE.fullmatch, names))
    return "" if fine else "Names of up to 25 letters, digits, - and _, with commas."


def wrong_with_people(keys: Mapping[str, str]) -> str:
    wrong = [name for name, key in keys.items() if not _KEY.fullmatch(key)]
    return f"The key of {wrong[0]} has to have 30 letters and digits." if wrong else ""


def wrong_with_sound(text: str) -> str:
    return "" if _SOUND.fullmatch(text) else "A sound's name, such as siren."


def seconds_from(least: int, most: int) -> Callable[[str], str]:
    def check(text: str) -> str:
        is_number = text.isascii() and text.isdigit() and len(text) < 7
        return "" if is_number and least <= int(text) <= most else f"Seconds, from {least} to {most}."

    return check


@dataclass(frozen=True)
class Pushover:
    """`people` are keys of their own, by the names that Tocsin knows them by."""

    about: ClassVar[About] = About(
        name="pushover",
        label="Pushover",
        summary="Messages to phones; emergencies ring until somebody acknowledges them.",
        ladder="short",
        is_paging=True,
        repeats_safely=False,
        kinds=("new", "regression", "again", "digest", "assigned"),
        callbacks={"acknowledged": ""},
    )

    token: str = setting(
        "Application token",
        secret=True,
        check=wrong_with_token,
        hint="Of an application that you register at pushover.net.",
    )
    user: str = setting(
        "User or group key", secret=True, check=wrong_with_users, hint="Up to 50, with commas."
    )
    device: str = setting(
        "Devices", default="", check=wrong_with_devices, hint="Empty: all. Only where there is one user."
    )
    priority: str = setting(
        "Priority",
        default=BY_LEVEL,
        kind=CHOICE,
        choices={
            BY_LEVEL: "By level: fatal is high, error normal, the rest low",
            LOUD: "By level, and fatal is an emergency",
            **PRIORITIES,
            str(EMERGENCY): "Emergency: rings until acknowledged",
        },
    )
    resolved_priority: str = setting(
        "Priority of what is resolved", default="-1", kind=CHOICE, choices=PRIORITIES
    )
    retry: str = setting(
        "Emergency rings every",
        default="60",
        check=seconds_from(SHORTEST_RETRY, LONGEST_EXPIRE),
        hint="Seconds, from 30. The service rings at most 50 times.",
    )
    expire: str = setting(
        "Emergency ends after",
        default="3600",
        check=seconds_from(1, LONGEST_EXPIRE),
        hint="Seconds, up to 10800.",
    )
    sound: str = setting("Sound", default="", check=wrong_with_sound, hint="Empty: each user's own.")
    levels: Mapping[str, str] = levels_setting()
    people: Mapping[str, str] = setting(
        "People’s own keys",
        default=dict,
        kind=HEADERS,
        secret=True,
        check=wrong_with_people,
        hint="Assignments go to who is assigned alone. One a line: Ann Smith: their user key.",
    )

    def payload(self, message: Message) -> Mapping[str, Any]:
        """All but the token and whom it is for."""
        title, text = _words(message)
        body: dict[str, Any] = {
            "title": cut(title, LONGEST_TITLE),
            "message": cut(text, LONGEST_TEXT),
            "priority": self._priority(message),
            "timestamp": int(message.at.timestamp()),
        }
        if len(message.url) <= LONGEST_URL:
            name = message.issue.short_id if message.issue else "Tocsin"
            body |= {"url": message.url, "url_title": cut(f"Open {name}", LONGEST_URL_TITLE)}
        if self.device:
            body["device"] = ",".join(_several(self.device))
        if self.sound:
            body["sound"] = self.sound
        return {**body, **self._emergency(message)}

    def picture(self, message: Message) -> Picture:
        shown = self.payload(message)
        level = incident.level(message, self.levels)
        link = (shown["url_title"],) if "url_title" in shown else ()
        return Picture("phone", shown["title"], shown["message"], buttons=link, level=level, note="Pushover")

    def send(self, message: Message, *, http: Http, now: datetime) -> Answer:
        if message.kind == TEST:
            return self._test(message, http, now)
        if message.kind in CLOSING:
            return self._close(message, http, now)
        if message.kind == "again" and _may_ring(message, now):
            return self._once_acknowledged(message, http, now)
        if message.kind == "assigned":
            return self._to_one(message, http, now)
        return self._push(message, http, now)

    def hear(self, call: Call, *, now: datetime) -> Heard:
        """Somebody acknowledged an emergency. Unsigned: that nobody guesses the address is all there is."""
        form = parse_qs(call.body.decode("utf-8", "replace"))
        receipt, by = form.get("receipt", [""])[0], form.get("acknowledged_by", [""])[0]
        if not _KEY.fullmatch(receipt) or form.get("acknowledged") != ["1"]:
            return Heard(400, "No receipt of something that was acknowledged.")
        name = next((name for name, key in self.people.items() if key == by), "")
        return Heard(key=receipt, act={"do": "acknowledged", "receipt": receipt, "by": name})

    # What a message is worth

    def _priority(self, message: Message) -> int:
        if message.kind in CLOSING:
            return int(self.resolved_priority)
        return self._alarm(message) if message.kind in OPENING else 0

    def _alarm(self, message: Message) -> int:
        """The priority of an alert about this issue."""
        if self.priority not in (BY_LEVEL, LOUD):
            return int(self.priority)
        level = incident.level(message, self.levels)
        if self.priority == LOUD and level == "fatal":
            return EMERGENCY
        return LEVELS.get(level, 0)

    def _emergency(self, message: Message) -> dict[str, Any]:
        if self._priority(message) != EMERGENCY:
            return {}
        body = {"retry": int(self.retry), "expire": int(self.expire), "tags": message.key}
        callback = message.callbacks.get("acknowledged", "")
        if callback and not outward.wrong_with_url(callback, Allowed()):
            body["callback"] = callback
        return body

    # Calls

    def _push(self, message: Message, http: Http, now: datetime, *, to: str = "") -> Answer:
        body = self.payload(message)
        said = self._call("messages.json", body, http, now, to=to or ",".join(_several(self.user)))
        if not (said.outcome is Outcome.DELIVERED or said.is_unsure) or message.kind not in OPENING:
            return said
        if body["priority"] != EMERGENCY:
            is_known = message.references.get("emergency") == RINGS
            return said if is_known else replace(said, references={"emergency": NEVER})
        until = (now + timedelta(seconds=int(self.expire))).isoformat()
        rings = {"receipt": "", **said.references, "emergency": RINGS, "until": until}
        return replace(said, references=rings)

    def _call(self, path: str, body: Mapping[str, Any], http: Http, now: datetime, *, to: str = "") -> Answer:
        """One POST. Its token and keys are no part of what the log shows."""
        known = {"token": self.token, **({"user": to} if to else {})}
        shown = "".join(f"\n{name}: {value}" for name, value in body.items())
        url = f"{http.base('pushover', ADDRESS)}/1/{path}"
        said = meanings.attempt(
            lambda: http.post(url, urlencode({**known, **body}).encode(), FORM),
            lambda reply: answers.meaning_of(reply, now=now),
            request=f"POST /1/{path}{shown}",
        )
        return replace(said, retry_after=PAUSE) if said.outcome is Outcome.RETRY else said

    def _test(self, message: Message, http: Http, now: datetime) -> Answer:
        """Each key is looked at before anything is sent to any."""
        devices = {"device": ",".join(_several(self.device))} if self.device else {}
        for user in _several(self.user):
            said = self._call("users/validate.json", devices, http, now, to=user)
            if said.outcome is Outcome.BAD_MESSAGE:
                return replace(said, outcome=Outcome.BROKEN)
            if said.outcome is not Outcome.DELIVERED:
                return said
        return self._push(message, http, now)

    def _close(self, message: Message, http: Http, now: datetime) -> Answer:
        """What rings is silenced first; that an issue is ignored is no news worth a message."""
        silenced = self._silence(message, http, now)
        if silenced.outcome not in (Outcome.DELIVERED, Outcome.UNNEEDED) or message.kind == "ignored":
            return silenced
        said = self._push(message, http, now)
        return replace(said, references={**silenced.references, **said.references})

    def _silence(self, message: Message, http: Http, now: datetime) -> Answer:
        """By its tag, which is the issue's key: a receipt may have been lost on the way."""
        state = message.references.get("emergency")
        if state in (OVER, NEVER) or (state is None and self.priority not in (LOUD, str(EMERGENCY))):
            return _unneeded("Nothing rings: nothing was sent.")
        said = self._call(f"receipts/cancel_by_tag/{quote(message.key, safe='')}.json", {}, http, now)
        if said.outcome in (Outcome.DELIVERED, Outcome.BAD_MESSAGE):  # there is nothing to cancel any more
            return replace(said, outcome=Outcome.DELIVERED, references={"emergency": OVER}, advice="")
        return said

    def _once_acknowledged(self, message: Message, http: Http, now: datetime) -> Answer:
        """While the phone rings, nobody needs to hear of the same issue again."""
        receipt = message.references.get("receipt")
        asked_at = message.references.get("asked_at")
        if not receipt or (asked_at and now - datetime.fromisoformat(asked_at) < ASK_EVERY):
            return _still_rings({})
        answer, is_over = self._asked(receipt, http, now)
        if answer.outcome is not Outcome.DELIVERED:
            return answer
        if not is_over:
            return _still_rings({"asked_at": now.isoformat()})
        said = self._push(message, http, now)
        return replace(said, references={"emergency": OVER, **said.references})

    def _asked(self, receipt: str, http: Http, now: datetime) -> tuple[Answer, bool]:
        """What has become of an emergency: whether it rings no more."""
        found: list[Reply] = []
        url = f"{http.base('pushover', ADDRESS)}/1/receipts/{receipt}.json?token={self.token}"

        def ask() -> Reply:
            found.append(http.request("GET", url))
            return found[0]

        request = f"GET /1/receipts/{receipt}.json"
        answer = meanings.attempt(ask, lambda reply: answers.meaning_of(reply, now=now), request=request)
        data = found[0].data if found else {}
        return answer, bool(data.get("acknowledged") or data.get("expired"))

    def _to_one(self, message: Message, http: Http, now: datetime) -> Answer:
        name = message.issue.assignee if message.issue else ""
        if name not in self.people:
            said = f"No key of {name} is known" if name else "It is assigned to nobody"
            return Answer(Outcome.UNSENT, "no key", f"{said}: nothing was sent.")
        return self._push(message, http, now, to=self.people[name])


def _may_ring(message: Message, now: datetime) -> bool:
    until = message.references.get("until")
    is_ringing = message.references.get("emergency") == RINGS
    return bool(is_ringing and until and datetime.fromisoformat(until).astimezone(UTC) > now)


def _still_rings(references: Mapping[str, Any]) -> Answer:
    said = _unneeded("Its emergency is not acknowledged yet: nothing was sent.")
    return replace(said, references=references)


def _unneeded(words: str) -> Answer:
    return Answer(Outcome.UNNEEDED, "unneeded", words)


def _words(message: Message) -> tuple[str, str]:
    """Title and text."""
    issue, word = message.issue, message_words.word(message)
    if issue is None:
        lines = [message_words.line_of(each) for each in message.issues[:MOST_ISSUES]]
        return message_words.one_line(message.headline), "\n".join(lines) or message.project
    where = incident.environment(message)
    lines = [message_words.what(message), message_words.one_line(issue.culprit)]
    lines += [f"{name}: {message_words.one_line(value)}" for name, value in message_words.facts(message)]
    lines += [_who(message), message.reason if message.kind == "again" else ""]
    return f"{word}: {issue.short_id}{f' ({where})' if where else ''}", "\n".join(filter(None, lines))


def _who(message: Message) -> str:
    if message.kind == "assigned" and message.issue:
        return f"To {message.issue.assignee}{f', by {message.actor}' if message.actor else ''}"
    return f"By {message.actor}" if message.actor else ""
