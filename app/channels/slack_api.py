"""Slack's methods, one after the other, for one message: all that was sent is one entry of the log."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from app.channels import meanings, slack_answers
from app.channels.base import Answer, Outcome
from app.channels.http import Http, Reply

JSON = "application/json; charset=utf-8"
NAME = "slack"
PER_PAGE, MOST_PAGES = 25, 20


@dataclass
class Calls:
    """The calls of one try. `host` is slack.com, or that of the government's Slack."""

    http: Http
    now: datetime
    token: str
    host: str = "slack.com"
    made: list[Answer] = field(default_factory=list)
    team: str = ""  # the workspace, as far as answers named it

    def call(self, method: str, body: Mapping[str, Any]) -> tuple[Answer, Mapping[str, Any]]:
        """What came of it, and what was answered."""
        written = json.dumps(body, ensure_ascii=False).encode()
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": JSON}
        return self._try("POST", method, written, headers)

    def ask(self, method: str, **arguments: str | int) -> tuple[Answer, Mapping[str, Any]]:
        """A method that only reads."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return self._try("GET", f"{method}?{urlencode(arguments)}", b"", headers)

    def _try(
        self, verb: str, method: str, body: bytes, headers: Mapping[str, str]
    ) -> tuple[Answer, Mapping[str, Any]]:
        url = f"{self.http.base(NAME, f'https://{self.host}')}/api/{method}"
        answered: dict[str, Any] = {}

        def meaning(reply: Reply) -> Answer:
            answered.update(reply.data)
            return slack_answers.of_method(reply, now=self.now)

        def send() -> Reply:
            return self.http.request(verb, url, body, headers)

        answer = meanings.attempt(send, meaning, request=f"{verb} {method}\n{body.decode()}".strip())
        self.made.append(answer)
        self.team = str(answered.get("team_id") or inner(answered, "message").get("team") or self.team)
        return answer, answered

    def result(self, last: Answer, **more: Any) -> Answer:
        """The last answer, with all that was sent on the way to it."""
        return replace(
            last,
            request="\n\n".join(each.request for each in self.made),
            milliseconds=sum(each.milliseconds for each in self.made),
            **more,
        )

    def channel_named(self, name: str) -> tuple[Answer, str]:
        """The id of the channel that people call so; "" if none of those that were looked through is."""
        cursor = ""
        for _ in range(MOST_PAGES):
            answer, page = self.ask(
                "conversations.list",
                limit=PER_PAGE,
                exclude_archived="true",
                types="public_channel,private_channel",
                cursor=cursor,
            )
            if answer.outcome is not Outcome.DELIVERED:
                return answer, ""
            rows = page.get("channels")
            for each in rows if isinstance(rows, list) else ():
                if isinstance(each, dict) and each.get("name") == name:
                    return answer, str(each.get("id") or "")
            cursor = str(inner(page, "response_metadata").get("next_cursor") or "")
            if not cursor:
                break
        return answer, ""


def inner(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """An object within what was answered; empty where there is none."""
    found = data.get(name)
    return found if isinstance(found, dict) else {}


def post_to_hook(http: Http, url: str, body: Mapping[str, Any], *, now: datetime) -> Answer:
    """One message to an incoming webhook, or in answer to a press. The address is a secret."""
    parts = urlsplit(url)
    where = http.base(NAME, f"{parts.scheme}://{parts.netloc}") + quote(parts.path, safe="/%")
    written = json.dumps(body, ensure_ascii=False).encode()
    return meanings.attempt(
        lambda: http.post(where, written, {"Content-Type": JSON}),
        lambda reply: slack_answers.of_hook(reply, now=now),
        request=f"POST {parts.netloc}\n{written.decode()}",
    )
