"""A WebSocket server of a few lines: it says what it is told to, and keeps what is said to it."""

import base64
import hashlib
import json
import socket
import struct
import threading
from contextlib import suppress
from typing import Any

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, PING, PONG = 0x1, 0x9, 0xA


class WebSocketServer:
    """`say` sends to whoever is connected; `heard` are the JSON texts that came, oldest first."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"ws://127.0.0.1:{self._socket.getsockname()[1]}/link"
        self.heard: list[Any] = []
        self.news = threading.Condition()
        self._connection: socket.socket | None = None
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream, suppress(OSError, struct.error):
            key = b""
            while line := stream.readline().strip():
                name, _, value = line.partition(b": ")
                key = value if name.lower() == b"sec-websocket-key" else key
            proof = base64.b64encode(hashlib.sha1(key + GUID).digest())
            head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            connection.sendall(head + b"Sec-WebSocket-Accept: " + proof + b"\r\n\r\n")
            with self.news:
                self._connection = connection
                self.news.notify_all()
            while True:
                self._frame(connection, stream)

    def _frame(self, connection: socket.socket, stream: Any) -> None:
        first, second = struct.unpack("!BB", stream.read(2))
        length = second & 0x7F
        if length == 126:
            (length,) = struct.unpack("!H", stream.read(2))
        mask, body = stream.read(4), stream.read(length)
        text = bytes(byte ^ mask[place % 4] for place, byte in enumerate(body))
        if first & 0xF == PING:
            connection.sendall(_framed(PONG, text))
        elif first & 0xF == TEXT:
            with self.news:
                self.heard.append(json.loads(text))
                self.news.notify_all()

    def say(self, data: Any, *, answers: int = 1) -> list[Any]:
        """Send it, and wait until so many answers have come in all."""
        with self.news:
            assert self.news.wait_for(lambda: self._connection is not None, timeout=10)
            assert self._connection
            self._connection.sendall(_framed(TEXT, json.dumps(data).encode()))
            self.news.wait_for(lambda: len(self.heard) >= answers, timeout=10)
            return list(self.heard)

    def stop(self) -> None:
        self._socket.close()


def _framed(kind: int, body: bytes) -> bytes:
    size = bytes([len(body)]) if len(body) < 126 else b"\x7e" + struct.pack("!H", len(body))
    return bytes([0x80 | kind]) + size + body
