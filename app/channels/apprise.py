"""Apprise: some hundred other services, each by an address of its own, behind a strict filter.

Apprise itself runs in a process that is guarded as a whole (`apprise_process.py` says why); what is here
talks to it. The process stays for the messages of one job and keeps Apprise's own pauses between them.
"""

import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

from app.channels.base import About, Answer, Outcome, Picture, setting
from app.channels.http import Http
from app.channels.meanings import blocked
from app.domain import apprise_rules
from app.domain.message import NO_TEXT, Message, clean, cut
from app.domain.message_words import harmless
from app.domain.outward import Allowed

ROOT = Path(__file__).resolve().parents[2]
# Isolated, Python looks for modules where they are installed and nowhere else.
PROGRAM = (
    f"import sys; sys.path.append({str(ROOT)!r}); from app.channels import apprise_process as p; p.main()"
)
START_SECONDS, SEND_SECONDS = 20.0, 35.0
MOST_TITLE, MOST_BODY = 200, 4000
MOST_ISSUES = 10
LATER = timedelta(minutes=1)
TYPES = {"new": "failure", "regression": "failure", "again": "failure", "resolved": "success"}
_STATUS = re.compile(r"error=([1-5]\d\d)\b")
_ADDRESS = re.compile(r"[A-Za-z0-9+.-]{1,32}://\S+")


class Gone(Exception):
    """The process ended, or did not answer in time."""


def _shown(url: str) -> str:
    """The service alone: what stands behind it may all be secret."""
    scheme, between, _ = url.partition("://")
    return f"{scheme}{between}••••"


def _not_understood(url: str) -> str:
    """What Apprise says of the address; it calls nobody for it."""
    try:
        process = Process(url, allowed=Allowed())
    except Gone:
        return "Apprise did not answer: try again."
    process.close()
    return _masked(process.wrong, url)


class Process:
    """Apprise with one address, in a guarded process. Raises `Gone`."""

    def __init__(self, url: str, *, allowed: Allowed, proxy: str = "") -> None:
        self._wire, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 (ours, with nothing of anybody else's in it)
                [sys.executable, "-I", "-B", "-c", PROGRAM],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=_environment(proxy),
                cwd="/",
            )
        self._lines = self._wire.makefile("rb")
        via = {urlsplit(proxy).hostname or ""} if proxy else set()
        listed = [*map(str, allowed.networks), *sorted((allowed.hosts | via) - {""})]
        self.wrong = str(self._ask({"url": url, "allowed": ",".join(listed)}, START_SECONDS).get("wrong"))

    def say(self, message: Mapping[str, Any]) -> dict[str, Any]:
        return self._ask(message, SEND_SECONDS)

    def _ask(self, what: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        self._wire.settimeout(seconds)
        try:
            self._wire.sendall(json.dumps(what).encode() + b"\n")
            found: dict[str, Any] = json.loads(self._lines.readline())
        except (OSError, ValueError) as error:
            self.close()
            raise Gone from error
        return found

    def close(self) -> None:
        """What it keeps beyond its socket is nothing that would be lost."""
        self._lines.close()
        self._wire.close()
        self._process.kill()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(5)


def _environment(proxy: str) -> dict[str, str]:
    """Nothing of ours; and no passwords from the home directory, which requests would look for."""
    usual = {"LANG": "C.UTF-8", "HOME": "/nonexistent", "NETRC": "/dev/null"}
    return {**usual, "HTTP_PROXY": proxy, "HTTPS_PROXY": proxy} if proxy else usual


@dataclass(frozen=True)
class Apprise:
    about: ClassVar[About] = About(
        name="apprise",
        label="Apprise",
        summary="Many other services, each by an address that Apprise knows.",
        ladder="chat",
        repeats_safely=False,
        is_community=True,
    )

    url: str = setting(
        "Apprise address",
        secret=True,
        check=apprise_rules.wrong_with,
        ask=_not_understood,
        mask=_shown,
        hint="One, as Apprise’s documentation has it: ntfys://ntfy.example.org/topic",
    )

    def payload(self, message: Message) -> Mapping[str, Any]:
        return {
            "title": cut(harmless(_title(message)), MOST_TITLE),
            "body": cut(_body(message), MOST_BODY),
            "type": TYPES.get(message.kind, "info"),
        }

    def picture(self, message: Message) -> Picture:
        payload = self.payload(message)
        level = message.issue.level if message.issue else ""
        return Picture("phone", title=payload["title"], text=payload["body"], level=level)

    def send(self, message: Message, *, http: Http, now: datetime) -> Answer:
        begun = time.monotonic()
        payload = self.payload(message)
        answer = self._said(payload, http)
        return replace(
            answer,
            request=f"{self._scheme}://…\n{payload['title']}\n\n{payload['body']}",
            milliseconds=round((time.monotonic() - begun) * 1000),
        )

    def _said(self, payload: Mapping[str, Any], http: Http) -> Answer:
        key = ("apprise", self.url)
        try:
            process = http.kept.get(key)
            if not isinstance(process, Process):
                process = http.kept[key] = Process(self.url, allowed=http.allowed, proxy=http.proxy)
        except Gone:
            return Answer(Outcome.RETRY, "process", "Apprise could not be started.")
        if process.wrong:
            wrong = _masked(process.wrong, self.url)
            return Answer(Outcome.BROKEN, "address", wrong, advice=wrong)
        try:
            return _meaning(process.say(payload), self.url)
        except Gone:
            http.kept.pop(key, None)
            return Answer(Outcome.RETRY, "timeout", "Apprise did not finish in time.", is_unsure=True)

    @property
    def _scheme(self) -> str:
        return self.url.partition("://")[0].lower()


def _meaning(found: Mapping[str, Any], url: str) -> Answer:
    """Apprise says little more than whether; a status stands in its log at best."""
    status, log = str(found.get("status")), _masked(str(found.get("log")), url)
    if status == "SUCCESS":
        return Answer(Outcome.DELIVERED, "success", log)
    if found.get("blocked"):
        return blocked()
    if status == "TIMEOUT":
        return Answer(Outcome.RETRY, "timeout", log, is_unsure=True)
    match = _STATUS.search(log)
    code = match[1] if match else "failure"
    advice = f"The service answered {code}." if match else "Apprise could not deliver it."
    if code == "429":
        return Answer(Outcome.RETRY_AT, code, log, retry_after=LATER)
    if code in ("400", "413", "422"):
        return Answer(Outcome.BAD_MESSAGE, code, log)
    if code in ("401", "403", "404", "410"):
        return Answer(Outcome.DOUBTFUL, code, log, advice=advice)
    return Answer(Outcome.RETRY, code, log)


def _masked(text: str, url: str) -> str:
    """Without the address, its parts, and any other: where to it goes may be the secret."""
    for part in sorted(re.split(r"[/:@?&=,;#]+", url), key=len, reverse=True):
        if len(part) > 3 and part.lower() not in ("https", "http"):
            text = text.replace(part, "•••")
    return _ADDRESS.sub("…", text)


# Texts


def _title(message: Message) -> str:
    place = message.event.environment if message.event else ""
    return f"[{message.project_slug}{f'/{place}' if place else ''}] {clean(message.headline) or NO_TEXT}"


def _body(message: Message) -> str:
    """Plain text: every service can show it, and those that take it for markup call nobody for it."""
    rows = [
        *_about(message),
        *(f"{each.short_id} {each.title}".strip() for each in message.issues[:MOST_ISSUES]),
    ]
    rows += [clean(message.comment)] if message.comment else []
    rows += [f"{name}: {value}" for name, value in message.chosen_tags.items()]
    rows += [message.reason] if message.reason else []
    text = "\n".join(harmless(row) for row in rows if row.strip())
    link = clean(message.url)
    return f"{cut(text, MOST_BODY - len(link) - 2)}\n\n{link}".strip()


def _about(message: Message) -> list[str]:
    issue = message.issue
    if issue is None:
        return []
    count = f"{issue.event_count} events, {issue.user_count} users" if issue.event_count else ""
    who = {"resolved": "Resolved by", "comment": "Comment by"}.get(message.kind, "By")
    actor = f"{who} {message.actor}" if message.actor else ""
    assigned = f"Assigned to {issue.assignee or 'nobody'}" if message.kind == "assigned" else ""
    return [" ".join(each for each in (issue.short_id, issue.culprit) if each), count, assigned, actor]
