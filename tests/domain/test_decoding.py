from __future__ import annotations

import gzip
import time
import zlib

import brotli
import pytest
import zstandard

from app.domain.decoding import beginning, decode
from app.domain.rejections import Malformed, TooLarge

PLAIN = b'{"message":"' + bytes(range(32, 127)) * 40 + b'"}'
CAP = 1 << 20


def raw_deflate(plain: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(plain) + stream.flush()


def zstd_without_size(plain: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_content_size=False).compress(plain)


HALF = len(PLAIN) // 2
ENCODED = {
    "absent": (None, PLAIN),
    "empty": ("", PLAIN),
    "identity": ("identity", PLAIN),
    "unknown": ("sdch", PLAIN),
    "gzip": ("gzip", gzip.compress(PLAIN)),
    "x-gzip": ("x-gzip", gzip.compress(PLAIN)),
    "upper-case with blanks": (" GZip ", gzip.compress(PLAIN)),
    "gzip in two members": ("gzip", gzip.compress(PLAIN[:HALF]) + gzip.compress(PLAIN[HALF:])),
    "gzip with padding": ("gzip", gzip.compress(PLAIN) + bytes(16)),
    "deflate": ("deflate", zlib.compress(PLAIN)),
    "raw deflate": ("deflate", raw_deflate(PLAIN)),
    "brotli": ("br", brotli.compress(PLAIN)),
    "zstd": ("zstd", zstandard.compress(PLAIN)),
    "zstd of unknown size": ("zstd", zstd_without_size(PLAIN)),
    "zstd in two frames": ("zstd", zstd_without_size(PLAIN[:HALF]) + zstandard.compress(PLAIN[HALF:])),
}
COMPRESSED = {name: row for name, row in ENCODED.items() if row[1] != PLAIN and "padding" not in name}


@pytest.mark.parametrize(("encoding", "body"), ENCODED.values(), ids=ENCODED)
def test_every_encoding_gives_the_plain_body(encoding, body):
    assert decode(body, encoding, cap=CAP) == PLAIN


@pytest.mark.parametrize(("encoding", "body"), ENCODED.values(), ids=ENCODED)
def test_the_cap_is_the_last_size_that_passes(encoding, body):
    assert decode(body, encoding, cap=len(PLAIN)) == PLAIN
    with pytest.raises(TooLarge):
        decode(body, encoding, cap=len(PLAIN) - 1)


@pytest.mark.parametrize(("encoding", "body"), COMPRESSED.values(), ids=COMPRESSED)
@pytest.mark.parametrize(
    "broken", [lambda body: body[:-3], lambda body: body[:9], lambda _: b"", lambda _: b"{}"]
)
def test_a_broken_stream_is_malformed(encoding, body, broken):
    with pytest.raises(Malformed):
        decode(broken(body), encoding, cap=CAP)


@pytest.mark.parametrize(("encoding", "body"), ENCODED.values(), ids=ENCODED)
def test_a_body_can_be_opened_without_unpacking_it_all(encoding, body):
    assert beginning(body, encoding, size=100) == PLAIN[:100]


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
def test_only_what_is_packed_can_be_opened(encoding):
    with pytest.raises(Malformed):
        beginning(b"what?", encoding, size=100)


MEMBERS = {"gzip": gzip.compress(b"x"), "zstd": zstandard.compress(b"x")}


@pytest.mark.parametrize(("encoding", "member"), MEMBERS.items(), ids=MEMBERS)
def test_sixteen_members_are_unpacked_and_no_more(encoding, member):
    assert decode(member * 16, encoding, cap=CAP) == b"x" * 16
    began = time.process_time()
    with pytest.raises(Malformed):
        decode(member * 60_000, encoding, cap=CAP)
    assert time.process_time() - began < 0.5


ZEROS = bytes(20 << 20)
BOMBS = {
    "gzip": gzip.compress(ZEROS, 1),
    "deflate": zlib.compress(ZEROS, 1),
    "br": brotli.compress(ZEROS, quality=1),
    "zstd": zstd_without_size(ZEROS),
}


@pytest.mark.parametrize(("encoding", "body"), BOMBS.items(), ids=BOMBS)
def test_a_bomb_is_left_alone(encoding, body):
    with pytest.raises(TooLarge):
        decode(body, encoding, cap=CAP)
