"""The regular form of an event as it lies in the database: zstd over JSON."""

import json
import threading
from collections.abc import Mapping
from typing import Any, TypedDict

import msgspec
import zstandard

from app.domain.event import Event

_LEVEL = 3


class _Frame(TypedDict, total=False):
    filename: str | None
    abs_path: str | None
    module: str | None
    in_app: bool | None


class _Stack(TypedDict, total=False):
    frames: list[_Frame] | None


class _Holder(TypedDict, total=False):
    stacktrace: _Stack | None


class _Request(TypedDict, total=False):
    url: str | None


class _Outline(TypedDict, total=False):
    exception: list[_Holder] | None
    threads: list[_Holder] | None
    stacktrace: _Stack | None
    request: _Request | None
    user: dict[str, Any] | None
    release: str | None
    tags: list[tuple[str, str]] | None


class _Codec(threading.local):
    """zstd's contexts are worth keeping, but no two threads may use one."""

    def __init__(self) -> None:
        self.compress = zstandard.ZstdCompressor(level=_LEVEL).compress
        self.decompress = zstandard.ZstdDecompressor().decompress


_codec = _Codec()
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode
_decode_outline = msgspec.json.Decoder(_Outline).decode


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


def size(body: bytes) -> int:
    """How many bytes it takes unpacked; nothing is unpacked for that."""
    return zstandard.frame_content_size(body)


def outline(body: bytes) -> Mapping[str, Any]:
    """Where the event happened and to whom: a fraction of it, in a fraction of the time."""
    try:
        return _decode_outline(_codec.decompress(body))
    except msgspec.DecodeError:
        return unpack(body)
