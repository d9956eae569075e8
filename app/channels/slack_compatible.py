"""Servers that take what Slack took before it had blocks: Mattermost, Rocket.Chat, Discord's /slack."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from app.channels import meanings, slack_blocks
from app.channels.base import ADDRESS, LIST, About, Answer, Picture, setting
from app.channels.http import Http
from app.channels.slack import USUAL_TAGS
from app.channels.slack_text import cut, one_line
from app.domain.kinds import OPENING
from app.domain.message import NO_TEXT, Message, Subject
from app.domain.message_words import harmless
from app.domain.phrases import plural

# The tightest of the three: Discord's.
LONGEST_TEXT, LONGEST_TITLE, LONGEST_BODY, LONGEST_FIELD = 2000, 250, 2000, 1000
MOST_ISSUES, LONGEST_COMMENT = 10, 1500


@dataclass(frozen=True)
class SlackCompatible:
    about: ClassVar[About] = About(
        name="slack_compatible",
        label="Slack-compatible",
        summary="Incoming webhooks of Mattermost, Rocket.Chat and others.",
        ladder="chat",
        repeats_safely=False,
    )

    url: str = setting(
        "Webhook address", kind=ADDRESS, secret=True, hint="Of Discord with /slack at its end."
    )
    channel: str = setting("Channel", default="", hint="Empty: the one that the webhook was made for.")
    tags: Sequence[str] = setting(
        "Tags to show", default=lambda: list(USUAL_TAGS), kind=LIST, hint="One a line, in this order."
    )
    mention: str = setting(
        "Mention on alerts", default="", hint="As one types it there: @here, @channel, @name."
    )

    def payload(self, message: Message) -> Mapping[str, Any]:
        mention = self.mention if message.kind in OPENING else ""
        said = _first(message)
        body: dict[str, Any] = {"text": cut(f"{mention} {said}".strip(), LONGEST_TEXT)}
        if self.channel:
            body["channel"] = self.channel
        return body if message.is_bare else {**body, "attachments": [self._attachment(message)]}

    def _attachment(self, message: Message) -> dict[str, Any]:
        title = cut(safe(slack_blocks.title_of(message)), LONGEST_TITLE)
        fields = [
            {"title": safe(name), "value": _code(value, LONGEST_FIELD), "short": True}
            for name, value in slack_blocks.fields_of(message, self.tags)
        ]
        return {
            "fallback": title,
            "color": slack_blocks.colour(message),
            "title": title,
            "title_link": message.url,
            "text": cut(_body(message), LONGEST_BODY),
            "fields": fields,
        }

    def picture(self, message: Message) -> Picture:
        attachment = self._attachment(message)
        return Picture(
            "card",
            title=attachment["title"],
            text=attachment["text"].replace("`", ""),
            fields=[(each["title"], each["value"].strip("`")) for each in attachment["fields"]],
            level=message.issue.level if message.issue else "",
        )

    def send(self, message: Message, *, http: Http, now: datetime) -> Answer:
        body = json.dumps(self.payload(message), ensure_ascii=False).encode()
        return meanings.attempt(
            lambda: http.post(self.url, body, {"Content-Type": "application/json; charset=utf-8"}),
            lambda reply: meanings.usual(reply, now=now),
            request=f"POST\n{body.decode()}",
        )


def safe(text: str) -> str:
    """In one line, calling nobody, and never empty."""
    return harmless(text) or NO_TEXT


def _code(text: str, most: int) -> str:
    """In a code span: nothing in it is markup."""
    flat = one_line(text).replace("`", "ˋ")
    return f"`{cut(safe(flat), most - 2)}`" if flat else ""


def _first(message: Message) -> str:
    """The line above the rest; with the link where there is no rest."""
    words = safe(message.headline)
    if message.is_bare:
        return f"{cut(words, LONGEST_TEXT - len(message.url) - 1)}\n{message.url}"
    return cut(words, LONGEST_TITLE)


def _body(message: Message) -> str:
    if message.issues:
        rows = (
            f"{each.short_id} {_code(each.title, 120)} {each.url}" for each in message.issues[:MOST_ISSUES]
        )
        return "\n".join(rows)
    if message.issue is None:
        return f"Messages of {safe(message.project)} arrive here."
    return "\n".join(line for line in _lines(message, message.issue) if line)


def _lines(message: Message, issue: Subject) -> list[str]:
    value = message.event.exception_value if message.event else ""
    who = f"by {safe(message.actor)}" if message.actor else ""
    counted = plural(issue.event_count, "event") if issue.event_count else ""
    to = f"assigned to {safe(issue.assignee)}" if issue.assignee else ""
    rule = f"rule “{safe(message.rule)}”" if message.rule else ""
    facts = (issue.short_id, safe(message.project), counted, to, who, rule)
    quoted = _quoted(message.comment) if message.comment else ""
    return [_code(value, 500), _code(issue.culprit, 200), quoted, " · ".join(each for each in facts if each)]


def _quoted(comment: str) -> str:
    lines = cut(comment, LONGEST_COMMENT).splitlines()
    return "\n".join(f"> {safe(line)}" for line in lines if line.strip())
