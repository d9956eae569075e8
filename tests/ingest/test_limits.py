"""Rate limits of keys, and what happens when more comes in than can be digested (`ingest.md` 8)."""

import json

import pytest
from sqlalchemy import select

from app.models import Event, IngestCount, ProjectKey
from app.services.events.stream_entry import STREAM
from tests.make import envelope, payload

OUTCOMES = select(IngestCount.category, IngestCount.outcome, IngestCount.count)


@pytest.fixture
def limited(instance, monkeypatch):
    """Two events in a window of 60 seconds, 18 of which are over."""

    def limit(session):
        key = session.get(ProjectKey, instance.key.id)
        key.rate_limit_count, key.rate_limit_window = 2, 60

    monkeypatch.setattr("app.ingest.limits.time.time", lambda: 6018.0)
    instance.change(limit)
    instance.open_door()
    return instance


def test_the_limit_is_told_with_the_event_that_uses_it_up(limited):
    answers = [limited.post(envelope(payload())) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert "X-Sentry-Rate-Limits" not in answers[0].headers
    assert answers[1].headers["X-Sentry-Rate-Limits"] == "42:default;error;security;attachment:key:key_quota"


def test_beyond_the_limit_the_answer_is_429(limited):
    answer = [limited.post(envelope(payload())) for _ in range(3)][-1]
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "42"
    assert answer.headers["X-Sentry-Rate-Limits"] == "42:default;error;security;attachment:key:key_quota"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.json["detail"]


def test_the_next_window_starts_anew(limited, monkeypatch):
    for _ in range(3):
        limited.post(envelope(payload()))
    monkeypatch.setattr("app.ingest.limits.time.time", lambda: 6060.0)
    assert limited.post(envelope(payload())).status_code == 200


def test_what_is_no_event_is_not_limited(limited):
    for _ in range(9):
        assert limited.post(b'{}\n{"type":"session"}\n{}').status_code == 200
    assert limited.post(envelope(payload())).status_code == 200
    limited.digest()
    assert set(limited.rows(OUTCOMES)) == {("session", "dropped", 9), ("error", "accepted", 1)}


@pytest.mark.parametrize(
    ("item", "category"),
    [
        (b'{"type":"user_report"}\n{"event_id":"%s","comments":"It broke"}' % (b"a" * 32), "feedback"),
        (b'{"type":"attachment","filename":"a.txt"}\nx', "attachment"),
    ],
)
def test_what_is_kept_without_an_event_counts_against_the_limit(limited, item, category):
    answers = [limited.post(b'{"event_id":"%s"}\n%s' % (b"a" * 32, item)) for _ in range(3)]
    assert [each.status_code for each in answers] == [200, 200, 429]
    assert category in answers[2].headers["X-Sentry-Rate-Limits"]
    assert limited.post(envelope(payload())).status_code == 429
    limited.digest()
    assert (category, "rate_limited", 1) in limited.rows(OUTCOMES)


def test_the_store_endpoint_counts_against_the_same_limit(limited):
    statuses = [limited.post(json.dumps(payload()).encode(), endpoint="store").status_code for _ in range(3)]
    assert statuses == [200, 200, 429]


def test_a_limited_event_takes_its_attachments_along_but_not_the_session_beside_it(limited):
    items = [({"type": "attachment", "filename": "a"}, b"x"), ({"type": "session"}, b"{}")]
    statuses = [limited.post(envelope(payload(), items=items)).status_code for _ in range(3)]
    limited.digest()
    assert statuses == [200, 200, 429]
    assert len(limited.scalars(select(Event.id))) == 2
    assert set(limited.rows(OUTCOMES)) == {
        ("error", "accepted", 2),
        ("error", "rate_limited", 1),
        ("attachment", "accepted", 2),
        ("attachment", "rate_limited", 1),
        ("session", "dropped", 3),
    }


def test_a_limited_event_that_came_alone_leaves_only_its_count(limited):
    for _ in range(3):
        limited.post(envelope(payload()))
    assert limited.redis.xrevrange(STREAM, count=1)[0][1][b"body"] == b"error:rate_limited"
    limited.digest()
    assert set(limited.rows(OUTCOMES)) == {("error", "accepted", 2), ("error", "rate_limited", 1)}


def test_when_too_many_wait_clients_are_told_to_pause_and_the_loss_is_counted(instance, monkeypatch):
    monkeypatch.setattr("app.ingest.stream.MAX_WAITING", 2)
    monkeypatch.setattr("app.ingest.stream.SAMPLE_SECONDS", 0.0)
    answers = [instance.post(envelope(payload())) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429, 429]
    assert answers[-1].headers["X-Sentry-Rate-Limits"] == "10::organization:overloaded"
    assert answers[-1].headers["Retry-After"] == "10"
    instance.digest()
    # Even counting the loss ends at twice the limit: memory is what there is too little of.
    assert set(instance.rows(OUTCOMES)) == {("error", "accepted", 2), ("error", "overloaded", 2)}
    assert instance.post(envelope(payload())).status_code == 200


def test_a_redis_without_memory_left_is_told_as_overload(instance):
    instance.redis.config_set("maxmemory", 1)
    try:
        assert instance.post(envelope(payload())).status_code == 429
    finally:
        instance.redis.config_set("maxmemory", 0)
