"""The regular form of an event as it lies in the database: zstd over JSON."""

import json
import threading
from typing import Any

import msgspec
import zstandard

from app.domain.event import Event

_LEVEL = 3


class _Codec(threading.local):
    """zstd's contexts are worth keeping, but no two threads may use one."""

    def __init__(self) -> None:
        self.compress = zstandard.ZstdCompressor(level=_LEVEL).compress
        self.decompress = zstandard.ZstdDecompressor().decompress


_codec = _Codec()
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def of(event: Event) -> bytes:
    """What is kept of an event beyond its columns: its members, its tags and why it was grouped so."""
    return pack({**event.data, "tags": event.tags, "grouping": event.grouping})


def pack(data: dict[str, Any]) -> bytes:
    try:
        plain = _encode(data)
    except OverflowError:  # msgspec writes no integers beyond 64 bits
        plain = json.dumps(data, ensure_ascii=False).encode()
    return _codec.compress(plain)


def unpack(body: bytes) -> dict[str, Any]:
    plain = _codec.decompress(body)
    try:
        value: dict[str, Any] = _decode(plain)
    except msgspec.DecodeError:
        value = json.loads(plain)
    return value
