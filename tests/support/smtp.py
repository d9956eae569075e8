"""A real mail server in a thread: keeps what it is sent, and can be slow, choosy or away."""

import asyncio
import contextlib
import email.policy
import email.utils
import re
import threading
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

COLUMNS = 72  # of a mail's text
# What to answer to one message; None is a yes.
Answer = Callable[["Mail"], str | None]


def unfolded(text: str) -> str:
    """Lines that were broken because the next word had no room are one line again."""
    lines: list[str] = []
    width = 0
    for line in text.splitlines():
        word = line.split(maxsplit=1)[:1]
        was_broken = bool(word) and 0 < width <= COLUMNS < width + 1 + len(word[0])
        if was_broken:
            lines[-1] += f" {line.strip().removeprefix('| ')}"
        else:
            lines.append(line)
        width = len(line)
    return "\n".join(lines)


@dataclass
class Mail:
    """One message as it came over the wire."""

    sender: str
    to: str
    raw: bytes
    number: int = 0
    message: EmailMessage = field(init=False, repr=False)

    def __post_init__(self) -> None:
        parsed = email.message_from_bytes(self.raw, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        self.message = parsed

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @property
    def text(self) -> str:
        """As it reads: where a line is broken depends on the words before it, such as the day's date."""
        return unfolded(self._part("plain"))

    @property
    def html(self) -> str:
        return self._part("html")

    @property
    def unsubscribe_url(self) -> str:
        """The address in List-Unsubscribe."""
        return re.search(r"<(https?://[^>]+)>", self["List-Unsubscribe"])[1]  # type: ignore[index]

    @property
    def links(self) -> list[str]:
        """Every address in the text, the HTML and List-Unsubscribe, each once."""
        pages = f"{self.text} {self.html} {self.message.get('List-Unsubscribe', '')}"
        found = re.findall(r"https?://[^\s\"'<>)\]]+", pages.replace("&amp;", "&"))
        return list(dict.fromkeys(link.rstrip(".,;") for link in found))

    def __getitem__(self, header: str) -> str:
        return str(self.message[header])

    def _part(self, subtype: str) -> str:
        part = self.message.get_body((subtype,))
        assert part is not None, f"no text/{subtype} in {self.subject}"
        return str(part.get_content())


class Server:
    """Runs as soon as it is made; `reset()` forgets what came and how it was to behave."""

    def __init__(self) -> None:
        self.host = "127.0.0.1"
        self.port = 0
        self._gates = {"door": threading.Event(), "answer": threading.Event()}
        self.reset()
        self._loop = asyncio.new_event_loop()
        self._connections: set[asyncio.BaseTransport] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._listen()

    def reset(self) -> None:
        self.taken: list[Mail] = []
        self.refused: list[Mail] = []
        self.seen = 0
        self.at_once = self.most_at_once = 0
        for gate in self._gates.values():
            gate.set()
        self.delay = 0.0
        self.answer: Answer = lambda mail: None

    def refuse_every(self, nth: int, answer: str) -> None:
        self.answer = lambda mail: answer if mail.number % nth == 0 else None

    @contextlib.contextmanager
    def holding(self, where: str) -> Iterator[None]:
        """Meanwhile whoever comes waits: at the "door", or for the "answer" to a message that is taken."""
        self._gates[where].clear()
        try:
            yield
        finally:
            self._gates[where].set()

    @contextlib.contextmanager
    def down(self) -> Iterator[None]:
        """Nobody answers at this port meanwhile."""
        self._do(self._hang_up())
        try:
            yield
        finally:
            self._listen()

    def stop(self) -> None:
        self._do(self._hang_up())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    async def handle_EHLO(self, server, session, envelope, hostname, responses) -> list[str]:
        """Called by aiosmtpd for each connection."""
        session.host_name = hostname
        await self._pass("door")
        return responses

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Called by aiosmtpd for each message."""
        self.seen += 1
        assert isinstance(envelope.content, bytes)
        mail = Mail(envelope.mail_from or "", envelope.rcpt_tos[0], envelope.content, self.seen)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(self.delay)
        self.at_once -= 1
        refusal = self.answer(mail)
        (self.refused if refusal else self.taken).append(mail)
        await self._pass("answer")
        return refusal or "250 2.0.0 Ok: queued"

    async def _pass(self, gate: str) -> None:
        while not self._gates[gate].is_set():
            await asyncio.sleep(0.01)

    def _listen(self) -> None:
        self._server = self._do(self._start())
        self.port = self._server.sockets[0].getsockname()[1]

    async def _start(self) -> asyncio.Server:
        return await self._loop.create_server(self._protocol, self.host, self.port)

    def _protocol(self) -> SMTP:
        return _Protocol(self._connections, self, hostname="relay.example.org", loop=self._loop)

    async def _hang_up(self) -> None:
        self._server.close()
        for transport in list(self._connections):
            transport.abort()  # type: ignore[attr-defined]
        await self._server.wait_closed()
        await asyncio.sleep(0.01)  # lets the protocols see the end of their connections

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)


class _Protocol(SMTP):
    """Remembers its connection, so that the server can end it."""

    def __init__(self, connections: set[asyncio.BaseTransport], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._connections = connections

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._mine = transport
        self._connections.add(transport)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._connections.discard(self._mine)
        super().connection_lost(error)
