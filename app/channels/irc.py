"""IRC: a line to channels and nicks, over a connection that lasts as long as there is something to say.

What comes for a destination while a job sends goes over the connection that the job has: it is kept on the
job's client, under everything that makes it what it is, and says goodbye with it. A second job that wants the
same nick at the same time is called a little differently by the server's own rules.
"""

import hashlib
import hmac
import re
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar

from app.channels import irc_sign_in
from app.channels.base import CHOICE, HEADERS, LIST, About, Answer, Outcome, Picture, setting
from app.channels.http import Blocked, Http
from app.channels.irc_client import Client, Trouble
from app.channels.irc_sign_in import NICKSERV, NONE, SASL, Who
from app.channels.meanings import blocked
from app.domain import irc_answers, irc_lines, irc_text, outward
from app.domain.irc_answers import Meaning, Refusal
from app.domain.message import Message

TLS, ANY_CERTIFICATE, PLAIN = "tls", "any_certificate", "plain"
TLS_PORT, PLAIN_PORT = 6697, 6667
NICK, REAL_NAME = "tocsin", "Tocsin"
LOWEST_PORT = 1025
# What says which server it is that passwords are for.
WHERE = ("server", "port", "encryption", "fingerprint")
MOST_TARGETS = 5
TLS_SECONDS, ALIVE_SECONDS, SEND_SECONDS = 10.0, 5.0, 45.0
LATER = timedelta(seconds=60)
OUTCOMES = {
    Meaning.LATER: Outcome.RETRY_AT,
    Meaning.DOUBTFUL: Outcome.DOUBTFUL,
    Meaning.BROKEN: Outcome.BROKEN,
    Meaning.OURS: Outcome.BAD_MESSAGE,
}
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?\.?|[0-9A-Fa-f:.]{2,45}")
_NICK = re.compile(r"[A-Za-z\[\]\\`_^{|}][A-Za-z0-9\[\]\\`_^{|}-]{0,29}")
_CHANNEL = re.compile(r"[#&+!][^\s,:\x00-\x20\x7f-\x9f]{1,49}")
_KEY = re.compile(r"[!-~]{1,50}")
_FINGERPRINT = re.compile(r"([0-9A-Fa-f]{2}:?){31}[0-9A-Fa-f]{2}")


def _wrong_with_server(host: str) -> str:
    return "" if _HOST.fullmatch(host) else "A name such as irc.example.org, or an address."


def _wrong_with_port(text: str) -> str:
    port = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
    fits = LOWEST_PORT <= port < 65536 and outward.is_port_allowed(port)
    return "" if fits else f"A port from {LOWEST_PORT} on that no other service is known by."


def _wrong_with_fingerprint(text: str) -> str:
    return "" if _FINGERPRINT.fullmatch(text) else "64 hexadecimal digits, with colons or without."


def _wrong_with_nick(nick: str) -> str:
    return (
        "" if _NICK.fullmatch(nick) else "Up to 30 letters, digits and signs of []\\`_^{|}-, no digit first."
    )


def _wrong_with_word(text: str) -> str:
    return "" if " " not in text and len(text.encode()) <= 100 else "One word of up to 100 bytes."


def _wrong_with_account(text: str) -> str:
    return "" if len(text.encode()) <= 300 else "Up to 300 bytes."


def _wrong_with_user(text: str) -> str:
    return (
        "" if re.fullmatch(r"[A-Za-z0-9._-]{1,20}", text) else "Up to 20 letters, digits, dots and hyphens."
    )


def _wrong_with_targets(targets: Sequence[str]) -> str:
    if len(targets) > MOST_TARGETS:
        return f"Up to {MOST_TARGETS}: make another integration for more."
    for each in targets:
        pattern = _CHANNEL if irc_lines.is_channel(each) else _NICK
        if not pattern.fullmatch(each):
            return f"“{each}” is neither a channel such as #ops nor a nick."
    return "One of them is there twice." if len(set(targets)) < len(targets) else ""


def _wrong_with_keys(keys: Mapping[str, str]) -> str:
    for channel, key in keys.items():
        if not _CHANNEL.fullmatch(channel):
            return f"“{channel}” is no channel such as #ops."
        if not _KEY.fullmatch(key) or "," in key or key.startswith(":"):
            return f"The key of {channel} is no word of up to 50 signs."
    return ""


@dataclass(frozen=True)
class Irc:
    about: ClassVar[About] = About(
        name="irc",
        label="IRC",
        summary="A line to channels and nicks.",
        ladder="chat",
        repeats_safely=False,
        kinds=("new", "regression", "again", "digest", "resolved", "assigned", "comment"),
    )

    server: str = setting("Server", check=_wrong_with_server)
    targets: Sequence[str] = setting(
        "Channels and nicks",
        kind=LIST,
        check=_wrong_with_targets,
        hint=f"One a line, up to {MOST_TARGETS}: #ops",
    )
    encryption: str = setting(
        "Connection",
        default=TLS,
        kind=CHOICE,
        choices={TLS: "TLS", ANY_CERTIFICATE: "TLS, any certificate", PLAIN: "Not encrypted"},
    )
    port: str = setting(
        "Port", default="", check=_wrong_with_port, hint=f"Empty: {TLS_PORT} with TLS, {PLAIN_PORT} without."
    )
    fingerprint: str = setting(
        "Certificate’s SHA-256",
        default="",
        check=_wrong_with_fingerprint,
        hint="Of a server with a certificate of its own making: this one and no other.",
    )
    nick: str = setting("Nick", default=NICK, check=_wrong_with_nick)
    user: str = setting("User name", default=NICK, check=_wrong_with_user)
    real_name: str = setting("Real name", default=REAL_NAME, check=_wrong_with_account)
    server_password: str = setting(
        "Server password", default="", secret=True, bound_to=WHERE, check=_wrong_with_word
    )
    login: str = setting(
        "Sign in",
        default=NONE,
        kind=CHOICE,
        choices={NONE: "No", SASL: "SASL PLAIN, with TLS only", NICKSERV: "NickServ"},
    )
    account: str = setting(
        "Account", default="", check=_wrong_with_word, hint="NickServ: empty for the nick’s own."
    )
    password: str = setting(
        "Password of the account", default="", secret=True, bound_to=WHERE, check=_wrong_with_account
    )
    keys: Mapping[str, str] = setting(
        "Channel keys",
        default=dict,
        kind=HEADERS,
        secret=True,
        bound_to=WHERE,
        check=_wrong_with_keys,
        hint="One a line: #ops: key",
    )
    command: str = setting(
        "Say it as",
        default="NOTICE",
        kind=CHOICE,
        choices={"NOTICE": "Notice: no other bot answers it", "PRIVMSG": "Message"},
    )
    join: str = setting(
        "Join channels first",
        default="yes",
        kind=CHOICE,
        choices={"yes": "Yes", "no": "No: they take messages from outside"},
    )
    colours: str = setting("Colours", default="no", kind=CHOICE, choices={"no": "No", "yes": "Yes"})
    lines: str = setting("Lines a message", default="1", kind=CHOICE, choices={n: n for n in "1234"})

    def payload(self, message: Message) -> Mapping[str, Any]:
        longest = max(self.targets or ("#ops",), key=lambda target: len(target.encode()))
        texts = irc_text.lines(
            message,
            room=irc_lines.room(self.command, longest),
            most=int(self.lines),
            is_coloured=self.colours == "yes",
        )
        return {"command": self.command, "targets": list(self.targets), "texts": texts}

    def picture(self, message: Message) -> Picture:
        texts = self.payload(message)["texts"]
        plain = (re.sub("\x03[0-9]*", "", text) for text in texts)
        nick = self.who.nick
        name = f"-{nick}-" if self.command == "NOTICE" else f"<{nick}>"
        level = message.issue.level if message.issue else ""
        return Picture(
            "terminal",
            title=" ".join(self.targets) or "#ops",
            text="\n".join(f"{name} {text}" for text in plain),
            level=level,
        )

    def send(self, message: Message, *, http: Http, now: datetime) -> Answer:
        begun = time.monotonic()
        sending = _Sending(self, http)
        try:
            answer = sending.done(self.payload(message)["texts"])
        except Blocked:
            answer = blocked()
        except Trouble as trouble:
            answer = sending.failed(_answered(trouble.refusal))
        except OSError as error:
            answer = sending.failed(Answer(Outcome.RETRY, *_words(error)))
        return sending.with_log(answer, milliseconds=round((time.monotonic() - begun) * 1000))

    @property
    def who(self) -> Who:
        return Who(
            nick=self.nick or NICK,
            user=self.user or NICK,
            real_name=self.real_name or REAL_NAME,
            server_password=self.server_password,
            login=self.login,
            account=self.account,
            password=self.password,
        )

    @property
    def port_number(self) -> int:
        return int(self.port or (PLAIN_PORT if self.encryption == PLAIN else TLS_PORT))

    @property
    def connection_key(self) -> tuple[object, ...]:
        """What two destinations have to agree on to be served over one connection."""
        return ("irc", self.server, self.port_number, self.encryption, self.fingerprint, self.who)


class _Sending:
    """One message on its way. Once a line was said, nobody knows without a confirmation what has arrived."""

    def __init__(self, channel: Irc, http: Http) -> None:
        self._channel, self._http = channel, http
        self._client: Client | None = None
        self._has_begun = False

    def done(self, texts: Sequence[str]) -> Answer:
        client = self._client = self._connected()
        refused: dict[str, Refusal] = {}
        heard: list[irc_lines.Line] = []
        for target in self._channel.targets:
            refusal = self._refusal_before(client, target)
            if refusal:
                refused[target] = refusal
                continue
            self._has_begun = True
            heard += client.speak(self._channel.command, target, texts)
        heard += client.confirm() if self._has_begun else []
        for line in heard:
            for target in self._channel.targets:
                refusal = irc_answers.of_target(line.command, target)
                if refusal and client.is_of(line, target):
                    refused.setdefault(target, refusal)
        return _summed_up(refused, len(self._channel.targets))

    def _refusal_before(self, client: Client, target: str) -> Refusal | None:
        refusal = None
        if irc_lines.is_channel(target) and self._channel.join == "yes":
            refusal = client.join(target, _key_of(self._channel.keys, target))
        if refusal is None and self._channel.command == "NOTICE":
            refusal = client.may_notice(target)
        return refusal

    def _connected(self) -> Client:
        """The connection that this job has already, if it still lives; else a new one."""
        known = self._http.kept.get(self._channel.connection_key)
        if isinstance(known, Client):
            if known.is_alive(ALIVE_SECONDS, SEND_SECONDS):
                return known
            self._forget(known)
        connection = _opened(self._channel, self._http)
        client = Client(connection, may_show=self._http.may_show, peer=self._http.peer)
        self._client = client  # what it has heard is of use although it may never be ready
        client.begin(SEND_SECONDS)
        irc_sign_in.register(client, self._channel.who)
        self._http.kept[self._channel.connection_key] = client
        return client

    def _forget(self, client: Client) -> None:
        self._http.kept.pop(self._channel.connection_key, None)
        client.drop()

    def failed(self, answer: Answer) -> Answer:
        if self._client:
            self._forget(self._client)
        return replace(answer, is_unsure=self._has_begun and answer.outcome != Outcome.BAD_MESSAGE)

    def with_log(self, answer: Answer, *, milliseconds: int) -> Answer:
        noted = self._client.noted if self._client else []
        return replace(
            answer,
            response="\n".join([*([answer.response] if answer.response else []), *noted]),
            request="\n".join(line[2:] for line in noted if line.startswith("> ")),
            milliseconds=milliseconds,
            peer=self._client.peer if self._client else "",
        )


def _key_of(keys: Mapping[str, str], channel: str) -> str:
    return next((key for name, key in keys.items() if name.lower() == channel.lower()), "")


def _opened(channel: Irc, http: Http) -> socket.socket:
    made = http.open(channel.server, channel.port_number, is_plain=False)
    if channel.encryption == PLAIN:
        return made
    context = ssl.create_default_context()
    if channel.fingerprint or channel.encryption == ANY_CERTIFICATE:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    made.settimeout(TLS_SECONDS)
    secure = context.wrap_socket(made, server_hostname=channel.server)
    if channel.fingerprint:
        _check_fingerprint(secure, channel.fingerprint)
    return secure


def _check_fingerprint(connection: ssl.SSLSocket, wanted: str) -> None:
    found = hashlib.sha256(connection.getpeercert(binary_form=True) or b"").hexdigest()
    if not hmac.compare_digest(found, wanted.replace(":", "").lower()):
        connection.close()
        words = (
            f"The server’s certificate is another one than the one that is entered: its SHA-256 is {found}."
        )
        raise Trouble(Meaning.BROKEN, "certificate", words)


# What it means


def _answered(refusal: Refusal) -> Answer:
    """Of a connection that came to nothing: unless somebody has to change something, it is tried again."""
    outcome = Outcome.RETRY if refusal.meaning == Meaning.DOUBTFUL else OUTCOMES[refusal.meaning]
    wait = LATER if outcome == Outcome.RETRY_AT else None
    return Answer(outcome, refusal.code, refusal.words, retry_after=wait, advice=refusal.words)


def _summed_up(refused: Mapping[str, Refusal], count: int) -> Answer:
    """Delivered if one target has it; else what gives the most hope."""
    advice = " ".join(dict.fromkeys(each.words for each in refused.values()))
    if len(refused) < count:
        return Answer(Outcome.DELIVERED, "PONG", advice=advice)
    kindest = min(refused.values(), key=lambda each: list(OUTCOMES).index(each.meaning))
    outcome = OUTCOMES[kindest.meaning]
    wait = LATER if outcome == Outcome.RETRY_AT else None
    return Answer(outcome, kindest.code, retry_after=wait, advice=advice)


def _words(error: OSError) -> tuple[str, str]:
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            "tls",
            f"The certificate is not good: {error.verify_message}. Enter its SHA-256 if it is to be trusted.",
        )
    if isinstance(error, ssl.SSLError):
        return "tls", "The server speaks no TLS on this port."
    if isinstance(error, socket.gaierror):
        return "dns", "The name could not be resolved."
    if isinstance(error, TimeoutError):
        return "timeout", "No connection in time."
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return "cut", "The connection was cut."
    return "connect", "The connection was refused, or there is no way to the address."
