"""Campfire: a bot of a server of one's own (ONCE), or a room of the classic service: the host tells which."""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlsplit

from app.channels import campfire_words as words
from app.channels import meanings
from app.channels.base import ADDRESS, About, Answer, Outcome, Picture, setting
from app.channels.http import Http, Reply
from app.domain.kinds import CLOSING, TEST
from app.domain.message import Message

HTML = {"Content-Type": "text/html; charset=utf-8"}
# A root that is older is out of sight: what happens then is a message of its own.
ROOT_LASTS = timedelta(hours=1)
# A server that cannot change messages is asked again after so long: it may have been updated.
OLD_FOR = timedelta(days=7)
SIGN_IN = "Campfire asks to sign in: the bot's key is wrong, or the bot was removed. Enter its address anew."
NO_ROOM = "The bot is not in that room, or there is no such room."
BANNED = "Campfire refuses calls from this address for now."
NOT_OURS = "Campfire does not let the bot do that."
UNKNOWN = "Campfire does not know the API token."
_ONCE = re.compile(r"(https?://[^\s'\"/]+(?:/[^\s'\"]+)?)/rooms/([0-9]+)/([0-9]+)-([A-Za-z0-9]{12})/messages")
_CLASSIC = re.compile(r"https://([a-z0-9-]{1,63})\.campfirenow\.com/room/([0-9]+)/?")
_TOKEN = re.compile(r"[0-9a-f]{24,64}")
_SOUND = re.compile(r"[a-z0-9_]{1,30}")
_ID = re.compile(r"/messages/([0-9]+)/?$")


def address_in(text: str) -> str:
    """The address, also out of the whole line for the command line that Campfire shows."""
    words = (word.strip("'\"") for word in text.split())
    return next((word for word in words if _ONCE.fullmatch(word)), text)


def masked(address: str) -> str:
    """The server and the room, without the bot's key."""
    if found := _ONCE.fullmatch(address):
        return f"{found[1]}/rooms/{found[2]}/••••"
    return address if _CLASSIC.fullmatch(address) else "••••"


def wrong_with_address(text: str) -> str:
    if _ONCE.fullmatch(text) or _CLASSIC.fullmatch(text):
        return ""
    return (
        "The bot's address, such as https://chat.example.org/rooms/2/7-AbCdEf123456/messages; or, of "
        "Campfire classic, the room's: https://acme.campfirenow.com/room/123456."
    )


def wrong_with_room(text: str) -> str:
    return "" if text.isascii() and text.isdigit() and len(text) < 20 else "The number of a room."


def wrong_with_token(text: str) -> str:
    return "" if _TOKEN.fullmatch(text) else "A token has 24 to 64 digits and letters from a to f."


def wrong_with_sound(text: str) -> str:
    return "" if _SOUND.fullmatch(text) else "A sound's name, such as trombone."


@dataclass(frozen=True)
class Campfire:
    """`old_since` is when the server last could not change a message, as text."""

    about: ClassVar[About] = About(
        name="campfire",
        label="Campfire",
        summary="Messages of a bot in a room of your Campfire; what is resolved is struck through.",
        ladder="chat",
        repeats_safely=False,
        kinds=("new", "regression", "again", "digest", "resolved", "ignored", "deleted"),
        pace=timedelta(milliseconds=500),
    )

    url: str = setting(
        "Bot’s address",
        kind=ADDRESS,
        secret=True,
        tidy=address_in,
        check=wrong_with_address,
        mask=masked,
        hint="From Campfire’s page of the bot; the whole curl line will do. Of Campfire classic: the room’s.",
    )
    room: str = setting(
        "Another room", default="", check=wrong_with_room, hint="Its number. Empty: the room of the address."
    )
    sound: str = setting(
        "Sound", default="", check=wrong_with_sound, hint="Played after new issues and regressions: trombone"
    )
    token: str = setting(
        "API token",
        default="",
        secret=True,
        bound_to=("url",),
        check=wrong_with_token,
        hint="Of Campfire classic only.",
    )
    old_since: str = setting("Cannot change messages since", default="", hidden=True)

    def payload(self, message: Message) -> Mapping[str, Any]:
        """What is said: the message, and the sound after it."""
        sound = f"/play {self.sound}" if self.sound and message.kind in ("new", "regression") else ""
        said = words.plain(message) if self._classic else words.html(message)
        return {"body": said, **({"sound": sound} if sound else {})}

    def picture(self, message: Message) -> Picture:
        issue = message.issue
        title = f"{words.named(message)} {issue.short_id}" if issue else message.headline
        lines = [issue.title, issue.culprit] if issue else [each.title for each in message.issues]
        facts = " - ".join(words.facts(message))
        text = "\n".join(filter(None, [*lines, facts]))
        return Picture("chat", title, text, level=issue.level if issue else "", note="Campfire")

    def send(self, message: Message, *, http: Http, now: datetime) -> Answer:
        said = self._speak(message, http, now) if self._classic else self._tell(message, http, now)
        sound = self.payload(message).get("sound")
        if said.outcome is Outcome.DELIVERED and sound:  # decoration: whether it plays changes nothing
            self._say(sound, http, now)
        return said

    # A server of one's own

    def _tell(self, message: Message, http: Http, now: datetime) -> Answer:
        if message.kind == TEST:
            return self._test(message, http, now)
        root = self._root(message)
        is_late = message.kind == "again" and not _is_young(message, now)
        if root and message.kind in ("again", *CLOSING) and not is_late and not self._is_old(now):
            return self._update(root, message, http, now)
        return self._create(message, http, now)

    def _root(self, message: Message) -> str:
        """The first message about the issue, as far as it is in this room, and this bot's."""
        is_here = message.references.get("where") == self._where
        return str(message.references.get("root", "")) if is_here else ""

    def _is_old(self, now: datetime) -> bool:
        return bool(self.old_since) and now - datetime.fromisoformat(self.old_since) < OLD_FOR

    def _create(self, message: Message, http: Http, now: datetime) -> Answer:
        said = self._call("POST", "", words.html(message), http, now)
        if said.outcome is not Outcome.DELIVERED or message.kind in CLOSING or not said.references:
            return replace(said, references={})
        about = {"where": self._where, "at": now.isoformat(), "word": words.named(message)}
        return replace(said, references={**said.references, **about})

    def _update(self, root: str, message: Message, http: Http, now: datetime) -> Answer:
        """In place. A server that cannot do so, or a message that is gone, gets a new one."""
        was = str(message.references.get("word", ""))
        change = words.struck if message.kind in CLOSING else words.html
        said = self._call("PATCH", f"/{root}", change(message, was=was), http, now)
        if said.code not in ("403", "404"):
            return replace(said, references={})
        changes = {"old_since": now.astimezone(UTC).isoformat()} if said.code == "404" else {}
        return replace(self._create(message, http, now), changes=changes)

    def _test(self, message: Message, http: Http, now: datetime) -> Answer:
        """Reading came before changing: a server that cannot do the one cannot do the other."""
        read = self._call("GET", "", "", http, now)
        if read.outcome is not Outcome.DELIVERED and read.code != "404":
            return read
        old_since = now.astimezone(UTC).isoformat() if read.code == "404" else ""
        return replace(self._create(message, http, now), changes={"old_since": old_since})

    def _say(self, text: str, http: Http, now: datetime) -> Answer:
        if self._classic:
            return self._post_classic("SoundMessage", text.removeprefix("/play "), http, now)
        return self._call("POST", "", text, http, now)

    def _call(self, method: str, path: str, text: str, http: Http, now: datetime) -> Answer:
        base, room, bot, key = self._parts
        url = f"{base}/rooms/{room}/{bot}-{key}/messages{path}"
        shown = f"{method} {base}/rooms/{room}/{bot}-…/messages{path}\n{text}".rstrip()
        return meanings.attempt(
            lambda: http.request(method, url, text.encode(), HTML if text else {}),
            lambda reply: _meaning(reply, now),
            request=shown,
        )

    @property
    def _parts(self) -> tuple[str, str, str, str]:
        found = _ONCE.fullmatch(self.url)
        base, room, bot, key = found.groups() if found else (self.url, "", "", "")
        return base, self.room or room, bot, key

    @property
    def _where(self) -> str:
        """The room and the bot, without what is secret about it."""
        _, room, bot, _ = self._parts
        return f"{room}/{bot}"

    # The classic service

    @property
    def _classic(self) -> re.Match[str] | None:
        return _CLASSIC.fullmatch(self.url)

    def _speak(self, message: Message, http: Http, now: datetime) -> Answer:
        if message.kind == TEST:
            known = self._ask_classic("GET", "/users/me.json", None, http, now)
            if known.outcome is not Outcome.DELIVERED:
                return known
        return self._post_classic("TextMessage", words.plain(message), http, now)

    def _post_classic(self, kind: str, text: str, http: Http, now: datetime) -> Answer:
        room = self.room or (self._classic[2] if self._classic else "")
        body = {"message": {"type": kind, "body": text}}
        return self._ask_classic("POST", f"/room/{room}/speak.json", body, http, now)

    def _ask_classic(
        self, method: str, path: str, body: Mapping[str, Any] | None, http: Http, now: datetime
    ) -> Answer:
        name = self._classic[1] if self._classic else ""
        host = f"https://{name}.campfirenow.com"
        raw = json.dumps(body, ensure_ascii=False) if body else ""
        token = base64.b64encode(f"{self.token}:X".encode()).decode()
        headers = {
            "Authorization": f"Basic {token}",
            **({"Content-Type": "application/json"} if body else {}),
        }
        return meanings.attempt(
            lambda: http.request(method, http.base("campfire_classic", host) + path, raw.encode(), headers),
            lambda reply: _classic_meaning(reply, now),
            request=f"{method} {host}{path}\n{raw}".rstrip(),
        )


def _is_young(message: Message, now: datetime) -> bool:
    at = message.references.get("at")
    return bool(at) and now - datetime.fromisoformat(str(at)) < ROOT_LASTS


def _meaning(reply: Reply, now: datetime) -> Answer:
    if reply.status == 302:
        return Answer(Outcome.BROKEN, advice=SIGN_IN)
    if 300 <= reply.status < 400:
        return Answer(Outcome.RETRY, advice=_moved(reply))
    if reply.status == 404:
        return Answer(Outcome.BROKEN, advice=NO_ROOM)
    if reply.status in (403, 429):
        return Answer(Outcome.DOUBTFUL, advice=BANNED if reply.status == 429 else NOT_OURS)
    answer = meanings.usual(reply, now=now)
    if answer.outcome is Outcome.DELIVERED:
        return Answer(Outcome.DELIVERED, references=_id_of(reply))
    return answer


def _id_of(reply: Reply) -> dict[str, str]:
    """What it calls the message that was made."""
    found = _ID.search(urlsplit(reply.header("location")).path)
    return {"root": found[1]} if found else {}


def _moved(reply: Reply) -> str:
    """The host alone: the rest of where it leads holds the bot's key."""
    host = urlsplit(reply.header("location")).hostname if reply.may_show else None
    return f"Campfire has moved{f' to {host}' if host else ''}. Enter the bot's new address."


def _classic_meaning(reply: Reply, now: datetime) -> Answer:
    if reply.status in (401, 404):
        return Answer(Outcome.BROKEN, advice=UNKNOWN if reply.status == 401 else NO_ROOM)
    return meanings.usual(reply, now=now)
