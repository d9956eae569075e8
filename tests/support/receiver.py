"""A real HTTP server in a thread that answers as it is told to: slowly, half, elsewhere, or not at all."""

import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Script = Callable[["Handler"], None]


@dataclass
class Received:
    """One request as it came over the wire."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    method: str = "POST"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "Server"

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        self.receiver.taken.append(Received(self.path, dict(self.headers), body, self.command))
        self.receiver.next_script()(self)

    do_GET = do_PUT = do_PATCH = do_DELETE = do_POST  # noqa: N815 (names that the library calls)

    @property
    def receiver(self) -> "Receiver":
        return self.server.receiver

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    receiver: "Receiver"

    def handle_error(self, *_: object) -> None:
        pass  # the other side hangs up, as is meant


def answer(status: int, body: bytes = b"", **headers: str) -> Script:
    """`answer(429, retry_after="7")`"""

    def script(handler: Handler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return script


def hang_up(handler: Handler) -> None:
    """Cut the connection without a word."""
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


def slow(seconds: float) -> Script:
    """Say nothing for a while."""

    def script(handler: Handler) -> None:
        time.sleep(seconds)
        answer(200)(handler)

    return script


def dripping(seconds: float) -> Script:
    """A byte now and then: no single read takes long, all of them together do."""

    def script(handler: Handler) -> None:
        handler.close_connection = True
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Drip: ")
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            handler.wfile.write(b"x")
            handler.wfile.flush()
            time.sleep(0.05)

    return script


def endless(megabytes: int) -> Script:
    def script(handler: Handler) -> None:
        handler.close_connection = True
        handler.send_response(200)
        handler.send_header("Content-Length", str(megabytes * 1024 * 1024))
        handler.end_headers()
        for _ in range(megabytes):
            handler.wfile.write(b"x" * 1024 * 1024)
            handler.receiver.sent_megabytes += 1

    return script


@dataclass
class Receiver:
    """`script(…)` says what is answered next, one after the other; what follows is answered with 204."""

    host: str = "127.0.0.1"
    taken: list[Received] = field(default_factory=list)
    scripts: list[Script] = field(default_factory=list)
    usual: Script = field(default_factory=lambda: answer(204))
    sent_megabytes: int = 0
    tls: Any = None

    def __post_init__(self) -> None:
        self._server = Server((self.host, 0), Handler)
        self._server.receiver = self
        if self.tls:
            self._server.socket = self.tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def base(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.base}/hook"

    def script(self, *scripts: Script) -> None:
        self.scripts += scripts

    def next_script(self) -> Script:
        return self.scripts.pop(0) if self.scripts else self.usual

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
