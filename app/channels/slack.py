"""Slack: one channel, through an app's bot or an incoming webhook (`integrations.md` 4)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar

from app.channels import slack_api, slack_blocks, slack_calls, slack_text
from app.channels.base import CHOICE, LIST, About, Answer, Call, Heard, Outcome, Picture, setting
from app.channels.http import Http
from app.channels.slack_answers import GONE
from app.channels.slack_api import Calls
from app.channels.slack_blocks import Look
from app.domain.kinds import OPENING, TEST
from app.domain.message import Message

BOT, HOOK = "bot", "hook"
HOSTS = {"slack.com": "slack.com", "slack-gov.com": "slack-gov.com (GovSlack)"}
USUAL_TAGS = ("environment", "release", "server_name", "url")
# What is said below the first message about an issue, and leaves that as it is.
ASIDE = ("assigned", "comment")
ROOT_LASTS = timedelta(days=7)
_HOOK = re.compile(
    r"https://hooks\.slack(-gov)?\.com/services/[TE][A-Z0-9]{2,}/B[A-Z0-9]{2,}/[A-Za-z0-9]{8,}"
)
_BOT, _APP = re.compile(r"xoxb-[A-Za-z0-9-]{10,}"), re.compile(r"xapp-[A-Za-z0-9-]{10,}")
_SECRET = re.compile(r"[0-9a-f]{32}")
_ID, _NAME = re.compile(r"[CGD][A-Z0-9]{2,}"), re.compile(r"#[^\s#@,<>&|]{1,80}")
_ADDRESS = re.compile(r"https://[a-z0-9.-]+\.slack(?:-gov)?\.com/archives/([CGD][A-Z0-9]{2,})/?")
_TS = re.compile(r"[0-9]{9,12}\.[0-9]{6}")
# Not what a person has to change: the bot may post all the same.
_NOT_FOR_IT = ("missing_scope", "channel_not_found")


def wrong_with_hook(url: str) -> str:
    return "" if _HOOK.fullmatch(url) else "An address such as https://hooks.slack.com/services/T…/B…/…"


def wrong_with_token(token: str) -> str:
    if token.startswith("xoxe."):
        return "This token runs out. Switch token rotation off in the app, and enter the one that lasts."
    return "" if _BOT.fullmatch(token) else "The Bot User OAuth Token begins with xoxb-."


def wrong_with_app_token(token: str) -> str:
    return "" if _APP.fullmatch(token) else "An app-level token begins with xapp-."


def wrong_with_secret(secret: str) -> str:
    return "" if _SECRET.fullmatch(secret) else "32 characters from 0 to 9 and a to f."


def tidied_channel(typed: str) -> str:
    """Names without their sign, and addresses of channels, mean the same."""
    if match := _ADDRESS.fullmatch(typed):
        return match[1]
    return f"#{typed}" if typed[:1].isalpha() and typed == typed.lower() else typed


def wrong_with_channel(channel: str) -> str:
    is_right = _ID.fullmatch(channel) or _NAME.fullmatch(channel)
    return "" if is_right else "A name such as #checkout, or an id such as C0123ABCD."


FOR_BOT = "Bot: needs a token and a channel"
FOR_HOOK = "Incoming webhook: needs its address alone"


@dataclass(frozen=True)
class Slack:
    """`team` is the workspace and `realm` the app that it was found to be; Tocsin keeps both itself."""

    about: ClassVar[About] = About(
        name="slack",
        label="Slack",
        summary="A channel of your workspace, with buttons and threads.",
        ladder="chat",
        repeats_safely=False,
        pace=timedelta(seconds=1),
        callbacks={
            slack_calls.INTERACTIONS: "Interactivity: Request URL",
            slack_calls.EVENTS: "Event Subscriptions: Request URL",
        },
    )

    way: str = setting(
        "Way",
        default=BOT,
        kind=CHOICE,
        choices={BOT: "Bot: updates, threads, buttons", HOOK: "Incoming webhook: messages alone"},
    )
    bot_token: str = setting(
        "Bot token",
        default="",
        secret=True,
        check=wrong_with_token,
        hint="Bot User OAuth Token, xoxb-…",
        group=FOR_BOT,
    )
    channel: str = setting(
        "Channel",
        default="",
        check=wrong_with_channel,
        tidy=tidied_channel,
        hint="For a bot: #name, or the id from the channel's details. A test looks the name up once.",
        group=FOR_BOT,
    )
    signing_secret: str = setting(
        "Signing secret",
        default="",
        secret=True,
        check=wrong_with_secret,
        hint="Proves that a press of a button comes from Slack. Without it there are no buttons.",
        group=FOR_BOT,
    )
    app_token: str = setting(
        "App-level token",
        default="",
        secret=True,
        check=wrong_with_app_token,
        hint="For Socket Mode, where Slack cannot reach this instance: xapp-…",
        group=FOR_BOT,
    )
    webhook_url: str = setting(
        "Webhook address", default="", secret=True, check=wrong_with_hook, group=FOR_HOOK
    )
    tags: Sequence[str] = setting(
        "Tags to show", default=lambda: list(USUAL_TAGS), kind=LIST, hint="One a line, in this order."
    )
    mention: str = setting(
        "Mention on alerts",
        default="",
        check=slack_text.wrong_with_woken,
        hint="@here, @channel, a member's id or a user group's.",
    )
    host: str = setting("Slack at", default="slack.com", kind=CHOICE, choices=HOSTS)
    team: str = setting("Workspace", default="", hidden=True)
    realm: str = setting("App", default="", hidden=True)

    @property
    def is_bot(self) -> bool:
        """Whoever gives nothing but a webhook's address means that."""
        return self.way == BOT and (bool(self.bot_token) or not self.webhook_url)

    def wrong_together(self) -> tuple[str, str] | None:
        if not self.is_bot:
            return None if self.webhook_url else ("webhook_url", "An incoming webhook needs its address.")
        if not self.bot_token:
            return "bot_token", "A bot needs its token."
        return None if self.channel else ("channel", "A bot needs a channel.")

    @property
    def proof(self) -> str:
        """The secret by which the app is known."""
        return self.signing_secret or (self.app_token if self.is_bot else "")

    @property
    def realm_now(self) -> str:
        """The app that it is by its secret: what `realm` was the last time that something was sent."""
        return slack_calls.realm_of(self.proof)

    @property
    def look(self) -> Look:
        return Look(self.tags, bool(self.proof), slack_text.woken(self.mention))

    def payload(self, message: Message) -> Mapping[str, Any]:
        """The first message about an issue, or one that stands for itself."""
        mention = self.look.mention if message.kind in OPENING else ""
        words = slack_blocks.said(message)
        aside = slack_blocks.reply(message, self.look) if message.kind in ASIDE else ""
        text = "\n".join(each for each in (f"{mention} {words}".strip(), aside) if each)
        return {**self._shown(message, text), "unfurl_links": False, "unfurl_media": False}

    def _shown(self, message: Message, text: str) -> dict[str, Any]:
        """The card below its line; where Slack refused that, title and link."""
        place = {"channel": self.channel} if self.is_bot else {}
        if message.is_bare:
            return {**place, "text": slack_blocks.bare(message)}
        return {**place, "text": text, "attachments": [slack_blocks.card(message, self.look)]}

    def update(self, message: Message, ts: str) -> Mapping[str, Any]:
        """The same message as it is now, whole. Nobody is told of it by Slack."""
        return {**self._shown(message, slack_blocks.said(message)), "ts": ts}

    def reply(self, message: Message, ts: str) -> Mapping[str, Any]:
        """What is said below it; what came back is said to the whole channel."""
        body = {
            "channel": self.channel,
            "thread_ts": ts,
            "text": slack_blocks.reply(message, self.look),
            "unfurl_links": False,
            "unfurl_media": False,
        }
        return {**body, "reply_broadcast": True} if message.kind == "regression" else body

    def picture(self, message: Message) -> Picture:
        issue, value = message.issue, message.event.exception_value if message.event else ""
        is_new = not (self.bot_token or self.webhook_url)  # of a form that nothing was typed into yet
        buttons = (
            ("Resolve", "Ignore", "Assign", "Open") if issue and (is_new or self.look.has_buttons) else ()
        )
        return Picture(
            "card",
            title=slack_blocks.title_of(message),
            text=f"{issue.short_id} {value}\n{issue.culprit}".strip() if issue else message.headline,
            fields=slack_blocks.fields_of(message, self.tags),
            buttons=buttons,
            level=issue.level if issue else "",
            note=" · ".join(filter(None, (message.project, message.rule))),
        )

    def send(self, message: Message, *, http: Http, now: datetime) -> Answer:
        if not self.is_bot:
            answer = slack_api.post_to_hook(http, self.webhook_url, self.payload(message), now=now)
            return replace(answer, changes=self._found({}))
        calls = Calls(http, now, self.bot_token, self.host)
        return self._tested(calls, message) if message.kind == TEST else self._told(calls, message)

    def _found(self, known: Mapping[str, Any]) -> Mapping[str, Any]:
        """What Tocsin should remember of it, where it does not yet."""
        known = {**known, "realm": self.realm_now}
        return {name: value for name, value in known.items() if value != getattr(self, name)}

    def _told(self, calls: Calls, message: Message) -> Answer:
        failed, placed = self._placed(calls)
        if failed:
            return failed
        last, references = placed._said(calls, message)
        changes = self._found({"channel": placed.channel, "team": calls.team or self.team})
        return calls.result(last, references=references, changes=changes)

    def _said(self, calls: Calls, message: Message) -> tuple[Answer, Mapping[str, Any]]:
        """Below the issue's message and in it, or as a new one where there is none that can be changed."""
        root = self._root(message, calls.now)
        if root and message.kind not in ASIDE:
            answer, _ = calls.call("chat.update", self.update(message, root))
            if answer.outcome is not Outcome.DELIVERED and answer.code != GONE:
                return answer, {}
            root = "" if answer.code == GONE else root
        if root and not slack_blocks.reply(message, self.look):
            return answer, {}
        if root:
            answer, _ = calls.call("chat.postMessage", self.reply(message, root))
            if answer.code != GONE:
                return answer, {}
        return self._posted(calls, message)

    def _posted(self, calls: Calls, message: Message) -> tuple[Answer, Mapping[str, Any]]:
        answer, data = calls.call("chat.postMessage", self.payload(message))
        ts = str(data.get("ts") or "")
        is_root = answer.outcome is Outcome.DELIVERED and _TS.fullmatch(ts) and message.issue is not None
        return answer, {"channel": self.channel, "ts": ts} if is_root else {}

    def _root(self, message: Message, now: datetime) -> str:
        """The message about this issue that stands in the channel, unless it is too old to be looked at."""
        ts, place = str(message.references.get("ts") or ""), message.references.get("channel")
        if message.kind == "new" or place != self.channel or not ts:
            return ""
        is_recent = now.timestamp() - float(ts) <= ROOT_LASTS.total_seconds()
        return ts if is_recent else ""

    def _placed(self, calls: Calls) -> tuple[Answer | None, "Slack"]:
        """The same with the channel's id, which stays when its name changes."""
        if not self.channel.startswith("#"):
            return None, self
        answer, channel_id = calls.channel_named(self.channel[1:])
        if answer.outcome is not Outcome.DELIVERED:
            return calls.result(answer), self
        if not channel_id:
            advice = (
                f"The bot sees no channel {self.channel}. Invite the bot there, or enter the channel's id."
            )
            return calls.result(
                replace(answer, outcome=Outcome.BROKEN, code="not_found", advice=advice)
            ), self
        return None, replace(self, channel=channel_id)

    def _tested(self, calls: Calls, message: Message) -> Answer:
        """Who the bot is, which channel that is, and a message there."""
        answer, _ = calls.call("auth.test", {})
        if answer.outcome is not Outcome.DELIVERED:
            return calls.result(answer)
        failed, placed = self._placed(calls)
        if failed:
            return failed
        answer, found = calls.ask("conversations.info", channel=placed.channel)
        if answer.outcome is not Outcome.DELIVERED and answer.code not in _NOT_FOR_IT:
            return calls.result(answer)
        name = slack_api.inner(found, "channel").get("name")
        named = replace(message, called={"channel": f"#{name}"}) if name else message
        answer, _ = placed._posted(calls, named)
        changes = self._found({"channel": placed.channel, "team": calls.team})
        return calls.result(answer, changes=changes)

    def hear(self, call: Call, *, now: datetime) -> Heard:
        """Only what is signed with the app's secret counts."""
        if not self.signing_secret:
            return Heard(403, "There is no signing secret to check this with.\n")
        if not slack_calls.is_genuine(call, self.signing_secret, now=now):
            return Heard(401, "Not signed as it should be, or too long ago.\n")
        return slack_calls.heard(call)
