"""Undoes the Content-Encoding of a request body, never producing more than a given number of bytes."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import brotli
import zstandard

from app.domain.rejections import Malformed, TooLarge

_GZIP = 31
_ZLIB = 15
_RAW_DEFLATE = -15
_CHUNK = 1 << 16
# A frame may demand a window of gigabytes; RFC 8878 asks decoders to accept 8 MiB.
_ZSTD_WINDOW = 1 << 23


def decode(body: bytes, content_encoding: str | None, *, cap: int) -> bytes:
    """The plain body. An unknown encoding is taken for none, so that parsing tells what is wrong."""
    decoder = _DECODERS.get((content_encoding or "").strip().lower(), _identity)
    return decoder(body, cap)


def inflate(body: bytes, cap: int) -> bytes:
    """Undo zlib compression, with or without its header."""
    try:
        return _inflate(body, _ZLIB, cap)
    except Malformed:
        return _inflate(body, _RAW_DEFLATE, cap)


def _identity(body: bytes, cap: int) -> bytes:
    return _within(body, cap)


def _within(plain: bytes, cap: int) -> bytes:
    if len(plain) > cap:
        raise TooLarge(f"the decompressed body is larger than {cap} bytes")
    return plain


def _gunzip(body: bytes, cap: int) -> bytes:
    """All members of a gzip file; whatever follows the last one is padding."""
    parts: list[bytes] = []
    room = cap
    while not parts or body.startswith(b"\x1f\x8b"):
        stream = zlib.decompressobj(_GZIP)
        parts.append(_drain(stream, body, room))
        room -= len(parts[-1])
        body = stream.unused_data
    return b"".join(parts)


def _inflate(body: bytes, wbits: int, cap: int) -> bytes:
    return _drain(zlib.decompressobj(wbits), body, cap)


def _drain(stream: zlib._Decompress, body: bytes, cap: int) -> bytes:
    try:
        plain = _within(stream.decompress(body, cap + 1), cap)
    except zlib.error as error:
        raise Malformed("the compressed body is corrupt", [str(error)]) from None
    if not stream.eof:
        raise Malformed("the compressed body is truncated")
    return plain


def _unbrotli(body: bytes, cap: int) -> bytes:
    stream = brotli.Decompressor()
    parts: list[bytes] = []
    size = 0
    pending = body
    try:
        while not stream.is_finished():
            part = stream.process(pending, output_buffer_limit=_CHUNK)
            size += len(part)
            if size > cap:
                raise TooLarge(f"the decompressed body is larger than {cap} bytes")
            if not part and stream.can_accept_more_data():
                raise Malformed("the compressed body is truncated")
            parts.append(part)
            pending = b""
    except brotli.error as error:
        raise Malformed("the compressed body is corrupt", [str(error)]) from None
    return b"".join(parts)


def _unzstd(body: bytes, cap: int) -> bytes:
    """Measured first, because only the reader can stop half way, and only the frames tell a cut-off end."""
    decompressor = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
    try:
        _measure(decompressor.stream_reader(body, read_across_frames=True), cap)
        return _zstd_frames(decompressor, body)
    except zstandard.ZstdError as error:
        raise Malformed("the compressed body is corrupt", [str(error)]) from None


def _measure(reader: zstandard.ZstdDecompressionReader, cap: int) -> None:
    size = 0
    while part := reader.read(_CHUNK):
        size += len(part)
        if size > cap:
            raise TooLarge(f"the decompressed body is larger than {cap} bytes")


def _zstd_frames(decompressor: zstandard.ZstdDecompressor, body: bytes) -> bytes:
    parts: list[bytes] = []
    while not parts or body:
        frame = decompressor.decompressobj()
        parts.append(frame.decompress(body))
        if not frame.eof:
            raise Malformed("the compressed body is truncated")
        body = frame.unused_data
    return b"".join(parts)


_DECODERS: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": inflate,
    "br": _unbrotli,
    "zstd": _unzstd,
}
