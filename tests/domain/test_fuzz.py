"""Whatever comes in: nothing breaks, no secret stays, and only what is refused is refused."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain import decoding, envelope, event, search
from app.domain.normalising import _EVENT
from app.domain.rejections import Malformed, TooLarge
from app.domain.scrubbing import scrubber
from app.domain.secrets import FILTERED
from tests.domain.sdk import RECEIPT, frame, raised

SWIFT = settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12)
NAMES = st.sampled_from(
    ["values", "frames", "type", "value", "stacktrace", "mechanism", "id", "timestamp", "data", "headers",
     "cookies", "env", "params", "message", "formatted", "filename", "vars", "ip_address", "parent_id",
     "exception_id", "is_exception_group", "password", "X-Token", "url", "query_string", "settings"]
)  # fmt: skip
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(NAMES | st.text(max_size=6), inner, max_size=4)
    ),
    max_leaves=10,
)
PAYLOADS = st.dictionaries(st.sampled_from(sorted(_EVENT)) | st.just("timestamp"), JSON, max_size=6)


@SWIFT
@given(PAYLOADS)
def test_no_event_fails_and_all_of_it_is_stored_as_json(payload):
    made = event.regular(payload, RECEIPT)
    assert len(made.hash) == 32
    assert made.title
    assert json.loads(json.dumps(made.data, allow_nan=True)) == made.data or "NaN" in json.dumps(made.data)


@SWIFT
@given(st.sampled_from(["extra", "contexts", "request", "tags"]), JSON)
def test_no_value_stays_under_a_sensitive_key(member, value):
    made = event.regular({member: {"a": value, "data": value, "token": value}}, RECEIPT)
    assert list(leaks(made.data.get(member, {}))) == []


@SWIFT
@given(JSON)
def test_variables_keep_no_secret_either(value):
    holder = {"exception": [raised("E", "v", frame(vars={"a": value, "password": value}))]}
    [kept] = event.regular(holder, RECEIPT).data["exception"][0]["stacktrace"]["frames"]
    assert list(leaks(kept.get("vars", {}))) == []


def leaks(value: Any, *, under_secret: bool = False):
    """What is found under a sensitive key, other than the mark that something was there."""
    if isinstance(value, dict):
        for key, member in value.items():
            yield from leaks(member, under_secret=under_secret or scrubber().is_sensitive(key))
    elif isinstance(value, list):
        for member in value:
            yield from leaks(member, under_secret=under_secret)
    elif under_secret and value not in (None, FILTERED):
        yield value


@SWIFT
@given(
    st.lists(
        st.sampled_from([b"{}", b"\n", b'{"type":"event"', b',"length":', b"3", b"}", b"-1", b"[", b"\xff"])
    )
)
def test_an_envelope_is_read_or_refused(pieces):
    with suppress(Malformed, TooLarge):
        envelope.parse(b"".join(pieces))


@SWIFT
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body):
    for read in (envelope.parse, envelope.from_store, event.load):
        with suppress(Malformed, TooLarge):
            read(body)


@SWIFT
@given(st.binary(max_size=200), st.sampled_from(["gzip", "deflate", "br", "zstd"]))
def test_any_bytes_are_decoded_or_refused(body, encoding):
    with suppress(Malformed, TooLarge):
        decoding.decode(body, encoding, cap=1000)


@SWIFT
@given(st.text(max_size=60))
def test_any_search_is_understood_or_explained(text):
    with suppress(search.BadSearch):
        search.parse(text)


def test_deep_data_does_not_fail_an_event():
    deep: Any = 1
    for _ in range(600):
        deep = {"a": [deep]}
    made = event.regular({"extra": {"x": deep}, "request": {"data": "[" * 900 + "]" * 900}}, RECEIPT)
    assert "extra" in made.data
