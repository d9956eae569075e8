from __future__ import annotations

import base64
import json
import zlib

import pytest

from app.domain import envelope
from app.domain.rejections import Malformed, TooLarge

ID = "9ec79c33ec9942ab8353589fcb2e04dc"
DASHED = "9EC79C33-EC99-42AB-8353-589FCB2E04DC"


def types(body: bytes) -> list[str]:
    return [item.type for item in envelope.parse(body).items]


def payloads(body: bytes) -> list[bytes]:
    return [item.payload for item in envelope.parse(body).items]


LEGAL = {
    "an empty header and no item": (b"{}", []),
    "a final newline": (b"{}\n", []),
    "trailing blank lines": (b'{}\n{"type":"session"}\n{}\n\n\n', [b"{}"]),
    "no final newline": (b'{}\n{"type":"session"}\n{"a":1}', [b'{"a":1}']),
    "a length": (b'{}\n{"type":"attachment","length":3}\na\nb\n', [b"a\nb"]),
    "a length up to the end": (b'{}\n{"type":"attachment","length":3}\na\nb', [b"a\nb"]),
    "a length of nothing": (
        b'{}\n{"type":"attachment","length":0}\n\n{"type":"session"}\n{}',
        [b"", b"{}"],
    ),
    "a length of nothing at the end": (b'{}\n{"type":"attachment","length":0}', [b""]),
    "an empty payload without length": (b'{}\n{"type":"session"}\n\n{"type":"x"}\n1', [b"", b"1"]),
    "a carriage return in the payload": (b'{}\n{"type":"session"}\n{}\r\n', [b"{}\r"]),
    "an attachment ahead of its event": (
        b'{}\n{"type":"attachment","length":1}\nA\n{"type":"event"}\n{}',
        [b"A", b"{}"],
    ),
    "an unknown type": (b'{}\n{"type":"of tomorrow"}\n\xff\xfe', [b"\xff\xfe"]),
    "unknown members": (b'{"x":[1],"trace":{}}\n{"type":"session","y":null}\n{}', [b"{}"]),
    "half a surrogate pair in the header": (b'{"trace":{"t":"\\ud83d"}}\n{"type":"x"}\n', [b""]),
}


@pytest.mark.parametrize(("body", "items"), LEGAL.values(), ids=LEGAL)
def test_legal(body, items):
    assert payloads(body) == items


MALFORMED = {
    "nothing": b"",
    "no JSON": b"hello",
    "a list for a header": b"[]\n",
    "a text for a header": b'"x"',
    "an item header that is no JSON": b"{}\nboom\n{}",
    "an item header that is a list": b"{}\n[]\n{}",
    "an item without a type": b'{}\n{"length":1}\nx',
    "a type that is a number": b'{}\n{"type":1}\nx',
    "a negative length": b'{}\n{"type":"event","length":-1}\n{}',
    "a length with a fraction": b'{}\n{"type":"event","length":2.0}\n{}',
    "a length as text": b'{}\n{"type":"event","length":"2"}\n{}',
    "a length as truth": b'{}\n{"type":"event","length":true}\n{}',
    "a huge length": b'{}\n{"type":"event","length":99999999999999999999}\n{}',
    "fewer bytes than the length": b'{}\n{"type":"attachment","length":9}\nx',
    "more bytes than the length": b'{}\n{"type":"attachment","length":1}\nxy\n',
    "an event id that is none": b'{"event_id":"abc"}\n',
    "an event id that is a number": b'{"event_id":12}\n',
    "a blank line between items": b'{}\n{"type":"session"}\n{}\n\n{"type":"session"}\n{}',
    "an event that is a list": b'{}\n{"type":"event"}\n[]',
    "an event that is a text": b'{}\n{"type":"event"}\n"x"',
    "an event that is null": b'{}\n{"type":"event"}\nnull',
    "an event that is broken off": b'{}\n{"type":"event"}\n{"a":',
    "an event without a payload": b'{}\n{"type":"event"}\n',
    "an event nested too deeply": b'{}\n{"type":"event"}\n' + b'{"a":' * 200 + b"1" + b"}" * 200,
    "an event nested endlessly": b'{}\n{"type":"event"}\n' + b"[" * 200_000,
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
def test_malformed(body):
    with pytest.raises(Malformed):
        envelope.parse(body)


def event_of(size: int) -> bytes:
    frame = b'{"message":"%s"}'
    return b'{}\n{"type":"event"}\n' + frame % (b"x" * (size - len(frame) + 2))


def test_an_event_of_a_mebibyte_passes_and_no_larger_one():
    assert envelope.parse(event_of(1 << 20)).event is not None
    with pytest.raises(TooLarge):
        envelope.parse(event_of((1 << 20) + 1))


def test_a_large_attachment_is_no_large_event():
    assert types(b'{}\n{"type":"attachment"}\n' + b"x" * (2 << 20)) == ["attachment"]


def test_a_thousand_items_pass_and_no_more():
    item = b'\n{"type":"session"}\n{}'
    assert len(types(b"{}" + item * 1000)) == 1000
    with pytest.raises(TooLarge):
        envelope.parse(b"{}" + item * 1001)


IDS = {
    "plain in the header": ({"event_id": ID}, {}, ID),
    "dashed and upper-case in the header": ({"event_id": DASHED}, {}, ID),
    "only in the payload": ({}, {"event_id": DASHED}, ID),
    "the header wins": ({"event_id": ID}, {"event_id": "f" * 32}, ID),
    "null in the header": ({"event_id": None}, {"event_id": ID}, ID),
    "none that is usable in the payload": ({}, {"event_id": "abc"}, None),
    "of a wrong type in the payload": ({}, {"event_id": {}}, None),
    "nowhere": ({}, {}, None),
}


@pytest.mark.parametrize(("header", "payload", "event_id"), IDS.values(), ids=IDS)
def test_event_id(header, payload, event_id):
    body = b'%s\n{"type":"event"}\n%s' % (json.dumps(header).encode(), json.dumps(payload).encode())
    assert envelope.parse(body).event_id == event_id


def test_of_two_events_the_first_counts():
    body = b'{}\n{"type":"event"}\n{"message":"one"}\n{"type":"event"}\n{"message":"two"}'
    assert envelope.parse(body).event.payload == b'{"message":"one"}'


def test_an_event_that_calls_itself_a_transaction_is_one():
    parsed = envelope.parse(b'{}\n{"type":"event"}\n{"type":"transaction"}')
    assert (parsed.event, parsed.items[0].type) == (None, "transaction")


def test_a_careless_event_is_still_an_event():
    assert envelope.parse(b'{}\n{"type":"event"}\n{"extra":NaN,"message":"\xff"}').event is not None


EVENT = json.dumps({"event_id": DASHED, "message": "hi"}).encode()
STORED = {
    "JSON": EVENT,
    "JSON with blanks around": b" \r\n" + EVENT + b"\n",
    "base64 of JSON": base64.b64encode(EVENT),
    "base64 of compressed JSON": base64.b64encode(zlib.compress(EVENT)),
    "base64 out of a query": base64.b64encode(zlib.compress(EVENT)).replace(b"+", b" "),
}


@pytest.mark.parametrize("body", STORED.values(), ids=STORED)
def test_store(body):
    parsed = envelope.from_store(body)
    assert (parsed.event_id, types_of(parsed)) == (ID, ["event"])


def types_of(parsed: envelope.Envelope) -> list[str]:
    return [item.type for item in parsed.items]


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"%%%", b"{", base64.b64encode(b"[1]")])
def test_store_refuses_what_is_no_object(body):
    with pytest.raises(Malformed):
        envelope.from_store(body)


def test_store_refuses_what_inflates_beyond_the_limit():
    with pytest.raises(TooLarge):
        envelope.from_store(base64.b64encode(zlib.compress(b"{" + b" " * (2 << 20))))


@pytest.mark.parametrize("body", [b"%s", b"{}\n%s\nx"], ids=["envelope", "item"])
def test_a_header_is_at_most_64_kilobytes_long(body):
    def header(size: int) -> bytes:
        return b'{"type":"x"' + b" " * (size - 12) + b"}"

    assert envelope.parse(body % header(1 << 16))
    with pytest.raises(TooLarge):
        envelope.parse(body % header((1 << 16) + 1))


def test_of_the_headers_of_items_only_what_is_used_is_kept():
    header = b'{"type":"attachment","filename":"a.log","content_type":["x"],"more":{"x":[1]}}'
    [item] = envelope.parse(b"{}\n" + header + b"\nx").items
    assert item.headers == {"filename": "a.log"}
