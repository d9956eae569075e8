"""Check-ins on their whole way in, and the sweep that finds those that did not come."""

import json
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from app.clock import now
from app.ingest import limits
from app.jobs import doorbell, monitors
from app.models import CheckIn, Event, IngestCount, Issue, Monitor, MonitorEnvironment, Notice
from app.services.events import digesting
from app.services.events.stream_entry import CHECK_IN, ENVELOPE, Entry
from tests.make import envelope, payload

pytestmark = pytest.mark.both_databases

HOURLY = {"schedule": {"type": "interval", "value": 1, "unit": "hour"}, "checkin_margin": 5}
COUNTS = select(IngestCount.category, IngestCount.outcome, IngestCount.count)
STATUSES = select(CheckIn.status).order_by(CheckIn.started_at, CheckIn.id)


def item(**said):
    body = json.dumps({"monitor_slug": "nightly", "status": "ok", "monitor_config": HOURLY, **said})
    return {"type": "check_in"}, body.encode()


def alone(*items) -> bytes:
    lines = [b"{}"]
    for header, body in items:
        lines += [json.dumps({**header, "length": len(body)}).encode(), body]
    return b"\n".join(lines)


@pytest.fixture
def late():
    """Runs the sweep so much later than now."""

    def sweep(**after):
        with time_machine.travel(now() + timedelta(**after)):
            monitors.sweep(now())

    return sweep


def test_check_ins_travel_alone_or_with_an_event(instance):
    assert instance.post(alone(item(), item(slug="x", monitor_slug="other"))).status_code == 200
    assert instance.post(envelope(payload(), items=[item(status="error")])).status_code == 200
    instance.digest()
    assert instance.scalars(STATUSES) == ["ok", "ok", "error"]
    assert set(instance.rows(COUNTS)) == {("monitor", "accepted", 3), ("error", "accepted", 2)}


def test_what_is_too_large_or_unreadable_is_left_out_and_its_siblings_are_kept(instance):
    large = item(check_in_id="x" * (100 << 10))
    assert instance.post(alone(large, item(status="lost"), item())).status_code == 200
    instance.digest()
    assert instance.scalars(STATUSES) == ["ok"]
    counted = {("monitor", "dropped", 1), ("monitor", "invalid", 1), ("monitor", "accepted", 1)}
    assert set(instance.rows(COUNTS)) == counted


def test_too_many_in_a_minute_are_told_to_wait_and_events_are_not(instance, monkeypatch):
    monkeypatch.setattr(limits, "CHECK_INS", 1)
    assert instance.post(alone(item())).status_code == 200
    answer = instance.post(alone(item()))
    assert answer.status_code == 429
    assert ":monitor:key:key_quota" in answer.headers["X-Sentry-Rate-Limits"]
    path = f"/api/{instance.project.id}/cron/nightly/{instance.key.public}/"
    assert instance.client.get(path).status_code == 429
    instance.report()
    instance.digest()
    assert instance.scalars(STATUSES) == ["ok"]
    assert ("monitor", "rate_limited", 2) in instance.rows(COUNTS)


def test_one_more_item_does_not_get_check_ins_past_their_limit(instance, monkeypatch):
    """Each counts, and what came along is kept."""
    monkeypatch.setattr(limits, "CHECK_INS", 2)
    assert instance.post(alone(item(), item())).status_code == 200
    answer = instance.post(envelope(payload(), items=[item()]))
    assert answer.status_code == 200
    assert ":monitor:key:key_quota" in answer.headers["X-Sentry-Rate-Limits"]
    instance.digest()
    assert instance.scalars(STATUSES) == ["ok", "ok"]
    counted = {("monitor", "accepted", 2), ("monitor", "rate_limited", 1), ("error", "accepted", 1)}
    assert set(instance.rows(COUNTS)) == counted


def test_of_an_envelope_so_many_are_kept_and_the_rest_is_counted_as_dropped(instance):
    wrote = ({"type": "user_report"}, json.dumps({"event_id": "a" * 32, "comments": "It broke"}).encode())
    assert instance.post(alone(*[item()] * 25, *[wrote] * 12)).status_code == 200
    instance.digest()
    assert set(instance.rows(COUNTS)) == {
        ("monitor", "accepted", 20),
        ("monitor", "dropped", 5),
        ("feedback", "accepted", 10),
        ("feedback", "dropped", 2),
    }


def test_a_batch_takes_about_a_hundred_check_ins(instance, session):
    body = alone(*[item()] * 20)
    entries = [Entry(instance.project.id, ENVELOPE, now(), body, id=f"{number}-1") for number in range(20)]
    batch = digesting.read_all(session, entries)
    assert 100 <= sum(len(each.check_ins) for each in batch.reads) <= 120


def test_a_missed_check_in_is_found_by_the_sweep(instance, late):
    instance.post(alone(item()))
    instance.digest()
    late(minutes=64)
    assert instance.scalars(STATUSES) == ["ok"]
    late(minutes=66)
    late(minutes=67)
    assert instance.scalars(STATUSES) == ["ok", "missed"]
    assert instance.scalars(select(Issue.times_seen)) == [1]


def test_nothing_is_missed_while_it_may_wait_in_the_stream(instance, late):
    """The digester was away: what waits may be the check-in itself."""
    instance.post(alone(item()))
    instance.digest()
    with time_machine.travel(now() + timedelta(minutes=58), tick=False):
        instance.post(alone(item()))
    late(minutes=70)
    assert instance.scalars(STATUSES) == ["ok"]
    instance.digest()
    late(minutes=70)
    assert instance.scalars(STATUSES) == ["ok", "ok"]
    assert instance.scalars(select(Issue.id)) == []


def test_what_is_cut_off_is_done_once_in_the_end(instance, late, monkeypatch):
    """Killed before the commit: as if it had never begun. Killed after it: the notice waits in the outbox."""
    instance.post(alone(item()))
    instance.digest()

    def die(*_args, **_kwargs):
        raise KeyboardInterrupt

    for part in ((digesting, "keep"), (doorbell, "ring")):
        with monkeypatch.context() as patched:
            patched.setattr(*part, die)
            with pytest.raises(KeyboardInterrupt):
                late(minutes=66)
        if part[1] == "keep":
            assert instance.scalars(STATUSES) == ["ok"]
    late(minutes=66)
    assert instance.scalars(STATUSES) == ["ok", "missed"]
    assert instance.scalars(select(func.count(Event.id))) == [1]
    assert instance.scalars(select(Notice.kind)) == ["alert.new"]


def test_an_entry_that_comes_twice_counts_once(instance):
    """As when Redis came back with what was digested already."""
    said = json.dumps({"monitor_slug": "nightly", "status": "error", "monitor_config": HOURLY}).encode()
    entry = Entry(instance.project.id, CHECK_IN, now(), said, event_id="a" * 32)
    for _ in range(2):
        instance.change(lambda session: digesting.digest(session, [entry], now=now()))
    assert instance.scalars(STATUSES) == ["error"]
    assert instance.scalars(select(Issue.times_seen)) == [1]
    assert instance.scalars(select(MonitorEnvironment.failures)) == [1]


def test_a_name_that_is_not_known_yet_is_remembered(instance):
    path = f"/api/{instance.project.id}/cron/Nightly%20Backup/{instance.key.public}/?status=in_progress"
    assert instance.client.get(path).status_code == 202
    instance.digest()
    [row] = instance.scalars(select(Monitor))
    assert (row.slug, row.name, row.schedule_kind) == ("nightly-backup", "Nightly Backup", "")
