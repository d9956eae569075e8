"""Which events are one issue, and which are not."""

from __future__ import annotations

import pytest

from app.domain.frame_parts import Part, part_of, without_arguments
from tests.domain.sdk import frame, raised, regular, stack

ERROR = {"exception": [raised("KeyError", "'CH'", frame("view"), frame("tax"))]}


def hash_of(payload: dict) -> str:
    return regular(**payload).hash


def thrown(*frames, kind="E", value="v", **members) -> dict:
    return {"exception": [raised(kind, value, *frames, **members)]}


def said(message: str, *params) -> dict:
    return {"logentry": {"message": message, "params": list(params)}}


def browser(function: str, url: str, **members) -> dict:
    return {"filename": url, "function": function, "in_app": True, **members}


SYNTHETIC = {"synthetic": True}
GROUP = {"exception_id": 0, "is_exception_group": True}


def group_of(*members: dict) -> dict:
    leaves = [
        {**each, "mechanism": {"exception_id": number, "parent_id": 0}}
        for number, each in enumerate(members, start=1)
    ]
    return {"exception": [*leaves, raised("Group", f"{len(leaves)} errors", mechanism=GROUP)]}


ONE_ISSUE = {
    "other lines, addresses and variables": (
        thrown(frame("a", lineno=1, colno=2, vars={"x": 1}, instruction_addr="0x1", abs_path="/a/x.py")),
        thrown(frame("a", lineno=9, colno=8, vars={"x": 2}, instruction_addr="0x2", abs_path="/b/x.py")),
    ),
    "another value": (thrown(frame("a"), value="'CH'"), thrown(frame("a"), value="'NO'")),
    "other library frames": (
        thrown(frame("a"), frame("lib1", in_app=False)),
        thrown(frame("a"), frame("lib2", in_app=False)),
    ),
    "another level, release, server, user and transaction": (
        ERROR,
        ERROR
        | {
            "level": "fatal",
            "release": "2",
            "server_name": "b",
            "user": {"id": 1},
            "transaction": "t",
            "tags": {"a": "b"},
            "environment": "e",
        },
    ),
    "deeper recursion": (
        thrown(frame("start"), *[frame("walk", lineno=1)] * 5),
        thrown(frame("start"), *[frame("walk", lineno=1)] * 90),
    ),
    "no stack, other numbers": (thrown(value="parcel 88127"), thrown(value="parcel 1")),
    "one template": (said("no order %s for %s", 1, "ana"), said("no order %s for %s", 2, "bob")),
    "a finished message with other numbers": (
        {"message": "gave up after 3021ms"},
        {"message": "gave up after 88ms"},
    ),
    "one fingerprint": (ERROR | {"fingerprint": ["pay"]}, said("down") | {"fingerprint": ["pay"]}),
    "the default fingerprint": (ERROR, ERROR | {"fingerprint": ["{{ default }}"]}),
    "the default fingerprint without blanks": (ERROR, ERROR | {"fingerprint": ["{{default}}"]}),
    "fingerprints of other types": (
        ERROR | {"fingerprint": [True, 1.9]},
        ERROR | {"fingerprint": ["True", "1"]},
    ),
    "a fingerprint of nothing": (ERROR, ERROR | {"fingerprint": [None, {}]}),
    "one checksum": (ERROR | {"checksum": "a" * 32}, said("x") | {"checksum": "a" * 32}),
    "other bundle hashes and pages": (
        thrown(browser("f", "http://a/assets/app.3f2a91bc.js")) | {"platform": "javascript"},
        thrown(browser("f", "https://b/x/app.77aa0f1e.js?v=2")) | {"platform": "javascript"},
    ),
    "inline scripts of other pages": (
        thrown(browser("f", "http://a/checkout/17")) | {"platform": "javascript"},
        thrown(browser("f", "http://a/cart")) | {"platform": "javascript"},
    ),
    "a group with its members in another order": (
        group_of(raised("A", "1"), raised("B", "2")),
        group_of(raised("B", "2"), raised("A", "1")),
    ),
    "a group with more of the same": (
        group_of(raised("A", "1")),
        group_of(raised("A", "2"), raised("A", "3")),
    ),
    "a chain whose cause has no stack": (
        {"exception": [raised("Cause", "one"), raised("E", "v", frame("a"))]},
        {"exception": [raised("Cause", "other"), raised("E", "v", frame("a"))]},
    ),
    "events of nothing": ({}, {"user": {"id": 1}}),
    "a source line with other blanks": (
        thrown(frame("a", context_line="  x = 1")) | {"platform": "python"},
        thrown(frame("a", context_line="x  =  1")) | {"platform": "python"},
    ),
    "a native value": (
        thrown(frame("a"), value="1", mechanism=SYNTHETIC) | {"platform": "native"},
        thrown(frame("a"), value="other", mechanism=SYNTHETIC) | {"platform": "native"},
    ),
}


@pytest.mark.parametrize(("one", "other"), ONE_ISSUE.values(), ids=ONE_ISSUE)
def test_one_issue(one, other):
    assert hash_of(one) == hash_of(other)


TWO_ISSUES = {
    "another type": (thrown(frame("a"), kind="A"), thrown(frame("a"), kind="B")),
    "another function": (thrown(frame("a")), thrown(frame("b"))),
    "another module": (thrown(frame("a", module="m")), thrown(frame("a", module="n"))),
    "reached through another view": (thrown(frame("x"), frame("t")), thrown(frame("y"), frame("t"))),
    "two raise statements of one function": (
        thrown(frame("a", context_line="raise A(1)")) | {"platform": "python"},
        thrown(frame("a", context_line="raise A(2)")) | {"platform": "python"},
    ),
    "no stack, other text": (thrown(value="no carrier"), thrown(value="refused")),
    "fingerprints with a default part": (
        ERROR | {"fingerprint": ["{{ default }}", "eu"]},
        ERROR | {"fingerprint": ["{{ default }}", "us"]},
    ),
    "a fingerprint and the default": (ERROR, ERROR | {"fingerprint": ["{{ default }}", "eu"]}),
    "synthetic values": (
        thrown(frame("a"), value="a string", mechanism=SYNTHETIC) | {"platform": "node"},
        thrown(frame("a"), value="an object", mechanism=SYNTHETIC) | {"platform": "node"},
    ),
    "messages with equal numbers": (
        {"message": "charge failed: code=502"},
        {"message": "charge skipped: code=502"},
    ),
    "messages from one helper": (
        {"message": "one", "stacktrace": stack(frame("log"))},
        {"message": "two", "stacktrace": stack(frame("log"))},
    ),
    "a cause more": (
        {"exception": [raised("E", "v", frame("a"))]},
        {"exception": [raised("C", "c", frame("b")), raised("E", "v", frame("a"))]},
    ),
    "templates": (
        {"template": {"filename": "a.html", "context_line": "{{ x }}"}},
        {"template": {"filename": "b.html", "context_line": "{{ x }}"}},
    ),
    "group members": (group_of(raised("A", "1")), group_of(raised("B", "1"))),
}


@pytest.mark.parametrize(("one", "other"), TWO_ISSUES.values(), ids=TWO_ISSUES)
def test_two_issues(one, other):
    assert hash_of(one) != hash_of(other)


FILLED = {
    "{{ type }}": "KeyError",
    "{{ error.type }}": "KeyError",
    "{{ value }}": "'CH'",
    "{{ message }}": "'CH'",
    "{{ transaction }}": "GET /",
    "{{ level }}": "error",
    "{{ release }}": "<no-release>",
    "{{ function }}": "tax",
    "{{ stack.function }}": "tax",
    "{{ module }}": "shop.cart",
    "{{ stack.package }}": "<no-package>",
    "{{ tags.region }}": "eu",
    "{{ tags.none }}": "<no-value-for-tag-none>",
    "{{ logger }}": "<no-logger>",
    "{{ unknown }}": "{{ unknown }}",
    "on {{type}}!": "on KeyError!",
}


@pytest.mark.parametrize(("entry", "text"), FILLED.items())
def test_variables_in_a_fingerprint(entry, text):
    event = ERROR | {"transaction": "GET /", "tags": {"region": "eu"}}
    assert hash_of(event | {"fingerprint": [entry, "x"]}) == hash_of(event | {"fingerprint": [text, "x"]})


def test_an_unknown_variable_stays_as_written():
    assert regular(message="x", fingerprint=["{{unknown}} a"]).grouping.endswith(": {{unknown}} a")


def test_the_explanation_names_the_variant_and_its_parts():
    made = regular(**ERROR)
    assert made.grouping == "exception with its stack: KeyError; shop.cart view; shop.cart tax"
    assert (len(made.hash), made.hash_version) == (32, 1)
    assert regular(message="worker 7 died").grouping == "message: worker <int> died"
    assert regular(message="x", fingerprint=["a"]).grouping == "fingerprint of the client: a"


PLACES = {
    "a module": ("python", {"module": "shop.cart", "filename": "cart.py"}, "shop.cart"),
    "main": ("python", {"module": "__main__", "filename": "bin/Run.py"}, "__main__:run.py"),
    "a file": ("ruby", {"filename": "lib/App.rb"}, "app.rb"),
    "a Windows file": ("csharp", {"filename": "C:\\src\\Cart.cs"}, "cart.cs"),
    "a hashed script": ("javascript", {"filename": "/assets/app.3f2a91bc.js"}, "app.<hash>.js"),
    "a script that is a hash": ("javascript", {"filename": "/3f2a91bc.chunk.js"}, "<hash>.chunk.js"),
    "a word of hexadecimal letters": ("javascript", {"filename": "/facade.js"}, "facade.js"),
    "a module that repeats the path": (
        "javascript",
        {"module": "assets/app", "filename": "/assets/app.js"},
        "app.js",
    ),
    "a module of node": (
        "node",
        {"module": "routes:orders", "filename": "/srv/routes/orders.js"},
        "routes:orders",
    ),
    "a page": ("javascript", {"filename": "/checkout/17", "abs_path": "http://h/checkout/17"}, ""),
    "a script's URL": ("javascript", {"filename": "/a.mjs", "abs_path": "http://h/a.mjs?v=1"}, "a.mjs"),
    "anonymous": ("javascript", {"filename": "<anonymous>"}, ""),
    "native code": ("javascript", {"filename": "[native code]"}, ""),
    "a Java lambda": ("java", {"module": "shop.Cart$$Lambda$14/0x1"}, "shop.Cart"),
    "a Java accessor": ("java", {"module": "jdk.GeneratedMethodAccessor42"}, "jdk.GeneratedMethodAccessor"),
    "a Java proxy": ("java", {"module": "shop.Cart$$EnhancerBySpringCGLIB$$a1b2"}, "shop.Cart"),
}


@pytest.mark.parametrize(("platform", "members", "where"), PLACES.values(), ids=PLACES)
def test_where_a_frame_is(platform, members, where):
    assert part_of(members, platform).where == where


FUNCTIONS = [
    ("node", "Object.ship", "ship"),
    ("node", "new Cart", "Cart"),
    ("node", "async Cart.pay [as run]", "pay"),
    ("node", "Object.<anonymous>", ""),
    ("javascript", "?", ""),
    ("javascript", "eval", ""),
    ("ruby", "block (2 levels) in build", "build"),
    ("ruby", "rescue in block in build", "build"),
    ("ruby", "_app_views_cart_erb__1234_5678", "_app_views_cart_erb"),
    ("go", "main.func2.1", "main.func"),
    ("java", "lambda$pay$0", ""),
    ("php", "class@anonymous/srv/a.php:7$0::run", "run"),
    ("native", "shop::pay(int, char)", "shop::pay"),
    ("rust", "shop::pay::h0123456789abcdef", "shop::pay"),
    ("native", "<redacted>", ""),
    ("python", "<lambda>", "<lambda>"),
]


@pytest.mark.parametrize(("platform", "name", "function"), FUNCTIONS)
def test_functions(platform, name, function):
    assert part_of({"function": name}, platform).function == function


@pytest.mark.parametrize(
    ("name", "bare"),
    [
        ("(anonymous namespace)::f(int)", "(anonymous namespace)::f"),
        ("f(g(int)) const", "f"),
        ("f", "f"),
        (")", ")"),
    ],
)
def test_argument_lists_are_cut(name, bare):
    assert without_arguments(name) == bare


SOURCES = [
    ("python", "  raise  A ", "raise A"),
    ("ruby", "x" * 120, "x" * 120),
    ("php", "x" * 121, ""),
    ("go", "x := 1", ""),
]


@pytest.mark.parametrize(("platform", "line", "source"), SOURCES)
def test_source_lines(platform, line, source):
    assert part_of({"function": "f", "context_line": line}, platform).source == source


def test_a_nameless_frame_of_a_page_has_no_source():
    page = {"filename": "/", "abs_path": "http://h/", "context_line": "<script>x()</script>"}
    assert part_of(page, "javascript") == Part("", "", "")


def test_a_single_nameless_script_frame_is_no_stack():
    nameless = browser("?", "http://h/app.js")
    one = thrown(nameless, value="a 1") | {"platform": "javascript"}
    other = thrown(value="a 2") | {"platform": "javascript"}
    assert hash_of(one) == hash_of(other)


def test_the_platform_of_a_frame_counts_before_that_of_the_event():
    assert part_of({"function": "a.b", "platform": "node"}, "python").function == "b"
