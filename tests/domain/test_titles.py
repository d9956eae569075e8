from __future__ import annotations

import pytest

from tests.domain.sdk import frame, raised, regular, stack

GROUP = {"exception_id": 0, "is_exception_group": True}
SYNTHETIC = {"synthetic": True}


def member(number: int) -> dict:
    return {"exception_id": number, "parent_id": 0}


TITLES = {
    "type and value": ({"exception": [raised("KeyError", "'CH'")]}, "KeyError: 'CH'"),
    "the last of a chain": ({"exception": [raised("A", "1"), raised("B", "2")]}, "B: 2"),
    "only a type": ({"exception": [raised("KeyError", "")]}, "KeyError"),
    "only a value": ({"exception": [raised(None, "gone")]}, "gone"),
    "the first line": ({"exception": [raised("E", "\n one \ntwo")]}, "E: one"),
    "a long value": ({"exception": [raised("E", "x" * 101)]}, "E: " + "x" * 97 + "..."),
    "a value that just fits": ({"exception": [raised("E", "x" * 100)]}, "E: " + "x" * 100),
    "an exception before a message": ({"message": "m", "exception": [raised("E", "v")]}, "E: v"),
    "a message": ({"message": "Nightly report\nfinished"}, "Nightly report"),
    "a long message": ({"message": "x" * 101}, "x" * 97 + "..."),
    "a message of blanks": ({"message": " \n "}, "<unlabeled event>"),
    "nothing": ({}, "<unlabeled event>"),
    "a group of two": (
        {
            "exception": [
                raised("A", "1", mechanism=member(1)),
                raised("B", "2", mechanism=member(2)),
                raised("G", "two", mechanism=GROUP),
            ]
        },
        "G: two",
    ),
    "a group of one": (
        {"exception": [raised("A", "1", mechanism=member(1)), raised("G", "one", mechanism=GROUP)]},
        "A: 1",
    ),
    "a group of one kind": (
        {
            "exception": [
                raised("A", "n 1", mechanism=member(1)),
                raised("A", "n 2", mechanism=member(2)),
                raised("G", "two", mechanism=GROUP),
            ]
        },
        "A: n 2",
    ),
    "the cause of a group's member": (
        {
            "exception": [
                raised("Cause", "c", mechanism={"exception_id": 2, "parent_id": 1}),
                raised("A", "1", mechanism=member(1)),
                raised("G", "one", mechanism=GROUP),
            ]
        },
        "A: 1",
    ),
    "an empty group": ({"exception": [raised("G", "none", mechanism=GROUP)]}, "G: none"),
    "a native crash": (
        {
            "platform": "native",
            "exception": [
                raised("SIGSEGV", "boom", frame("shop::pay(int)::h0123456789abcdef"), mechanism=SYNTHETIC)
            ],
        },
        "shop::pay",
    ),
    "a native crash without a stack": (
        {"platform": "native", "exception": [raised("SIGSEGV", "boom", mechanism=SYNTHETIC)]},
        "SIGSEGV: boom",
    ),
    "a captured message of a browser": (
        {"platform": "javascript", "exception": [raised(None, "hi", frame("?"), mechanism=SYNTHETIC)]},
        "hi",
    ),
}


@pytest.mark.parametrize(("payload", "title"), TITLES.values(), ids=TITLES)
def test_title(payload, title):
    assert regular(**payload).title == title


LIBRARY = frame("lib", module="lib", in_app=False)
CULPRITS = {
    "transaction": (
        {"transaction": "GET /", "culprit": "c", "exception": [raised("E", "v", frame())]},
        "GET /",
    ),
    "legacy culprit": ({"culprit": "c", "exception": [raised("E", "v", frame())]}, "c"),
    "newest in-app frame": (
        {"exception": [raised("E", "v", frame("a"), frame("b"), LIBRARY)]},
        "shop.cart in b",
    ),
    "none in app": ({"exception": [raised("E", "v", frame("a", in_app=False), LIBRARY)]}, "lib in lib"),
    "the last exception with frames": (
        {"exception": [raised("A", "1", frame("a")), raised("B", "2")]},
        "shop.cart in a",
    ),
    "the event's stack": ({"message": "m", "stacktrace": stack(frame("a"))}, "shop.cart in a"),
    "no module": ({"stacktrace": stack({"filename": "app.rb", "function": "run"})}, "app.rb in run"),
    "no function": ({"stacktrace": stack({"module": "m"})}, "m in ?"),
    "JavaScript": ({"platform": "node", "stacktrace": stack(frame("pay"))}, "pay(shop.cart)"),
    "JavaScript without module": (
        {"platform": "javascript", "stacktrace": stack({"filename": "http://h/a/app.js"})},
        "?(/a/app.js)",
    ),
    "a frame that is nowhere": (
        {
            "platform": "node",
            "stacktrace": stack(frame("decode"), {"function": "JSON.parse", "in_app": True}),
        },
        "decode(shop.cart)",
    ),
    "native": ({"platform": "native", "stacktrace": stack(frame("pay"))}, "pay"),
    "native crash": (
        {"platform": "c", "transaction": "t", "exception": [raised("E", "v", frame(), mechanism=SYNTHETIC)]},
        "",
    ),
    "no frames but a URL": (
        {"exception": [raised()], "request": {"url": "http://h/p?a=1"}},
        "http://h/p?a=1",
    ),
    "nothing": ({"message": "m"}, ""),
    "long": ({"stacktrace": stack(frame("f" * 250))}, "shop.cart in " + "f" * 184 + "..."),
}


@pytest.mark.parametrize(("payload", "culprit"), CULPRITS.values(), ids=CULPRITS)
def test_culprit(payload, culprit):
    assert regular(**payload).culprit == culprit


@pytest.mark.parametrize(
    ("payload", "kind"), [({"exception": [raised()]}, "error"), ({"message": "m"}, "default")]
)
def test_type(payload, kind):
    assert regular(**payload).type == kind
