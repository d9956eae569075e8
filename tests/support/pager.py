"""A channel of the tests' own, in one file: it pages, and closes what it opened."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from app.channels import meanings
from app.channels.base import ADDRESS, About, Answer, Call, Heard, Outcome, Picture, setting
from app.channels.http import Http, Reply
from app.domain.kinds import CLOSING
from app.domain.message import Message


@dataclass(frozen=True)
class Pager:
    about: ClassVar[About] = About(
        "pager", "Pager", "For tests.", ladder="paging", is_paging=True, callbacks={"seen": "Seen"}
    )

    url: str = setting("Address", kind=ADDRESS)
    key: str = setting("Key", secret=True)
    nickname: str = setting("Nickname", hidden=True, default="")

    def payload(self, message: Message) -> Mapping[str, Any]:
        action = "resolve" if message.kind in CLOSING else "trigger"
        body: dict[str, Any] = {"action": action, "key": message.key, "was": message.references.get("ticket")}
        return body if message.is_bare else {**body, "title": message.headline}

    def picture(self, message: Message) -> Picture:
        return Picture("phone", message.headline)

    def send(self, message: Message, *, http: Http, now: datetime) -> Answer:
        body = json.dumps(self.payload(message)).encode()
        return meanings.attempt(
            lambda: http.post(self.url, body, {"Authorization": self.key}),
            lambda reply: self._meaning(reply, now),
            request=body.decode(),
        )

    def hear(self, call: Call, *, now: datetime) -> Heard:
        if call.headers.get("authorization") != self.key:
            return Heard(403, "No.")
        said = json.loads(call.body)
        return Heard(
            text="Thanks.", key=said["id"], act={"do": "seen", **said}, changes={"nickname": said["by"]}
        )

    def _meaning(self, reply: Reply, now: datetime) -> Answer:
        answer = meanings.usual(reply, now=now)
        if answer.outcome is Outcome.DELIVERED:
            return Answer(Outcome.DELIVERED, references={"ticket": "T-1"})
        return answer
