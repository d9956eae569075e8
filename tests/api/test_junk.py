"""Odd input gets an answer in JSON: an exception in the application fails these tests."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.calls import calls, filled

JUNK = [
    "9223372036854775808",
    "1" * 400,
    "%00",
    "a%00b",
    "%ff%fe",
    "%ed%a0%80",
    "٣",
    "'; DROP TABLE users; --",
    "..",
    " ",
    "SHOP-ZZZZZZZZZZZZ",
    "🛎️",
]
NAMES = (
    "org",
    "proj",
    "team",
    "public",
    "issue",
    "short_id",
    "event_id",
    "attachment_id",
    "public_id",
    "user",
    "comment_id",
    "tag",
    "search_id",
    "integration",
    "rule",
    "pause",
    "version",
    "monitor",
    "file_id",
)
GOOD = {
    "org": "acme",
    "proj": "shop",
    "team": "shop-team",
    "issue": "SHOP-1",
    "user": "1",
    "event_id": "latest",
    "comment_id": "1",
    "tag": "environment",
    "search_id": "1",
    "integration": "1",
    "rule": "1",
    "pause": "1",
    "version": "1.0",
    "monitor": "nightly",
    "file_id": "1",
}
QUERIES = [
    *(f"per_page={text}" for text in ("0", "101", "-1", "99999999999999999999", "x", "%00", "1e2", "²")),
    *(
        f"cursor={text}"
        for text in (
            "0:0",
            "a:b:c",
            "0:999999999999999:0",
            "0:99999999999999999999:0",
            "%00",
            "🛎️",
            "Pi4u",
            "PjQ2MTE2ODYwMTg0MjczODc5MDMuNDYxMTY4NjAxODQyNzM4NzkwMw",
            "PC00NjExNjg2MDE4NDI3Mzg3OTAzLjE",
        )
    ),
    "sort=freq&cursor=PjQ2MTE2ODYwMTg0MjczODc5MDMuNDYxMTY4NjAxODQyNzM4NzkwMw",
    "sort=nothing",
    "project=9223372036854775808",
    "project=%00",
    "environment=%00",
    "environment=%ff",
    "statsPeriod=99999999999d",
    "statsPeriod=999999w",
    "statsPeriod=-1d",
    "query=times_seen:>99999999999999999999",
    "query=issue:SHOP-ZZZZZZZZZZZZ",
    "query=firstSeen:-999999w",
    "query=firstSeen:9999-12-31",
    "query=%00",
    "query=%22",
    "query=tags[a]:*****",
    "query=" + "a" * 5000,
    "query=" + "level:error%20" * 300,
    "id=9223372036854775808",
    "id=%00",
    "id=x&status=nothing",
    "status=%ff",
    "issue=%00",
    "issue=9223372036854775808",
    "issue=SHOP-1&user=%00",
    "issue=SHOP-1&user=nobody",
    "issue=SHOP-1&org=%ff",
    "kind=nothing",
    "since=yesterday",
    "since=1e999",
    "since=99999999999999999999",
    "since=0001-01-01T00:00:00%2B14:00",
    "since=0&until=1e9&resolution=1h",
    "since=1&until=9999-12-31&resolution=1d",
    "stat=nothing",
    "resolution=10s",
    "full=1",
    "download",
]
BODIES = [
    b"",
    b"null",
    b"[]",
    b'"text"',
    b"{",
    b"\xff\xfe",
    b'{"\xff": 1}',
    b'{"name": "\\ud800"}',
    b'{"name": "a\\u0000b", "slug": "a\\u0000b", "text": "\\u0000", "status": "\\u0000"}',
    b"[" * 10_000,
    b'{"a":' * 5_000,
    b'{"name": ' + b"9" * 5000 + b"}",
    b'{"self": 1}',
    b'{"status": NaN, "name": Infinity}',
    b'{"": {}}',
]
# Those that are objects, if odd ones.
OBJECTS = BODIES[7:9] + BODIES[11:]
WRONG = [
    True,
    False,
    None,
    0,
    -1,
    2**63,
    1e308,
    "",
    "x" * 100_000,
    "🛎️",
    [],
    [[]],
    {},
    {"self": 1},
    {"a": {"b": []}},
]
MEMBERS = [
    "name", "slug", "platform", "subjectPrefix", "mailDetail", "rateLimit", "isActive", "text", "status",
    "statusDetails", "assignedTo", "isSubscribed", "ignoreDuration", "hasSeen", "alerts", "workflow",
    "workflowKinds", "ownActivity", "timezone", "projects", "detail", "self", "message", "",
]  # fmt: skip


@pytest.fixture
def ask(app, api, cast, issue, session, unlimited):
    """Asks, and fails unless the answer is one in JSON. Alice may do everything."""

    def answer(method, path, *more, **kwargs):
        unlimited()
        answer = api(method, path, *more, **kwargs)
        assert answer.status_code < 500, (method, path, answer.text)
        assert answer.status_code not in (301, 302, 307, 308), path
        if answer.status_code != 204 and "download" not in path:
            assert answer.mimetype == "application/json", (method, path, answer.status)
        return answer

    return answer


def a_third_of(odd, number):
    """So that each is met by many calls, though no call meets them all."""
    return odd[number % 3 :: 3]


@pytest.mark.both_databases
def test_odd_names_in_addresses(app, ask):
    for number, (method, path, _) in enumerate(calls(app)):
        if method == "GET" and "{" in path:
            for junk in a_third_of(JUNK, number):
                answer = ask(method, filled(path, dict.fromkeys(NAMES, junk)))
                assert answer.status_code in (403, 404), (path, junk)


@pytest.mark.both_databases
def test_odd_queries(app, ask):
    for number, (method, path, name) in enumerate(calls(app)):
        if method == "GET" and name in LISTS:
            for query in a_third_of(QUERIES, number):
                assert ask(method, f"{filled(path, GOOD)}?{query}").status_code in (200, 400, 404), query


LISTS = (
    "members",
    "repositories",
    "releases_of_organization",
    "releases_of_project",
    "projects_of",
    "issues_of_organization",
    "comments",
    "tags",
    "tag_values",
    "hashes",
    "feedback_of_project",
    "stats",
    "events_of_project",
    "notices",
    "why",
)


@pytest.mark.both_databases
def test_no_odd_body_is_taken_for_an_object_or_refused_without_a_word(app, ask):
    for number, (method, path, name) in enumerate(calls(app)):
        if method in ("POST", "PUT") and name != "key":
            for sent in a_third_of(BODIES, number):
                answer = ask(method, filled(path, GOOD | {"public": "x"}), sent)
                taken = {200, 201, 204} if sent in OBJECTS else set()
                assert answer.status_code in {400, 404} | taken, (method, path, sent)
                assert answer.status_code in taken or said(answer), (method, path, sent)


def said(answer):
    """What is wrong, or the words at each member that is."""
    return isinstance(answer.json, dict) and all(answer.json.values()) and answer.json


@pytest.mark.both_databases
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(call=st.integers(0, 100), members=st.dictionaries(st.sampled_from(MEMBERS), st.sampled_from(WRONG)))
def test_members_of_the_wrong_kind_are_refused_by_their_names_or_left_alone(
    app, ask, make, cast, call, members
):
    writes = sorted(each for each in calls(app) if each[0] in ("POST", "PUT"))
    method, path, _ = writes[call % len(writes)]
    answer = ask(
        method, filled(path, GOOD | {"public": make.key(cast.shop).public}), json.dumps(members).encode()
    )
    assert answer.status_code in (200, 201, 202, 204, 400, 403, 404, 409), (method, path, members)
    assert answer.status_code < 300 or said(answer), (method, path, members)


def test_too_large_a_body_is_told_so(ask, cast):
    assert ask("PUT", "/issues/SHOP-1/", b" " * (3 << 20)).status_code == 413


def test_even_a_failure_of_the_server_is_told_in_json(app_with, data_dir):
    broken = app_with(DATABASE_URL=f"sqlite:///{data_dir}/empty.db")
    broken.config["PROPAGATE_EXCEPTIONS"] = False
    answer = broken.test_client().get("/api/0/", headers={"Authorization": "Bearer x"})
    assert (answer.status_code, list(answer.json)) == (500, ["detail"])


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize(
    "path", ["/users/me/regions/", "/nothing", "/organizations/acme/replays/", "/a//b/", "/%00/"]
)
def test_unknown_calls_are_answered_in_json(ask, method, path):
    answer = ask(method, path)
    assert (answer.status_code, answer.json) == (404, {"detail": "The requested resource does not exist"})


def test_the_slash_at_the_end_may_be_missing_everywhere(app, ask, cast, issue, make):
    """And no call is redirected: a client would send a write again as a GET."""
    parts = GOOD | {
        "public": make.key(cast.shop).public,
        "attachment_id": 1,
        "public_id": make.notice(issue).public_id,
        "short_id": "SHOP-1",
        "event_id": make.event(issue).event_id,
    }
    for method, path, _ in sorted(
        calls(app), key=lambda call: (call[0] == "DELETE", call[2] == "delete_project")
    ):
        address = filled(path, parts)
        with_slash = ask(method, address, {"status": "unresolved"})
        without = ask(method, address.rstrip("/") or "/", {"status": "unresolved"})
        gone = with_slash.status_code in (202, 204)
        expected = 404 if gone else with_slash.status_code
        assert without.status_code == expected, (method, address)
