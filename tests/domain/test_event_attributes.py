"""What an event has under each name that rules can ask for; missing and broken data have no values."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import event as events
from app.domain.event import Receipt
from app.domain.event_attributes import tag_values, values
from app.domain.rule_parts import ATTRIBUTES
from tests.make import exception, payload
from tests.support.growth import growth

SENT = payload(
    "KeyError: cart",
    exception={
        "values": [
            exception("OSError", "disk") | {"mechanism": {"type": "generic", "handled": True}},
            exception("KeyError", "cart") | {"mechanism": {"type": "flask", "handled": False}},
        ]
    },
    message="Order 7 failed",
    user={
        "id": "7",
        "email": "ann@example.org",
        "username": "ann",
        "ip_address": "192.0.2.7",
        "plan": "gold",
    },
    contexts={"response": {"status_code": 502}},
    sdk={"name": "sentry.python.flask", "version": "2"},
    extra={"cart": {"size": 3, "sku.codes": ["a", "b"]}, "flag": True, "a.b": "dotted"},
)
RECEIPT = Receipt("a" * 32, datetime(2026, 11, 20, tzinfo=UTC))
EVENT = events.regular(SENT, RECEIPT)

FOUND = {
    "message": ["Order 7 failed", "KeyError: cart", "shop.cart.checkout"],
    "platform": ["python"],
    "environment": ["production"],
    "type": ["error"],
    "exception.type": ["OSError", "KeyError"],
    "exception.value": ["disk", "cart"],
    "user.id": ["7"],
    "user.email": ["ann@example.org"],
    "user.username": ["ann"],
    "user.ip_address": ["192.0.2.7"],
    "user.plan": ["gold"],
    "user.moon": [],
    "http.method": ["POST"],
    "http.url": ["https://shop.example.org/cart"],
    "http.status_code": ["502"],
    "stacktrace.module": ["flask.app", "shop.cart"] * 2,
    "stacktrace.filename": ["flask/app.py", "shop/cart.py"] * 2,
    "stacktrace.package": [],
    "error.handled": ["false"],
    "error.unhandled": ["true"],
    "sdk.name": ["sentry.python.flask"],
    "extra.cart.size": ["3"],
    "extra.cart.sku.codes": ["a", "b"],
    "extra.cart": [],
    "extra.flag": ["true"],
    "extra.a.b": ["dotted"],
    "extra.moon.phase": [],
}


@pytest.mark.parametrize(("name", "expected"), FOUND.items(), ids=FOUND)
def test_what_an_event_has(name, expected):
    assert values(EVENT.data, name) == expected


def test_code_is_every_line_around_every_frame():
    lines = values(EVENT.data, "stacktrace.code")
    assert '    total = session["cart"].total' in lines
    assert "def checkout(session):" in lines
    assert len(lines) == 6


def test_what_does_not_say_whether_it_was_handled_has_no_value():
    plain = events.regular(payload(), RECEIPT).data
    assert values(plain, "error.handled") == values(plain, "error.unhandled") == []


def test_an_event_without_an_exception_is_of_the_default_type():
    data = events.regular({"message": "hello"}, RECEIPT).data
    assert (values(data, "type"), values(data, "message")) == (["default"], ["hello"])


def test_an_unknown_attribute_is_an_error():
    with pytest.raises(KeyError):
        values(EVENT.data, "moon.phase")


def test_names_of_tags_have_no_case():
    assert tag_values(EVENT.data, EVENT.tags, "BROWSER") == ["Firefox 128"]
    assert tag_values(EVENT.data, EVENT.tags, "engine") == []


def test_some_members_of_an_event_count_as_tags():
    assert tag_values(EVENT.data, EVENT.tags, "transaction") == ["shop.cart.checkout"]
    assert tag_values(EVENT.data, EVENT.tags, "url") == ["https://shop.example.org/cart"]
    assert tag_values(EVENT.data, EVENT.tags, "user") == ["id:7"]
    assert tag_values(EVENT.data, (("url", "mine"),), "url") == ["mine"]


@pytest.mark.parametrize("data", [{}, {"": {"": {"": {}}}}, {"a": {"a": {"a.a": {"b": 1}}}}])
def test_a_path_with_many_dots_costs_no_more_than_what_is_there(data):
    longest = "a." * 8_000
    assert growth(lambda path: values({"extra": data}, f"extra.{path}"), longest, times=8) < 24


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "values", "stacktrace", "frames", "data", "a"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)
sent = st.dictionaries(
    st.sampled_from(
        ["exception", "user", "request", "contexts", "extra", "threads", "logentry", "sdk", "tags"]
    ),
    anything,
    max_size=5,
)


@given(sent, st.sampled_from([*ATTRIBUTES, "extra.a.b", "user.data", "user.a"]))
def test_no_event_makes_it_fail(payload, name):
    event = events.regular(payload, RECEIPT)
    assert all(isinstance(value, str) for value in values(event.data, name))
    assert tag_values({}, (), name) == []
    assert values({}, name) in ([], ["default"])
