"""Whatever an event holds, it is kept, on both databases (`ingest.md` 12)."""

import json

import pytest
from sqlalchemy import select

from app.models import Event, Issue, UndigestedEntry

pytestmark = pytest.mark.both_databases

LONG = "ä€😀" * 999
WORST = {"id": LONG, "email": LONG, "ip_address": LONG, "username": "\0"}
EVENTS = {
    "nothing": {},
    "wrong types": {
        "tags": "a",
        "user": "bob",
        "exception": "boom",
        "level": {},
        "timestamp": [],
        "platform": 7,
    },
    "nulls": dict.fromkeys(("message", "tags", "user", "exception", "level", "extra", "request", "contexts")),
    "NUL bytes": {
        "message": "a\0b",
        "tags": {"a\0": "b\0"},
        "extra": {"\0": "\0"},
        "release": "1\0",
        "logger": "\0",
    },
    "half surrogates": {"message": "\ud83d", "tags": {"a": "\udc00"}, "user": {"id": "\ud800"}},
    "endless texts": {
        **dict.fromkeys(("message", "logger", "platform", "transaction", "server_name", "culprit"), LONG),
        **dict.fromkeys(("release", "dist", "environment", "checksum"), "r" * 9999),
        "tags": {"t" * 200: LONG, LONG: "v"},
        "user": WORST,
        "fingerprint": [LONG] * 9,
        "exception": {"values": [{"type": LONG, "value": LONG, "module": LONG}]},
    },
    "numbers beyond 64 bits": {
        "extra": {"n": 10**40, "f": 1e400},
        "user": {"id": 10**40},
        "tags": {"n": 10**40},
    },
    "odd objects": {
        "user": {"id": {"a": 1}},
        "release": ["a"],
        "environment": {"b": 2},
        "fingerprint": [{}, None],
    },
    "many of everything": {
        "tags": [[f"k{n}", "v"] for n in range(1000)],
        "breadcrumbs": [{"message": "x"}] * 3000,
        "exception": [{"type": f"E{n}", "value": "x"} for n in range(300)],
    },
}


def sent(payload) -> bytes:
    body = json.dumps(payload).replace("Infinity", "1e400")
    return b'{}\n{"type":"event"}\n' + body.encode()


def test_every_event_is_kept_whatever_it_holds(instance):
    ids = {}
    for name, event in EVENTS.items():
        answer = instance.post(sent(event))
        assert answer.status_code == 200, (name, answer.text)
        ids[answer.json["id"]] = name
    instance.digest()
    assert instance.scalars(select(UndigestedEntry.error)) == []
    assert {ids[event_id] for event_id in instance.scalars(select(Event.event_id))} == set(EVENTS)


def test_an_event_with_nothing_usable_has_a_title_too(instance):
    instance.post(sent({}))
    instance.digest()
    assert instance.scalars(select(Issue.title)) == ["<unlabeled event>"]


BROKEN = [b"[]", b'"x"', b"null", b"{", b"", b"[" * 5000, b'{"a":' * 5000, b"\xff\xfe"]


@pytest.mark.parametrize("payload", BROKEN)
@pytest.mark.parametrize("endpoint", ["envelope", "store"])
def test_what_is_no_json_object_is_malformed(instance, payload, endpoint):
    body = (
        b'{}\n{"type":"event","length":%d}\n%s' % (len(payload), payload)
        if endpoint == "envelope"
        else payload
    )
    assert instance.post(body, endpoint=endpoint).status_code == 400
    assert instance.waiting() == 0


ODD_ITEMS = [
    b'{"type":"attachment","filename":{"a":1},"content_type":7}\nx',
    b'{"type":"attachment","filename":"' + b"x" * 999 + b'","attachment_type":"' + b"y" * 999 + b'"}\nx',
    b'{"type":"attachment","filename":"a\\u0000b"}\nx',
    b'{"type":"user_report"}\n[]',
    b'{"type":"user_report"}\n{"event_id":7,"name":["x"],"comments":"ok"}',
    b'{"type":"user_report"}\n{"comments":"a\\u0000b","name":"'
    + b"n" * 999
    + b'","email":"'
    + b"e" * 999
    + b'"}',
    b'{"type":"feedback"}\n{"contexts":[]}',
    b'{"type":"client_report"}\n\x00',
    b'{"type":"check_in"}\nnull',
    b'{"type":"' + b"t" * 9999 + b'"}\nx',
]


@pytest.mark.parametrize("item", ODD_ITEMS)
def test_an_event_does_not_suffer_from_what_comes_with_it(instance, item):
    answer = instance.post(b'{}\n{"type":"event"}\n{"message":"hi"}\n' + item)
    assert answer.status_code == 200, answer.text
    instance.digest()
    assert instance.scalars(select(UndigestedEntry.error)) == []
    assert instance.scalars(select(Event.title)) == ["hi"]
