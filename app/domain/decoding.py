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
# Each is cut off what follows by copying that: more of them than any client makes would take for ever.
_MAX_MEMBERS = 16
# Enough of a body to unpack its beginning from: no compression works on larger blocks.
_BEGINNING = 1 << 18
# A frame may demand a window of gigabytes; RFC 8878 asks decoders to accept 8 MiB.
_ZSTD_WINDOW = 1 << 23


def decode(body: bytes, content_encoding: str | None, *, cap: int) -> bytes:
    """The plain body. An unknown encoding is taken for none, so that parsing tells what is wrong."""
    decoder = _DECODERS.get((content_encoding or "").strip().lower(), _identity)
    return decoder(body, cap)


def beginning(body: bytes, content_encoding: str | None, *, size: int) -> bytes:
    """The first bytes of the plain body, as far as they can be had at little cost."""
    opener = _OPENERS.get((content_encoding or "").strip().lower(), _open_identity)
    try:
        return opener(body[:_BEGINNING], size)
    except (zlib.error, brotli.error, zstandard.ZstdError) as error:
        raise Malformed("the compressed body is corrupt", [str(error)]) from None


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
        _limit_members(parts)
        stream = zlib.decompressobj(_GZIP)
        parts.append(_drain(stream, body, room))
        room -= len(parts[-1])
        body = stream.unused_data
    return b"".join(parts)


def _limit_members(parts: list[bytes]) -> None:
    if len(parts) == _MAX_MEMBERS:
        raise Malformed(f"the compressed body has more than {_MAX_MEMBERS} members")


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
    """In slices, since the decompressor copies what it has not used yet, at every call."""
    stream = brotli.Decompressor()
    parts: list[bytes] = []
    size = position = 0
    try:
        while not stream.is_finished():
            hungry = stream.can_accept_more_data()
            pending = body[position : position + _CHUNK] if hungry else b""
            position += len(pending)
            part = stream.process(pending, output_buffer_limit=_CHUNK)
            size += len(part)
            if size > cap:
                raise TooLarge(f"the decompressed body is larger than {cap} bytes")
            if hungry and not pending and not part:
                raise Malformed("the compressed body is truncated")
            parts.append(part)
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
        _limit_members(parts)
        frame = decompressor.decompressobj()
        parts.append(frame.decompress(body))
        if not frame.eof:
            raise Malformed("the compressed body is truncated")
        body = frame.unused_data
    return b"".join(parts)


def _open_identity(body: bytes, size: int) -> bytes:
    return body[:size]


def _open_gzip(body: bytes, size: int) -> bytes:
    return zlib.decompressobj(_GZIP).decompress(body, size)


def _open_deflate(body: bytes, size: int) -> bytes:
    try:
        return zlib.decompressobj(_ZLIB).decompress(body, size)
    except zlib.error:
        return zlib.decompressobj(_RAW_DEFLATE).decompress(body, size)


def _open_brotli(body: bytes, size: int) -> bytes:
    stream = brotli.Decompressor()
    plain = b""
    pending = body
    while len(plain) < size and not stream.is_finished():
        part = stream.process(pending, output_buffer_limit=size)
        if not part and not pending:
            break
        plain += part
        pending = b""
    return plain[:size]


def _open_zstd(body: bytes, size: int) -> bytes:
    decompressor = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
    return decompressor.stream_reader(body, read_across_frames=True).read(size)


_DECODERS: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": inflate,
    "br": _unbrotli,
    "zstd": _unzstd,
}
_OPENERS: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": _open_gzip,
    "x-gzip": _open_gzip,
    "deflate": _open_deflate,
    "br": _open_brotli,
    "zstd": _open_zstd,
}
