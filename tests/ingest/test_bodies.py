"""How bodies may be packed, and where the limits are (`ingest.md` 4 and 9)."""

import base64
import gzip
import io
import json
import time
import tracemalloc
import zlib

import brotli
import pytest
import zstandard
from sqlalchemy import select

from app.domain.rejections import TooLarge
from app.ingest import request as requests
from app.ingest.request import Request
from app.models import Attachment, Event
from app.services.events import event_body
from tests.make import envelope, payload


def raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


def zstd_without_size(body: bytes) -> bytes:
    packer = zstandard.ZstdCompressor().compressobj()
    return packer.compress(body) + packer.flush()


PACKINGS = {
    "none": (None, bytes),
    "an empty header": ("", bytes),
    "identity": ("identity", bytes),
    "gzip": ("gzip", gzip.compress),
    "GZip, untrimmed": (" GZip ", gzip.compress),
    "x-gzip": ("x-gzip", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "raw deflate": ("deflate", raw_deflate),
    "br": ("br", brotli.compress),
    "zstd": ("zstd", zstandard.compress),
    "zstd of unknown size": ("zstd", zstd_without_size),
}


@pytest.mark.parametrize(("encoding", "pack"), PACKINGS.values(), ids=PACKINGS)
def test_every_packing_is_kept_as_it_came_and_understood(instance, encoding, pack):
    headers = {} if encoding is None else {"Content-Encoding": encoding}
    answer = instance.post(pack(envelope(payload("KeyError: cart"))), headers=headers)
    assert answer.status_code == 200, answer.text
    instance.digest()
    assert instance.scalars(select(Event.title)) == ["KeyError: cart"]


BOMB = b"\0" * (101 << 20)
BOMBS = {
    "gzip": ("gzip", lambda: gzip.compress(BOMB, 1)),
    "deflate": ("deflate", lambda: zlib.compress(BOMB, 1)),
    "br": ("br", lambda: brotli.compress(BOMB, quality=1)),
    "zstd": ("zstd", lambda: zstandard.compress(BOMB)),
}


@pytest.mark.parametrize(("encoding", "make_bomb"), BOMBS.values(), ids=BOMBS)
def test_a_bomb_is_refused_before_it_goes_off(instance, encoding, make_bomb):
    bomb = make_bomb()
    began = time.process_time()
    assert instance.post(bomb, headers={"Content-Encoding": encoding}).status_code == 413
    assert time.process_time() - began < 3


@pytest.mark.parametrize(("encoding", "make_bomb"), BOMBS.values(), ids=BOMBS)
def test_for_strangers_nothing_is_unpacked(instance, monkeypatch, encoding, make_bomb):
    monkeypatch.setattr("app.ingest.endpoints.decode", None)
    headers = {"Content-Encoding": encoding, "X-Sentry-Auth": ""}
    assert instance.post(make_bomb(), headers=headers).status_code == 401


@pytest.mark.parametrize(("encoding", "pack"), PACKINGS.values(), ids=PACKINGS)
def test_a_packed_envelope_may_name_the_key_in_its_dsn(instance, encoding, pack):
    header = {"dsn": f"https://{instance.key.public}@h/{instance.project.id}"}
    body = json.dumps(header).encode() + b'\n{"type":"event"}\n{"message":"' + b"x" * 300_000 + b'"}'
    headers = {"Content-Encoding": encoding or "", "X-Sentry-Auth": ""}
    assert instance.post(pack(body), headers=headers).status_code == 200


MANY = b"{}," * (3 << 20)
HEADER = b'{"a":[' + MANY[: 60 << 10] + b"{}]}"
HOGS = {
    "a header": (413, b'{"a":[' + MANY + b'{}]}\n{"type":"event"}\n{}'),
    "an item's header": (413, b'{}\n{"type":"event","a":[' + MANY + b"{}]}\n{}"),
    "many headers": (200, b"{}" + (b'\n{"type":"x",' + HEADER[1:] + b"\nx") * 30),
    "many of an item": (200, b'{}\n{"type":"feedback"}\n{"a":[' + MANY + b"{}]}"),
}


@pytest.mark.parametrize(("status", "body"), HOGS.values(), ids=HOGS)
def test_memory_is_in_proportion_to_what_was_sent(instance, status, body):
    packed = gzip.compress(body, 1)
    tracemalloc.start()
    try:
        assert instance.post(packed, headers={"Content-Encoding": "gzip"}).status_code == status
        instance.digest()
        assert tracemalloc.get_traced_memory()[1] < 3 * len(body) + (8 << 20)
    finally:
        tracemalloc.stop()


def test_a_security_report_is_no_larger_than_an_event(instance):
    report = json.dumps({"csp-report": {**CSP, "x": "x" * (1 << 20)}}).encode()
    assert instance.post(report, endpoint="security").status_code == 413


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
@pytest.mark.parametrize("broken", [b"\x1f\x8b\x08garbage", gzip.compress(b"{}" * 999, mtime=0)[:30], b""])
def test_a_corrupt_or_truncated_stream_is_malformed(instance, encoding, broken):
    assert instance.post(broken, headers={"Content-Encoding": encoding}).status_code == 400


def test_900_kilobytes_pass(instance):
    assert instance.post(envelope(payload(extra={"x": "y" * 900_000}))).status_code == 200


@pytest.mark.parametrize(
    "pack", [bytes, base64.b64encode, lambda body: base64.b64encode(zlib.compress(body))]
)
def test_store_takes_json_and_what_raven_made_of_it(instance, pack):
    answer = instance.post(pack(json.dumps(payload("KeyError: cart")).encode()), endpoint="store")
    assert answer.status_code == 200, answer.text
    instance.digest()
    assert instance.scalars(select(Event.title)) == ["KeyError: cart"]


def incoming(body: bytes, **environ: object) -> Request:
    return Request({"REQUEST_METHOD": "POST", "wsgi.input": io.BytesIO(body), **environ}, "1", [])


def test_a_chunked_body_is_read_to_the_end_that_the_server_marks():
    assert incoming(b"abc" * 99_999, **{"wsgi.input_terminated": True}).body() == b"abc" * 99_999


def test_an_unmarked_end_is_not_waited_for():
    assert incoming(b"abc").body() == b""


def test_no_more_than_the_declared_length_is_read():
    assert incoming(b"abcdef", CONTENT_LENGTH="3").body() == b"abc"


@pytest.mark.parametrize("environ", [{"CONTENT_LENGTH": "40000000"}, {"wsgi.input_terminated": True}])
def test_a_body_beyond_the_limit_is_too_large_however_it_is_sent(environ):
    with pytest.raises(TooLarge):
        incoming(b"x" * (requests.MAX_BODY + 1), **environ).body()


def refused(*, known: bool) -> io.BytesIO:
    """What is left to read once a body was too large."""
    stream = io.BytesIO(b"x" * (requests.MAX_BODY + 1))
    request = incoming(b"", CONTENT_LENGTH=str(requests.MAX_BODY + 1), **{"wsgi.input": stream})
    with pytest.raises(TooLarge):
        request.body(known=known)
    return stream


def test_what_is_too_large_is_still_taken_off_the_wire_so_that_its_sender_reads_why():
    assert refused(known=True).read() == b""


def test_strangers_are_not_waited_for():
    assert len(refused(known=False).read()) == requests.MAX_BODY + 1


CSP = {"document-uri": "https://shop.example/cart", "effective-directive": "script-src-elem",
       "blocked-uri": "https://evil.example/x.js"}  # fmt: skip
REPORTS = {
    "csp": ({"csp-report": CSP}, "Content-Security-Policy script-src-elem violated by evil.example"),
    "inline": (
        {"csp-report": {"violated-directive": "style-src 'self'", "blocked-uri": "inline"}},
        "Content-Security-Policy style-src violated by inline",
    ),
    "Reporting API": (
        [
            {
                "type": "csp-violation",
                "body": {"effectiveDirective": "img-src", "blockedURL": "https://a.example/i"},
            }
        ],
        "Content-Security-Policy img-src violated by a.example",
    ),
    "Expect-CT": (
        {"expect-ct-report": {"hostname": "a.example", "failure-mode": "enforce"}},
        "Expect-CT enforce violated by a.example",
    ),
}


@pytest.mark.parametrize(("report", "title"), REPORTS.values(), ids=REPORTS)
def test_a_security_report_becomes_a_message(instance, report, title):
    answer = instance.post(json.dumps(report).encode(), endpoint="security")
    assert answer.status_code == 200, answer.text
    instance.digest()
    [event] = instance.scalars(select(Event))
    assert (event.title, event.type, event.event_id) == (title, "default", answer.json["id"])


@pytest.mark.parametrize("report", [b"[]", b"{}", b"null", b'{"csp-report":1}', b"what?"])
def test_what_is_no_report_is_malformed(instance, report):
    assert instance.post(report, endpoint="csp-report").status_code == 400


def attached(name: str, body: bytes) -> tuple[dict[str, str], bytes]:
    return {"type": "attachment", "filename": name}, body


def test_attachments_beyond_the_limits_are_dropped_and_noted(instance, monkeypatch):
    monkeypatch.setattr("app.services.events.enclosures.MAX_ATTACHMENT", 10)
    items = [attached("big.log", b"x" * 11), *(attached(f"{n}.log", b"x") for n in range(31))]
    assert instance.post(envelope(payload(), items=items)).status_code == 200
    instance.digest()
    assert len(instance.scalars(select(Attachment.id))) == 30
    [event] = instance.scalars(select(Event.body))
    noted = [note["name"] for note in event_body.unpack(event)["errors"] if "attachment" in note["type"]]
    assert noted == ["big.log", "30.log"]
