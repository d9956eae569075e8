"""Health: alive, ready, on time."""

from datetime import timedelta

import pytest

from app import queue
from app.clock import now


def test_a_process_that_serves_is_alive(client):
    assert client.get("/healthz").json == {"ok": True}


def test_it_is_ready_when_database_migrations_and_redis_answer(client):
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json["ok"]) == (200, True)
    assert [check["name"] for check in answer.json["checks"]] == ["database", "migrations", "redis"]


def test_without_redis_it_is_not_ready_and_says_so(app_with, tmp_path):
    app = app_with(REDIS_URL=f"unix://{tmp_path}/none.sock")
    answer = app.test_client().get("/readyz")
    assert answer.status_code == 503
    assert [check["name"] for check in answer.json["checks"] if not check["ok"]] == ["redis"]


def test_without_workers_notifications_are_late(client):
    answer = client.get("/healthz/notify")
    assert (answer.status_code, answer.json["workers"]) == (503, 0)


def test_with_a_worker_and_nothing_waiting_they_are_on_time(client, app):
    queue.beat(app.extensions["tocsin_redis"], "jobs")
    answer = client.get("/healthz/notify")
    assert answer.status_code == 200
    assert answer.json == {
        "ok": True,
        "oldest_notice_seconds": 0,
        "oldest_delivery_seconds": 0,
        "failed_last_hour": 0,
        "workers": 1,
    }


def test_an_old_entry_in_the_outbox_is_late(client, app, make, issue):
    queue.beat(app.extensions["tocsin_redis"], "jobs")
    make.notice(issue, occurred_at=now() - timedelta(minutes=10))
    answer = client.get("/healthz/notify")
    assert answer.status_code == 503
    assert 600 <= answer.json["oldest_notice_seconds"] < 620


def test_a_delivery_is_late_from_when_it_should_have_been_tried(client, app, make, issue, alice, bob):
    queue.beat(app.extensions["tocsin_redis"], "jobs")
    notice = make.notice(issue, planned_at=now())
    make.delivery(notice, alice, send_at=now() + timedelta(hours=8))
    assert client.get("/healthz/notify").status_code == 200
    make.delivery(notice, bob, send_at=now() - timedelta(minutes=5))
    assert client.get("/healthz/notify").json["oldest_delivery_seconds"] >= 300


def test_failures_of_the_last_hour_are_counted(client, make, issue, alice, bob):
    notice = make.notice(issue, planned_at=now())
    make.delivery(notice, alice, state="failed", finished_at=now())
    make.delivery(notice, bob, state="failed", finished_at=now() - timedelta(hours=2))
    assert client.get("/healthz/notify").json["failed_last_hour"] == 1


@pytest.mark.both_databases
def test_what_waits_for_its_turn_at_an_integration_is_not_late(client, app, make, cast, hook, issue, session):
    queue.beat(app.extensions["tocsin_redis"], "jobs")
    long_ago = now() - timedelta(minutes=10)
    notice = make.notice(issue, planned_at=now())
    first, behind = (
        make.delivery(notice, person, destination_id=hook.id, lane=issue.id, send_at=long_ago)
        for person in (cast.alice, cast.bob)
    )
    assert client.get("/healthz/notify").status_code == 503
    first.state, first.send_at = "deferred", now() + timedelta(minutes=10)
    session.commit()
    assert client.get("/healthz/notify").json["oldest_delivery_seconds"] == 0
    behind.lane = None
    session.commit()
    assert client.get("/healthz/notify").json["oldest_delivery_seconds"] >= 600
    hook.held_until = now() + timedelta(minutes=10)
    session.commit()
    assert client.get("/healthz/notify").json["oldest_delivery_seconds"] == 0
