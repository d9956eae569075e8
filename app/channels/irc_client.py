"""A client of IRC on a connection that is there: joins, speaks, makes sure, leaves.

It waits by reading: whatever it is that it waits for, a PING is answered at once, and no wait is longer than
it may be however slowly the server talks (`integrations.md` 11).
"""

import secrets
import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress

from app.domain import irc_answers, irc_lines
from app.domain.irc_answers import Meaning, Refusal
from app.domain.irc_lines import Line

JOIN_SECONDS, CONFIRM_SECONDS, QUIT_SECONDS = 15.0, 30.0, 5.0
VOICE_SECONDS = 2.0
# What every server bears: so many lines at once, then one in so many seconds.
BURST, SECONDS_A_LINE = 4, 2.0
LONGEST_LINE = 16 * 1024  # with tags
MOST_NOTED = 80
# Numerics that say nothing about what was done: greetings, counts, the message of the day, names.
_CHATTER = ("002", "003", "004", "250", "251", "252", "253", "254", "255", "265", "266", "372", "375", "353")
HIDDEN = "••••"


class Trouble(Exception):
    """The connection is of no further use."""

    def __init__(self, meaning: Meaning, code: str, words: str) -> None:
        super().__init__(words)
        self.refusal = Refusal(meaning, code, words)


class Client:
    """Of one connection. `may_show`: the server's words may be read by people."""

    def __init__(self, connection: socket.socket, *, may_show: bool, peer: str = "") -> None:
        self._connection, self._may_show, self.peer = connection, may_show, peer
        self._buffer = b""
        self._supported = {"CASEMAPPING": "rfc1459"}
        self._joined: set[str] = set()
        self._voiced: set[str] = set()
        self._tokens, self._counted_at = float(BURST), time.monotonic()
        self.nick = ""
        self.noted: list[str] = []
        self.ends_at = float("inf")  # of whatever is being done

    # Lines

    def write(self, line: Line, *, shown: str = "") -> None:
        """`shown` is what is noted of a line with a secret."""
        text = irc_lines.written(line)
        self._put(text, shown or text)

    def _put(self, text: str, shown: str) -> None:
        raw = text.encode()
        if len(raw) > irc_lines.LINE_BYTES - irc_lines.END_BYTES or any(sign in text for sign in "\r\n\0"):
            raise Trouble(Meaning.OURS, "long", "A line that no server would take.")
        self._note(f"> {shown}")
        self._connection.settimeout(CONFIRM_SECONDS)
        self._connection.sendall(raw + b"\r\n")

    def _note(self, text: str) -> None:
        if len(self.noted) < MOST_NOTED:
            self.noted.append(text)

    def lines(self, seconds: float) -> Iterator[Line]:
        """What comes within so many seconds, all of which is noted. A goodbye raises `Trouble`."""
        until = min(time.monotonic() + seconds, self.ends_at)
        while (raw := self._read(until)) is not None:
            line = irc_lines.read(irc_lines.decoded(raw))
            if line.command == "PING":
                self._put(irc_lines.written(Line("PONG", line.params[-1:])), "PONG")
                continue
            if line.command == "ERROR":
                self._note_heard(line)
                refusal = irc_answers.of_error(" ".join(line.params))
                raise Trouble(refusal.meaning, refusal.code, refusal.words)
            self._heed(line)
            yield line

    def _read(self, until: float) -> bytes | None:
        while b"\n" not in self._buffer:
            left = until - time.monotonic()
            if left <= 0:
                return None
            self._connection.settimeout(left)
            try:
                got = self._connection.recv(4096)
            except TimeoutError:
                return None
            if not got or len(self._buffer) > LONGEST_LINE:
                raise Trouble(Meaning.DOUBTFUL, "cut", "The connection was cut.")
            self._buffer += got
        raw, _, self._buffer = self._buffer.partition(b"\n")
        return raw.rstrip(b"\r")

    def _heed(self, line: Line) -> None:
        """What is worth knowing whenever it comes."""
        if line.command not in _CHATTER:
            self._note_heard(line)
        if line.command == "005":
            for name, _, value in (each.partition("=") for each in line.params[1:-1]):
                self._supported[name] = value
        elif line.command == "NICK" and self.is_me(line.nick):
            self.nick = line.param(0)
        elif line.command == "353":
            self._heed_names(line)
        elif line.command == "MODE" and self.is_me(line.params[-1] if len(line.params) > 2 else ""):
            if line.param(1).startswith("+") and set(line.param(1)) & set("vhoaq"):
                self._voiced.add(self._folded(line.param(0)))
        elif line.command == "KICK" and self.is_me(line.param(1)):
            self._joined.discard(self._folded(line.param(0)))

    def _heed_names(self, line: Line) -> None:
        for name in line.param(3).split():
            bare = name.lstrip("~&@%+!")
            if bare != name and self.is_me(bare):
                self._voiced.add(self._folded(line.param(2)))

    def _note_heard(self, line: Line) -> None:
        """Only what kind of line it is, where the server's words are for nobody to read. Keys never."""
        kept = line.params[:3] if line.command == "324" else line.params
        said = irc_lines.written(Line(line.command, kept)) if self._may_show else line.command
        self._note(f"< {irc_lines.cut(said, 200)}")

    def _folded(self, name: str) -> str:
        return irc_lines.folded(name, self._supported["CASEMAPPING"])

    def is_me(self, nick: str) -> bool:
        return self._folded(nick) == self._folded(self.nick)

    def _wait_for_turn(self) -> list[Line]:
        """Until the server bears another line; what is heard in the meantime."""
        now = time.monotonic()
        self._tokens = min(BURST, self._tokens + (now - self._counted_at) / SECONDS_A_LINE) - 1
        self._counted_at = now
        return list(self.lines(-self._tokens * SECONDS_A_LINE)) if self._tokens < 0 else []

    def begin(self, seconds: float) -> None:
        """Something new, that may take so long altogether."""
        self.ends_at = time.monotonic() + seconds
        self.noted = []

    def is_alive(self, seconds: float, longest: float) -> bool:
        """Whether a connection from before still answers; then something new begins."""
        self.begin(seconds)
        try:
            self.confirm()
        except (Trouble, OSError):
            return False
        self.begin(longest)
        return True

    # Speaking

    def speak(self, command: str, target: str, texts: Sequence[str]) -> list[Line]:
        """Say the texts. What is heard in the meantime, of which some may be about targets before."""
        heard: list[Line] = []
        for text in texts:
            heard += self._wait_for_turn()
            raw = f"{command} {target} :{text}"
            self._put(raw, raw)
        return heard

    def confirm(self) -> list[Line]:
        """What the server has to say about all that was sent; raises `Trouble` unless it has read it."""
        token = f"tocsin-{secrets.token_hex(4)}"
        self.write(Line("PING", (token,)))
        heard: list[Line] = []
        for line in self.lines(CONFIRM_SECONDS):
            if line.command == "PONG" and line.params[-1:] == (token,):
                return heard
            heard.append(line)
        raise Trouble(Meaning.DOUBTFUL, "timeout", "The server did not confirm in time.")

    def join(self, channel: str, key: str) -> Refusal | None:
        """Be in the channel, if the server lets us. The others are left where it lets us into no more."""
        if self._folded(channel) in self._joined:
            return None
        refusal = self._ask_in(channel, key)
        if refusal and refusal.code == irc_answers.TOO_MANY_CHANNELS and self._joined:
            for other in sorted(self._joined):
                self._wait_for_turn()
                self.write(Line("PART", (other,)))
            self._joined.clear()
            return self._ask_in(channel, key)
        return refusal

    def _ask_in(self, channel: str, key: str) -> Refusal | None:
        self._wait_for_turn()
        self.write(
            Line("JOIN", (channel, key) if key else (channel,)),
            shown=f"JOIN {channel} {HIDDEN}" if key else "",
        )
        name = self._folded(channel)
        for line in self.lines(JOIN_SECONDS):
            is_ours = line.command == "JOIN" and self.is_me(line.nick) and self._folded(line.param(0)) == name
            if is_ours or (line.command == "366" and self._folded(line.param(1)) == name):
                self._joined.add(name)
                return None
            if self._folded(line.param(1)) == name and (
                refusal := irc_answers.of_target(line.command, channel)
            ):
                return refusal
        return Refusal(
            Meaning.DOUBTFUL, "timeout", f"The server did not say whether Tocsin may join {channel}."
        )

    def may_notice(self, target: str) -> Refusal | None:
        """Whether a NOTICE would be heard: servers say nothing where it is not."""
        if irc_lines.is_channel(target):
            return self._may_notice_channel(target)
        self._wait_for_turn()
        self.write(Line("ISON", (target,)))
        for line in self.lines(JOIN_SECONDS):
            if line.command == "303":
                present = {self._folded(nick) for nick in line.params[-1].split()}
                return None if self._folded(target) in present else irc_answers.of_target("401", target)
        return None

    def _may_notice_channel(self, channel: str) -> Refusal | None:
        name = self._folded(channel)
        modes = self._modes_of(channel)
        if isinstance(modes, Refusal):
            return modes
        if name not in self._joined and "n" in modes:
            return irc_answers.of_target("404", channel)
        if "m" not in modes or name in self._voiced:
            return None
        for _ in self.lines(VOICE_SECONDS):  # services give a voice a little after one has joined
            if name in self._voiced:
                return None
        return irc_answers.of_target("404", channel)

    def _modes_of(self, channel: str) -> str | Refusal:
        """Empty where the server does not say."""
        self._wait_for_turn()
        self.write(Line("MODE", (channel,)))
        for line in self.lines(JOIN_SECONDS):
            if self._folded(line.param(1)) != self._folded(channel):
                continue
            if line.command == "324":
                return line.param(2)
            if line.command == "442":
                return ""
            if (refusal := irc_answers.of_target(line.command, channel)) is not None:
                return refusal
        return ""

    def is_of(self, line: Line, target: str) -> bool:
        return self._folded(line.param(1)) == self._folded(target)

    # Leaving

    def close(self) -> None:
        """Say goodbye and hear the server out: a connection that is dropped loses what was not yet read."""
        self.ends_at = time.monotonic() + QUIT_SECONDS
        with suppress(Trouble, OSError):
            self.write(Line("QUIT", ("Done",)))
            for _ in self.lines(QUIT_SECONDS):
                pass
        self.drop()

    def drop(self) -> None:
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._connection.close()

    @property
    def is_secure(self) -> bool:
        return isinstance(self._connection, ssl.SSLSocket)
