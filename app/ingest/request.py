"""What ingest reads of a WSGI request. Its body is never taken for a form, whatever it says of itself."""

import time
from typing import Any, BinaryIO

from app.domain.rejections import Malformed, TooLarge
from app.proxies import client_address
from app.settings_kinds import Network

MAX_BODY = 20 << 20
# A little beyond: some SDKs never see why they were turned away, unless all they send is taken.
MAX_DRAINED = 64 << 20
DRAIN_SECONDS = 10.0
_CHUNK = 1 << 16

Environ = dict[str, Any]


class Request:
    """One request of an SDK: the project its path names, and what follows the endpoint's name there."""

    __slots__ = ("_environ", "_left", "_stream", "project", "rest")

    def __init__(self, environ: Environ, project: str, rest: list[str]) -> None:
        self._environ = environ
        self._stream: BinaryIO = environ["wsgi.input"]
        self._left = _declared_length(environ)
        self.project = project
        self.rest = rest

    @property
    def method(self) -> str:
        return str(self._environ["REQUEST_METHOD"])

    @property
    def query(self) -> str:
        return self._environ.get("QUERY_STRING") or ""

    def header(self, name: str) -> str | None:
        return self._environ.get(name)

    @property
    def encoding(self) -> str:
        return (self._environ.get("HTTP_CONTENT_ENCODING") or "").strip().lower()

    @property
    def origin(self) -> str | None:
        return self._environ.get("HTTP_ORIGIN") or self._environ.get("HTTP_REFERER")

    def client_address(self, trusted: tuple[Network, ...]) -> str | None:
        peer = self._environ.get("REMOTE_ADDR") or ""
        forwarded = (self._environ.get("HTTP_X_FORWARDED_FOR") or "") if trusted else ""
        return client_address(peer, forwarded, trusted)

    def body(self, *, known: bool = True) -> bytes:
        """The body as it was sent, and never more of it than is allowed; `known`: the sender has a key."""
        try:
            return self._body()
        except TooLarge:
            if known:
                self.drain()
            raise

    def drain(self) -> None:
        """Take what is left of the body, within reason: while a client still sends, it may read no answer.

        Only for those who may send: it takes as long as the sender likes, and holds a thread all the while.
        """
        room, deadline = MAX_DRAINED, time.monotonic() + DRAIN_SECONDS
        while room > 0 and time.monotonic() < deadline and (part := self._read(_CHUNK)):
            room -= len(part)

    def _body(self) -> bytes:
        if self._left is not None and self._left > MAX_BODY:
            raise _too_large()
        parts: list[bytes] = []
        size = 0
        while part := self._read(MAX_BODY):
            size += len(part)
            if size > MAX_BODY:
                raise _too_large()
            parts.append(part)
        if self._left:
            raise Malformed("the body is shorter than its Content-Length")
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _read(self, most: int) -> bytes:
        """The next part of the body; empty at its end."""
        if self._left is None:
            # Only a server that marks the end lets us read to it: others would block for ever.
            return self._stream.read(_CHUNK) if self._environ.get("wsgi.input_terminated") else b""
        part = self._stream.read(min(self._left, most)) if self._left else b""
        self._left -= len(part)
        return part


def _declared_length(environ: Environ) -> int | None:
    """None for a body without Content-Length, such as a chunked one."""
    length = (environ.get("CONTENT_LENGTH") or "").strip()
    if not length:
        return None
    if not (length.isascii() and length.isdecimal()) or len(length) > 18:
        raise Malformed("the Content-Length is not a number")
    return int(length)


def _too_large() -> TooLarge:
    return TooLarge(f"the body is larger than {MAX_BODY} bytes")
