from __future__ import annotations

import pytest

from app.domain.rejections import Malformed
from app.domain.tolerant_json import read, read_object

READ = {
    "sound": (b'{"a":[1,2.5,"\xc3\xa9",null,true]}', {"a": [1, 2.5, "é", None, True]}),
    "constants of old Python clients": (b"[NaN,Infinity,-Infinity]", [None, None, None]),
    "half a surrogate pair": (b'["\\ud83d"]', ["\ufffd"]),
    "half a pair in a key": (b'{"\\ud83d":1}', {"\ufffd": 1}),
    "a whole pair": (b'["\\ud83d\\ude00"]', ["😀"]),
    "NUL": (b'{"a\\u0000":"b\\u0000c"}', {"a": "bc"}),
    "bytes that are no UTF-8": (b'["caf\xe9"]', ["caf\ufffd"]),
    "an endless integer": (b"[" + b"9" * 5000 + b"]", ["9" * 5000]),
    "a float beyond all bounds": (b"[1e999]", [None]),
    "a byte order mark": (b"\xef\xbb\xbf[]", []),
    "a text full of brackets": (b'["' + b"[" * 500 + b"{" * 500 + b'"]', ["[" * 500 + "{" * 500]),
    "a hundred levels": (b"[" * 100 + b"]" * 100, eval("[" * 100 + "]" * 100)),
}


@pytest.mark.parametrize(("payload", "value"), READ.values(), ids=READ)
def test_read(payload, value):
    assert read(payload) == value


BROKEN = [b"", b"{", b"[1,]", b"{'a':1}", b"nope", b"[" * 101 + b"]" * 101, b"[" * 100_000, b'{"a":"\n"}']


@pytest.mark.parametrize("payload", BROKEN)
def test_broken(payload):
    with pytest.raises(Malformed):
        read(payload)


@pytest.mark.parametrize("payload", [b"[]", b'"x"', b"null", b"7"])
def test_only_an_object_is_an_object(payload):
    with pytest.raises(Malformed, match="the event is not a JSON object"):
        read_object(payload, "the event")
