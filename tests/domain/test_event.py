"""What becomes of the members of an event, the sound ones and the broken ones."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.domain import event, timestamps
from app.domain.rejections import Malformed
from tests.domain.sdk import NOW, RECEIPT, frame, noted, raised, regular, stack

BROKEN = {
    "tags as text": ({"tags": "a"}, ["tags"]),
    "a user as text": ({"user": "bob"}, ["user"]),
    "an exception as text": ({"exception": "boom"}, ["exception"]),
    "a level as object": ({"level": {}}, ["level"]),
    "an unknown level": ({"level": "loud"}, ["level"]),
    "frames that are null": ({"stacktrace": {"frames": [None]}}, ["stacktrace.frames.0"]),
    "exceptions that are null": ({"exception": {"values": [None]}}, ["exception.0"]),
    "breadcrumbs as text": ({"breadcrumbs": ["a", {"message": "b"}]}, ["breadcrumbs.0"]),
    "a mechanism as text": (
        {"exception": [raised(mechanism="generic")]},
        ["exception.0.mechanism"],
    ),
    "a line number as text": (
        {"exception": [raised("E", "v", frame(lineno="first"))]},
        ["exception.0.stacktrace.frames.0.lineno"],
    ),
    "an address that is none": ({"user": {"ip_address": "999.1.1.1"}}, ["user.ip_address"]),
    "a time that is none": ({"timestamp": "yesterday"}, ["timestamp"]),
    "a breadcrumb's time": ({"breadcrumbs": [{"timestamp": "x"}]}, ["breadcrumbs.0.timestamp"]),
    "a fingerprint as text": ({"fingerprint": "a"}, ["fingerprint"]),
    "a fingerprint of objects": ({"fingerprint": [{}, None]}, ["fingerprint.0", "fingerprint.1"]),
    "an empty key": ({"extra": {"": 1}}, ["extra."]),
    "an empty tag": ({"tags": {"": "x"}}, ["tags."]),
    "a nested tag": ({"tags": {"a": {"b": 1}}}, ["tags.a"]),
    "a context as text": ({"contexts": {"os": "Linux"}}, ["contexts.os"]),
    "modules as list": ({"modules": ["a"]}, ["modules"]),
    "a request as text": ({"request": "GET /"}, ["request"]),
    "an environment with a slash": ({"environment": "a/b"}, ["environment"]),
    "a distribution with blanks": ({"dist": "a b"}, ["dist"]),
    "a logger of two lines": ({"logger": "a\nb"}, ["logger"]),
}


@pytest.mark.parametrize(("payload", "names"), BROKEN.values(), ids=BROKEN)
def test_a_broken_member_is_dropped_and_named(payload, names):
    assert noted(regular(**payload)) == names


def test_an_event_with_nothing_usable_is_still_an_event():
    made = event.regular({}, RECEIPT)
    assert (made.title, made.level, made.platform, made.type) == (
        "<unlabeled event>",
        "error",
        "other",
        "default",
    )
    assert (made.environment, made.culprit, made.user, made.user_ident) == ("", "", None, None)


def test_problems_the_sdk_reports_come_before_our_notes():
    made = regular(errors=[{"type": "clock_drift"}], level={})
    assert made.data["errors"] == [{"type": "clock_drift"}, {"type": "invalid_data", "name": "level"}]


def test_notes_have_an_end():
    assert len(noted(regular(breadcrumbs=["x"] * 3000))) <= 100


def test_the_newest_hundred_breadcrumbs_are_kept():
    kept = regular(breadcrumbs={"values": [{"message": str(n)} for n in range(3000)]}).data["breadcrumbs"]
    assert (len(kept), kept[0]["message"], kept[-1]["message"]) == (100, "2900", "2999")


def test_a_chain_of_three_hundred_exceptions_keeps_its_end():
    chain = [raised("E", str(n), mechanism={"exception_id": n, "parent_id": n - 1}) for n in range(300)]
    kept = regular(exception=chain)
    assert (len(kept.data["exception"]), kept.title) == (50, "E: 299")


def test_parents_that_turn_in_circles_do_no_harm():
    circle = [
        raised("A", "1", mechanism={"exception_id": 1, "parent_id": 2, "is_exception_group": True}),
        raised("B", "2", mechanism={"exception_id": 2, "parent_id": 1, "is_exception_group": True}),
    ]
    assert regular(exception=circle).title == "B: 2"


LEVELS = {
    "fatal": "fatal", "critical": "fatal", "warn": "warning", "log": "info", "Debug": "debug", None: "error",
    10: "debug", 20: "info", 30: "warning", 40: "error", 50: "fatal", "40": "error", 99: "error",
}  # fmt: skip


@pytest.mark.parametrize(("sent", "level"), LEVELS.items(), ids=str)
def test_level(sent, level):
    assert regular(level=sent).level == level


@pytest.mark.parametrize(
    "spelling", [lambda e: {"values": [e]}, lambda e: [e], lambda e: e], ids=["values", "list", "bare"]
)
@pytest.mark.parametrize("name", ["exception", "sentry.interfaces.Exception"])
def test_lists_and_legacy_names_come_in_several_spellings(name, spelling):
    assert regular(**{name: spelling(raised("E", "v"))}).title == "E: v"


def test_a_legacy_name_gives_way_to_the_present_one():
    assert regular(user={"id": 1}, **{"sentry.interfaces.User": {"id": 2}}).user_ident == "id:1"


def test_exceptions_that_say_nothing_are_left_out():
    assert regular(exception=[{"module": "m"}, raised("E", "v")]).data["exception"] == [
        {"type": "E", "value": "v"}
    ]


def test_a_value_that_is_an_object_becomes_json():
    assert regular(exception=[raised("E", {"a": [1]})]).title == 'E: {"a":[1]}'


def test_a_stack_beside_the_only_exception_moves_into_it():
    data = regular(exception=[raised()], stacktrace=stack(frame())).data
    assert "stacktrace" not in data
    assert data["exception"][0]["stacktrace"]["frames"][0]["function"] == "pay"


def test_the_only_exception_gets_the_stack_of_the_only_crashed_thread():
    crashed = {"id": 1, "crashed": True, "stacktrace": stack(frame("crash"))}
    idle = {"id": 2, "stacktrace": stack(frame("idle"))}
    made = regular(exception=[raised()], threads=[idle, crashed])
    assert made.culprit == "shop.cart in crash"


def test_the_only_thread_with_a_stack_is_the_stack_of_an_event_without_exception():
    made = regular(message="hi", threads=[{"id": 1}, {"id": 2, "stacktrace": stack(frame("work"))}])
    assert made.culprit == "shop.cart in work"


FILE_NAMES = {
    "a URL": ({"filename": "http://h/assets/app.js?v=1"}, "/assets/app.js", "http://h/assets/app.js?v=1"),
    "a file URL": ({"filename": "file:///srv/app.js"}, "/srv/app.js", "file:///srv/app.js"),
    "a path": ({"filename": "app.rb"}, "app.rb", "app.rb"),
    "only an absolute path": ({"abs_path": "/srv/main.go"}, "/srv/main.go", "/srv/main.go"),
    "both": ({"filename": "a.py", "abs_path": "/srv/a.py"}, "a.py", "/srv/a.py"),
}


@pytest.mark.parametrize(("sent", "filename", "abs_path"), FILE_NAMES.values(), ids=FILE_NAMES)
def test_file_names(sent, filename, abs_path):
    [kept] = regular(stacktrace=stack(sent)).data["stacktrace"]["frames"]
    assert (kept["filename"], kept["abs_path"]) == (filename, abs_path)


def test_the_newest_250_frames_are_kept_and_fifty_keep_all_they_have():
    frames = [frame(str(n), in_app=n >= 270, vars={"n": n}, pre_context=["x"]) for n in range(300)]
    kept = regular(stacktrace=stack(*frames)).data["stacktrace"]["frames"]
    full = [each["function"] for each in kept if "vars" in each]
    assert (len(kept), kept[0]["function"], len(full)) == (250, "50", 50)
    assert full[-30:] == [str(n) for n in range(270, 300)]


def test_tags_become_text():
    made = regular(tags={"a b": True, "n": 3.0, "f": 1.5, "lines": " x\ny ", "none": None, "void": ""})
    assert dict(made.tags) == {"a-b": "True", "n": "3", "f": "1.5", "lines": "x y", "level": "error"}


def test_tags_may_be_pairs_and_the_first_of_a_name_counts():
    assert dict(regular(tags=[["a", "1"], ["a", "2"], ["b"], "c"]).tags) == {"a": "1", "level": "error"}


def test_a_long_tag_is_cut_and_a_strange_key_dropped():
    made = regular(tags={"long": "x" * 300, "schlüssel": "1", "k" * 201: "1"})
    assert dict(made.tags) == {"long": "x" * 197 + "...", "level": "error"}


def test_reserved_tags_are_dropped_and_derived_ones_added():
    reserved = dict.fromkeys(["release", "dist", "user", "filename", "function"], "mine")
    made = regular(
        tags={**reserved, "level": "mine"},
        release="1",
        dist="2",
        server_name="web",
        logger="l",
        environment="e",
    )
    derived = {
        "environment": "e",
        "release": "1",
        "dist": "2",
        "server_name": "web",
        "level": "error",
        "logger": "l",
    }
    assert dict(made.tags) == derived


def test_of_a_thousand_tags_fifty_are_kept_besides_the_derived_ones():
    made = regular(tags={f"t{n}": "x" for n in range(1000)}, environment="e")
    assert (len(made.tags), made.tags[0], made.tags[-2]) == (52, ("t0", "x"), ("environment", "e"))


def test_an_environment_among_the_tags_is_the_environment():
    assert regular(tags={"environment": "staging"}).environment == "staging"
    assert regular(tags={"environment": "staging"}, environment="live").environment == "live"


@pytest.mark.parametrize("release", [".", "..", "latest", "Latest", "a/b", "a\\b", "a\nb", "a\tb"])
def test_a_release_that_may_not_be_is_dropped(release):
    made = regular(release=release)
    assert (made.release, noted(made)) == ("", ["release"])


@pytest.mark.parametrize(
    ("sent", "release"), [(" shop@1.0 ", "shop@1.0"), ("latest-1", "latest-1"), (2, "2")]
)
def test_a_release(sent, release):
    assert regular(release=sent).release == release


TRIMMED = {
    "type": ({"exception": [raised("T" * 300)]}, lambda data: data["exception"][0]["type"], 256),
    "value": ({"exception": [raised("E", "v" * 9000)]}, lambda data: data["exception"][0]["value"], 8192),
    "message": ({"message": "m" * 9000}, lambda data: data["logentry"]["formatted"], 8192),
    "transaction": ({"transaction": "t" * 300}, lambda data: data["transaction"], 200),
    "culprit": ({"culprit": "c" * 300}, lambda data: data["culprit"], 200),
    "server": ({"server_name": "s" * 300}, lambda data: data["server_name"], 256),
    "logger": ({"logger": "l" * 300}, lambda data: data["logger"], 64),
    "function": (
        {"stacktrace": stack(frame("f" * 300))},
        lambda data: data["stacktrace"]["frames"][0]["function"],
        256,
    ),
}


@pytest.mark.parametrize(("payload", "find", "limit"), TRIMMED.values(), ids=TRIMMED)
def test_long_text_is_cut_with_dots(payload, find, limit):
    kept = find(regular(**payload).data)
    assert len(kept) == limit
    assert kept.endswith("...")


SIZED = {
    "an extra": ({"extra": {"a": "x" * 100_000}}, "extra", 17_000),
    "all extras": ({"extra": {f"k{n}": "x" * 15_000 for n in range(50)}}, "extra", 264_000),
    "a context": ({"contexts": {"a": {"b": ["x" * 50] * 1000}}}, "contexts", 9_000),
    "a request body": ({"request": {"data": {"a": "ü" * 50_000}}}, "request", 9_000),
    "variables": ({"stacktrace": stack(frame(vars={"a": "x" * 50_000}))}, "stacktrace", 3_000),
    "modules": ({"modules": {f"package-{n}": "1.0" for n in range(5000)}}, "modules", 9_000),
}


@pytest.mark.parametrize(("payload", "member", "limit"), SIZED.values(), ids=SIZED)
def test_large_data_is_cut(payload, member, limit):
    size = len(json.dumps(regular(**payload).data[member], ensure_ascii=False).encode())
    assert limit / 2 < size < limit


def test_what_lies_deeper_than_seven_levels_becomes_json():
    deep = {"l2": {"l3": {"l4": {"l5": {"l6": {"l7": {"l8": {"l9": 1}}}}}}}}
    kept = regular(extra=deep).data["extra"]
    assert kept["l2"]["l3"]["l4"]["l5"]["l6"]["l7"] == {"l8": '{"l9":1}'}


def test_all_that_is_stored_is_json():
    made = regular(extra={"huge": 10**40, "small": -(10**40)}, contexts={"a": {"n": 2**70}})
    assert json.loads(json.dumps(made.data))["extra"] == {"huge": str(10**40), "small": str(-(10**40))}


IDENTITIES = [
    ({"id": 42, "email": "a@b", "username": "u", "ip_address": "10.0.0.1"}, "id:42"),
    ({"email": "a@b", "username": "u"}, "email:a@b"),
    ({"username": "u", "ip_address": "10.0.0.1"}, "username:u"),
    ({"ip_address": "10.0.0.1"}, "ip:10.0.0.1"),
    ({"name": "Ana"}, None),
    ({}, None),
]


@pytest.mark.parametrize(("user", "identity"), IDENTITIES)
def test_people_are_counted_by_the_first_that_says_who_they_are(user, identity):
    assert regular(user=user).user_ident == identity


AUTO, CLIENT, PEER = "{{auto}}", "198.51.100.7", "203.0.113.9"
ENV = {"request": {"env": {"REMOTE_ADDR": PEER}}}
ADDRESSES = {
    "given": ({"user": {"ip_address": "10.1.1.1"}}, "10.1.1.1"),
    "auto": ({"user": {"ip_address": AUTO}}, CLIENT),
    "of the request": (ENV, PEER),
    "inferred because the SDK says so": ({"sdk": {"settings": {"infer_ip": "auto"}}}, CLIENT),
    "of a browser": ({"platform": "javascript"}, CLIENT),
    "never of a browser": ({"platform": "javascript", "sdk": {"settings": {"infer_ip": "never"}}}, None),
    "of a server": ({"platform": "python"}, None),
    "settings of a wrong type": ({"sdk": {"settings": "x"}}, None),
}


@pytest.mark.parametrize(("payload", "address"), ADDRESSES.values(), ids=ADDRESSES)
def test_the_address_of_the_user(payload, address):
    made = regular(replace(RECEIPT, client_ip=CLIENT), **payload)
    assert (made.user or {}).get("ip_address") == address


@pytest.mark.parametrize("payload", [row[0] for row in ADDRESSES.values()], ids=ADDRESSES)
def test_a_project_without_addresses_keeps_none(payload):
    headers = {"X-Forwarded-For": CLIENT, "Accept": "*/*"}
    payload = {**payload, "request": {**payload.get("request", {}), "headers": headers}}
    made = regular(replace(RECEIPT, client_ip=CLIENT, store_ips=False), **payload)
    assert not any(address in repr(made) for address in (CLIENT, PEER, "10.1.1.1", AUTO))


def test_auto_is_never_stored():
    assert "auto" not in repr(regular(user={"ip_address": AUTO}))


TIMES = {
    "none": (None, NOW),
    "a number": (1795435200.25, datetime(2026, 11, 23, 12, 0, 0, 250000, UTC)),
    "a number as text": ("1795435200", NOW),
    "ISO": ("2026-11-23T11:59:59Z", NOW - timedelta(seconds=1)),
    "ISO with a blank": ("2026-11-23 11:59:59", NOW - timedelta(seconds=1)),
    "nine digits": ("2026-11-23T11:59:59.123456789Z", datetime(2026, 11, 23, 11, 59, 59, 123456, UTC)),
    "one digit": ("2026-11-23T11:59:59.5", datetime(2026, 11, 23, 11, 59, 59, 500000, UTC)),
    "another zone": ("2026-11-23T13:59:59+02:00", NOW - timedelta(seconds=1)),
    "half a minute ahead": ("2026-11-23T12:00:30Z", NOW + timedelta(seconds=30)),
    "29 days ago": ("2026-10-25T12:00:00Z", NOW - timedelta(days=29)),
}
UNBELIEVED = [
    "x",
    {},
    True,
    -1,
    "-5",
    1e300,
    1795435200250,
    "2026-11-23T12:01:01Z",
    "2026-10-23T11:59:59Z",
]


@pytest.mark.parametrize(("sent", "moment"), TIMES.values(), ids=TIMES)
def test_time(sent, moment):
    made = regular(timestamp=sent)
    assert (made.timestamp, noted(made)) == (moment, [])


@pytest.mark.parametrize("sent", UNBELIEVED, ids=str)
def test_a_time_that_cannot_be_gives_way_to_the_receipt(sent):
    made = regular(timestamp=sent)
    assert (made.timestamp, noted(made)) == (NOW, ["timestamp"])


@pytest.mark.parametrize(
    ("minutes", "shifted"), [(54, False), (55, True), (-55, True), (0, False), (60 * 24 * 365, True)]
)
def test_a_clock_that_is_far_off_is_set_right(minutes, shifted):
    sent_at = NOW - timedelta(minutes=minutes)
    crumb = {"timestamp": timestamps.format(sent_at - timedelta(seconds=2))}
    made = regular(
        replace(RECEIPT, sent_at=sent_at), timestamp=timestamps.format(sent_at), breadcrumbs=[crumb]
    )
    assert made.timestamp == (NOW if shifted else sent_at)
    expected = (NOW if shifted else sent_at) - timedelta(seconds=2)
    assert made.data["breadcrumbs"][0]["timestamp"] == timestamps.format(expected)


def test_a_request_in_every_spelling():
    sent = {
        "url": "http://h/p",
        "headers": {"Accept": ["a", "b"], "X": 1},
        "cookies": "theme=dark; lang=de",
        "query_string": [["a", "1"], ["b", "x y"]],
        "data": '{"a": [1]}',
    }
    assert regular(request=sent).data["request"] == {
        "url": "http://h/p",
        "headers": [["Accept", "a, b"], ["X", "1"]],
        "cookies": [["theme", "dark"], ["lang", "de"]],
        "query_string": "a=1&b=x%20y",
        "data": {"a": [1]},
    }


def test_metadata_names_type_value_and_place():
    made = regular(exception=[raised("E", "v", frame("pay"), frame("lib", in_app=False))])
    assert made.metadata == {"type": "E", "value": "v", "filename": "shop/cart.py", "function": "pay"}


def test_regular_leaves_the_payload_as_it_was():
    payload = {"tags": {"a": 1}, "user": {"ip_address": AUTO}, "exception": [raised("E", "v", frame())]}
    before = json.dumps(payload)
    event.regular(payload, RECEIPT)
    assert json.dumps(payload) == before


@pytest.mark.parametrize("payload", [b"[]", b'"x"', b"null", b'{"a":'])
def test_only_an_object_is_an_event(payload):
    with pytest.raises(Malformed):
        event.load(payload)
