"""Who may send what where, and what they are answered (`ingest.md` 1 to 3 and 7)."""

import base64
import json
import uuid
from datetime import timedelta

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from app import refusals
from app.clock import now
from app.models import IngestCount, Project, ProjectKey
from app.services.events.stream_entry import STREAM, from_fields
from tests.ingest.conftest import Instance
from tests.make import Make, envelope, payload

pytestmark = pytest.mark.any_database

EVENT = envelope(payload())
UNKNOWN = "f" * 32


def post(instance: Instance, path: str, **options) -> TestResponse:
    """Without any authentication but what the options carry; `KEY` and `ID` stand for the real ones."""

    def fill(text: str) -> str:
        return text.replace("KEY", instance.key.public).replace("ID", str(instance.project.id))

    options["headers"] = {name: fill(value) for name, value in options.get("headers", {}).items()}
    if isinstance(options.get("data"), str):
        options["data"] = fill(options["data"]).encode()
    return instance.client.open(fill(path), **{"method": "POST", "data": EVENT, **options})


PLACES = {
    "X-Sentry-Auth": ("", {"X-Sentry-Auth": "Sentry sentry_version=7, sentry_key=KEY"}),
    "X-Sentry-Auth, oddly written": ("", {"X-Sentry-Auth": 'sentry sentry_key="KEY",sentry_secret=x'}),
    "Authorization": ("", {"Authorization": "Sentry sentry_key=KEY,sentry_version=7"}),
    "query": ("?sentry_version=7&sentry_key=KEY&sentry_client=sentry.javascript.browser%2F11.0", {}),
    "two that agree": ("?sentry_key=KEY", {"X-Sentry-Auth": "Sentry sentry_key=KEY"}),
}


@pytest.mark.parametrize(("query", "headers"), PLACES.values(), ids=PLACES)
def test_a_key_is_found_wherever_sdks_put_it(instance, query, headers):
    answer = post(instance, f"/api/ID/envelope/{query}", headers=headers)
    assert (answer.status_code, answer.content_type) == (200, "application/json")


def test_basic_authentication_names_a_key(instance):
    basic = base64.b64encode(f"{instance.key.public}:".encode()).decode()
    assert post(instance, "/api/ID/envelope/", headers={"Authorization": f"Basic {basic}"}).status_code == 200


@pytest.mark.parametrize("dsn", ["https://KEY@elsewhere.example/ID", "http://KEY:@h:9/prefix/ID"])
def test_the_dsn_of_a_tunnelled_envelope_is_enough(instance, dsn):
    body = json.dumps({"dsn": dsn}) + '\n{"type":"event"}\n{"message":"hi"}'
    assert post(instance, "/api/ID/envelope/", data=body).status_code == 200


X = {"X-Sentry-Auth": "Sentry sentry_key=KEY"}
WRONG_DSN = '{"dsn":"https://KEY@h/9999"}\n{"type":"event"}\n{"message":"hi"}'
OTHER_KEY = f'{{"dsn":"https://{UNKNOWN}@h/ID"}}\n'
REFUSALS = {
    "nothing": ("/api/ID/envelope/", {}, 401),
    "nothing, on store": ("/api/ID/store/", {"data": b'{"message":"hi"}'}, 401),
    "nothing, and no envelope": ("/api/ID/envelope/", {"data": b"what?"}, 401),
    "no key in the header": (
        "/api/ID/envelope/",
        {"headers": {"X-Sentry-Auth": "Sentry sentry_version=7"}},
        401,
    ),
    "empty key": ("/api/ID/envelope/?sentry_key=", {}, 401),
    "two keys": (f"/api/ID/envelope/?sentry_key={UNKNOWN}", {"headers": X}, 401),
    "another key in the DSN": ("/api/ID/envelope/", {"headers": X, "data": OTHER_KEY}, 401),
    "unknown key": (f"/api/ID/envelope/?sentry_key={UNKNOWN}", {}, 403),
    "unknown key in the DSN": ("/api/ID/envelope/", {"data": OTHER_KEY}, 403),
    "a key that is none": ("/api/ID/envelope/?sentry_key=%00%F0%9F%98%80", {}, 403),
    "key of another project": ("/api/9999/envelope/", {"headers": X}, 403),
    "DSN of another project": ("/api/ID/envelope/", {"headers": X, "data": WRONG_DSN}, 403),
    "project that is no number": ("/api/shop/envelope/", {"headers": X}, 400),
    "project of senseless length": (f"/api/{'1' * 40}/envelope/", {"headers": X}, 400),
    "version 8": ("/api/ID/envelope/?sentry_key=KEY&sentry_version=8", {}, 400),
    "empty body": ("/api/ID/envelope/", {"headers": X, "data": b""}, 400),
    "not JSON": ("/api/ID/envelope/", {"headers": X, "data": b"\x00\xff\x00"}, 400),
    "header no object": ("/api/ID/envelope/", {"headers": X, "data": b"[]\n"}, 400),
    "item too short": (
        "/api/ID/envelope/",
        {"headers": X, "data": b'{}\n{"type":"event","length":9}\n{}'},
        400,
    ),
    "event no object": ("/api/ID/envelope/", {"headers": X, "data": b'{}\n{"type":"event"}\n[]'}, 400),
    "store of a list": ("/api/ID/store/", {"headers": X, "data": b"[]"}, 400),
    "1,001 items": ("/api/ID/envelope/", {"headers": X, "data": b"{}" + b'\n{"type":"x"}\n1' * 1001}, 413),
    "large event": (
        "/api/ID/store/",
        {"headers": X, "data": b'{"message":"' + b"x" * (1 << 20) + b'"}'},
        413,
    ),
    "PUT": ("/api/ID/envelope/", {"headers": X, "method": "PUT"}, 405),
    "GET": ("/api/ID/envelope/", {"headers": X, "method": "GET", "data": b""}, 405),
    "GET without data": ("/api/ID/store/", {"headers": X, "method": "GET", "data": b""}, 400),
    "minidump": ("/api/ID/minidump/?sentry_key=KEY", {}, 501),
    "unreal": ("/api/ID/unreal/KEY/", {}, 501),
    "check-in without a key": ("/api/ID/cron/nightly/", {}, 400),
    "check-in with a status that there is not": ("/api/ID/cron/nightly/KEY/?status=fine", {}, 400),
    "check-in with a broken body": ("/api/ID/cron/nightly/KEY/", {"data": b"{"}, 400),
    "check-in with an unknown key": (f"/api/ID/cron/nightly/{UNKNOWN}/", {}, 403),
    "nel": ("/api/ID/nel/", {"headers": X}, 404),
    "otlp": ("/api/ID/otlp/v1/traces/", {"headers": X}, 404),
    "more after the endpoint": ("/api/ID/envelope/more/", {"headers": X}, 404),
}


@pytest.mark.parametrize(("path", "options", "status"), REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_says_why_and_pages_may_read_it(instance, path, options, status):
    answer = post(instance, path, **options)
    assert answer.status_code == status
    assert answer.json["detail"] == answer.headers.get("X-Sentry-Error", answer.json["detail"])
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "x-sentry-rate-limits" in answer.headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "Set-Cookie" not in answer.headers
    assert instance.waiting() == 0


@pytest.mark.parametrize(
    "endpoint", ["envelope/", "envelope", "store/", "security/", "minidump/", "csp-report"]
)
def test_a_preflight_needs_no_key(instance, endpoint):
    answer = post(instance, f"/api/ID/{endpoint}", method="OPTIONS", data=b"", headers={"Origin": "null"})
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    assert {"x-sentry-auth", "content-encoding", "authorization"} <= {
        name.strip() for name in answer.headers["Access-Control-Allow-Headers"].split(",")
    }
    assert answer.headers["Access-Control-Max-Age"] == "3600"


@pytest.mark.parametrize(
    "content_type",
    ["application/x-sentry-envelope", "text/plain;charset=UTF-8", "application/x-www-form-urlencoded",
     "multipart/form-data; boundary=x", ""],
)  # fmt: skip
def test_the_content_type_decides_nothing(instance, content_type):
    assert instance.post(EVENT, headers={"Content-Type": content_type}).status_code == 200
    assert instance.waiting() == 1


def test_a_path_without_its_slash_is_answered_directly(instance):
    assert post(instance, "/api/ID/envelope", headers=X).status_code == 200


@pytest.mark.parametrize(
    ("header", "own", "answered"),
    [
        ({"event_id": "11111111-2222-3333-4444-AAAAAAAAAAAA"}, "b" * 32, "11111111222233334444aaaaaaaaaaaa"),
        ({}, "b" * 32, "b" * 32),
    ],
)
def test_the_id_of_the_header_wins(instance, header, own, answered):
    body = json.dumps(header) + '\n{"type":"event"}\n' + json.dumps({"event_id": own})
    assert instance.post(body.encode()).json == {"id": answered}


def test_an_event_without_an_id_gets_one(instance):
    answer = instance.post(b'{}\n{"type":"event"}\n{"message":"hi"}')
    assert uuid.UUID(answer.json["id"]).hex == answer.json["id"]


@pytest.mark.parametrize("body", [b"{}", b"{}\n", b"{}\n\n\n"])
def test_an_envelope_without_items_is_fine_and_nothing(instance, body):
    answer = instance.post(body)
    assert (answer.status_code, answer.json) == (200, {})
    assert instance.waiting() == 0


def test_items_of_any_type_are_taken(instance):
    known, unknown = b'{"type":"session"}\n{}', b'{"type":"never-heard-of"}\n\x00\x01'
    body = b"\n".join([b"{}", known, unknown, b'{"type":"replay_video","length":3}', b"\n\n\n", b"\n"])
    answer = instance.post(body)
    assert (answer.status_code, answer.json) == (200, {})
    instance.digest()
    kept = instance.rows(select(IngestCount.category, IngestCount.outcome))
    assert sorted(kept) == [("replay", "dropped"), ("session", "dropped"), ("unknown", "dropped")]


def test_an_event_in_a_query_is_answered_by_a_picture(instance):
    data = base64.b64encode(json.dumps(payload()).encode()).decode()
    query = {"sentry_version": "7", "sentry_key": instance.key.public, "sentry_data": data}
    answer = instance.client.get(f"/api/{instance.project.id}/store/", query_string=query)
    assert (answer.status_code, answer.content_type) == (200, "image/gif")
    assert answer.data.startswith(b"GIF89a")
    assert instance.waiting() == 1


def test_a_check_in_by_address_is_taken_and_counted(instance):
    for method in ("GET", "POST"):
        path = "/api/ID/cron/nightly/KEY/?status=ok"
        assert post(instance, path, method=method, data=b"").status_code == 202
    instance.digest()
    [count] = instance.scalars(select(IngestCount))
    assert (count.category, count.outcome, count.count) == ("monitor", "accepted", 2)


def test_a_key_of_a_second_project_does_not_open_the_first(instance):
    other = {}

    def add(session):
        made = Make(session, instance.project.created_at).project(slug="other")
        other["key"] = Make(session, made.created_at).key(made).public

    instance.change(add)
    answer = post(instance, f"/api/ID/envelope/?sentry_key={other['key']}")
    assert answer.status_code == 403


ORIGINS = {
    "no list": ([], "https://evil.example", 200),
    "a star": (["*"], "https://evil.example", 200),
    "its host": (["shop.example.org"], "https://shop.example.org:8443", 200),
    "with scheme": (["https://shop.example.org"], "https://SHOP.example.org", 200),
    "below a domain": (["*.example.org"], "https://a.b.example.org/page", 200),
    "another host": (["shop.example.org"], "https://evil.example", 403),
    "a suffix only": (["*.example.org"], "https://evilexample.org", 403),
    "an opaque origin": (["shop.example.org"], "null", 403),
    "no origin: a server": (["shop.example.org"], None, 200),
}


@pytest.mark.parametrize(("allowed", "origin", "status"), ORIGINS.values(), ids=ORIGINS)
def test_a_project_may_limit_from_where_browsers_send(instance, allowed, origin, status):
    instance.change(
        lambda session: setattr(session.get(Project, instance.project.id), "allowed_origins", allowed)
    )
    answer = instance.post(EVENT, headers={"Origin": origin} if origin else {})
    assert answer.status_code == status
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_the_referer_stands_in_for_the_origin(instance):
    instance.change(
        lambda session: setattr(session.get(Project, instance.project.id), "allowed_origins", ["a.example"])
    )
    assert instance.post(EVENT, headers={"Referer": "https://b.example/cart"}).status_code == 403


PEERS = {
    "the peer": ("198.51.100.7", "", "198.51.100.7"),
    "a stranger's claim": ("198.51.100.7", "203.0.113.9", "198.51.100.7"),
    "behind a proxy": ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
    "the last untrusted": ("10.0.0.1", "1.2.3.4, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
    "with a port": ("10.0.0.1", "203.0.113.9:5000", "203.0.113.9"),
    "IPv6 in brackets": ("10.0.0.1", "[2001:db8::1]:443", "2001:db8::1"),
    "nonsense": ("10.0.0.1", "unknown", "10.0.0.1"),
    "a unix socket": ("", "203.0.113.9", ""),
}


@pytest.mark.parametrize(("peer", "forwarded", "found"), PEERS.values(), ids=PEERS)
def test_only_trusted_proxies_say_who_the_client_is(instance, peer, forwarded, found):
    instance.post(EVENT, headers={"X-Forwarded-For": forwarded}, environ_base={"REMOTE_ADDR": peer})
    [(entry_id, fields)] = instance.redis.xrange(STREAM)
    assert (from_fields(entry_id, fields).client_ip or "") == found


def test_whatever_is_not_for_sdks_reaches_the_pages(instance):
    assert instance.client.get("/api/0/organizations/").status_code == 404
    assert instance.client.get("/").headers["Content-Type"].startswith("text/html")


def test_a_disabled_key_stops_working_within_seconds(instance, monkeypatch):
    assert instance.post(EVENT).status_code == 200
    instance.change(lambda session: setattr(session.get(ProjectKey, instance.key.id), "is_active", False))
    monkeypatch.setattr("app.ingest.keys.FRESH_SECONDS", 0.0)
    assert instance.post(EVENT).status_code == 403


def test_a_refused_request_is_remembered_for_whoever_is_connecting_an_application(instance):
    post(instance, f"/api/ID/envelope/?sentry_key={UNKNOWN}")
    refusal = refusals.last(instance.redis, instance.project.id, now=now())
    assert refusal is not None
    assert refusal.status == 403


def test_a_refusal_is_forgotten_after_a_day_though_other_projects_have_fresh_ones(instance):
    noted = now()
    for project_id, at in ((1, noted), (2, noted + timedelta(hours=23))):
        refusals.note(instance.redis, project_id, status=403, detail="the key is unknown", now=at)
    later = noted + timedelta(days=1)
    assert [bool(refusals.last(instance.redis, each, now=later)) for each in (1, 2)] == [False, True]


def test_requests_that_name_made_up_projects_fill_no_memory(instance, monkeypatch):
    monkeypatch.setattr(refusals, "MOST_PROJECTS", 3)
    for number in range(1000, 1010):
        post(instance, f"/api/{number}/envelope/?sentry_key={UNKNOWN}")
    assert instance.redis.hlen(refusals.KEY) == 3
