"""Every recorded request of a real SDK becomes what its index says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

import pytest

from app.domain import authentication, decoding, envelope, event, grouping, timestamps
from tests.support.recordings import FOLDER, RECORDINGS, Recording

RECORDED = datetime(2026, 11, 23, 4, 20, tzinfo=UTC)

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no recordings at {FOLDER}")


class Arrived(NamedTuple):
    recording: Recording
    envelope: envelope.Envelope
    event: event.Event | None

    @property
    def expected(self):
        return self.recording.expected


def arrive(recording: Recording) -> Arrived:
    body = decoding.decode(recording.body, recording.headers.get("content-encoding"), cap=100 << 20)
    parsed = envelope.from_store(body) if recording.is_store else envelope.parse(body)
    receipt = event.Receipt(
        parsed.event_id or "0" * 32,
        RECORDED,
        sent_at=timestamps.parse(parsed.header.get("sent_at")),
        client_ip="198.51.100.7",
    )
    made = event.regular(event.load(parsed.event.payload), receipt) if parsed.event else None
    return Arrived(recording, parsed, made)


@pytest.fixture(scope="module")
def arrivals() -> list[Arrived]:
    return [arrive(recording) for recording in RECORDINGS.all]


@pytest.fixture(scope="module")
def events(arrivals) -> list[Arrived]:
    return [arrived for arrived in arrivals if arrived.event]


def differences(arrived: list[Arrived], found, wanted) -> Iterator[tuple[str, object, object]]:
    for each in arrived:
        if found(each) != wanted(each):
            yield each.recording.file, found(each), wanted(each)


def test_every_request_carries_the_key_and_the_project(arrivals):
    for arrived in arrivals:
        headers = arrived.recording.headers
        found = authentication.credentials(
            x_sentry_auth=headers.get("x-sentry-auth"),
            authorization=headers.get("authorization"),
            query=arrived.recording.query,
        )
        agreed = authentication.agreed(found, arrived.envelope.header.get("dsn"), project_id=1)
        assert agreed.public_key == RECORDINGS.index["public_key"]


def test_every_item_is_found(arrivals):
    def types(arrived):
        return [item.type for item in arrived.envelope.items]

    assert list(differences(arrivals, types, lambda arrived: arrived.recording.items)) == []


def test_only_events_become_events(arrivals):
    assert sum(arrived.event is not None for arrived in arrivals) == RECORDINGS.index["events"]
    assert (
        list(differences(arrivals, lambda a: int(a.event is not None), lambda a: a.expected["events"])) == []
    )


@pytest.mark.parametrize("member", ["event_id", "level", "platform", "environment", "release"])
def test_member(events, member):
    assert list(differences(events, lambda a: getattr(a.event, member), lambda a: a.expected[member])) == []


def test_title(events):
    for arrived in events:
        assert arrived.event.title in [arrived.expected["title"], *arrived.expected.get("title_any", [])]


def test_culprit(events):
    checked = [arrived for arrived in events if arrived.expected["culprit"] is not None]
    assert list(differences(checked, lambda a: a.event.culprit, lambda a: a.expected["culprit"])) == []


def test_tags(events):
    assert list(differences(events, lambda a: dict(a.event.tags), lambda a: a.expected["tags"])) == []


def test_exceptions(events):
    def found(arrived):
        return [[each.get("type"), each.get("value")] for each in arrived.event.data.get("exception", [])]

    assert list(differences(events, found, lambda a: a.expected["exceptions"])) == []


def test_breadcrumbs(events):
    def found(arrived):
        return len(arrived.event.data.get("breadcrumbs", []))

    assert list(differences(events, found, lambda a: a.expected["breadcrumbs"])) == []


def test_attachments(events):
    def found(arrived):
        attachments = [item for item in arrived.envelope.items if item.type == "attachment"]
        return [item.headers["filename"] for item in attachments]

    assert list(differences(events, found, lambda a: a.expected["attachments"])) == []


def test_user(events):
    for arrived in events:
        for member, value in arrived.expected.get("user", {}).items():
            assert arrived.event.user[member] == value


def test_secrets_are_gone(events):
    for arrived in events:
        stored = repr(arrived.event)
        for secret in arrived.expected.get("absent", []):
            assert secret not in stored, arrived.recording.file


def test_only_a_clock_that_runs_ahead_is_noted(events):
    noted = {each.recording.file: each.event.data["errors"] for each in events if "errors" in each.event.data}
    assert noted == {"py-future-event.bin": [{"type": "invalid_data", "name": "timestamp"}]}


def test_a_clock_that_runs_ahead_gives_way_to_the_time_of_receipt(events):
    [ahead] = [arrived for arrived in events if "timestamp" in arrived.expected]
    assert ahead.event.timestamp == RECORDED


def test_labels_and_hashes_are_one_to_one(events):
    hashes, labels = defaultdict(set), defaultdict(set)
    for arrived in events:
        hashes[arrived.expected["group"]].add(arrived.event.hash)
        labels[arrived.event.hash].add(arrived.expected["group"])
    assert {label: found for label, found in hashes.items() if len(found) > 1} == {}
    assert {found: label for found, label in labels.items() if len(label) > 1} == {}
    assert len(labels) == RECORDINGS.index["groups"]
    assert sorted(hashes) == RECORDINGS.index["group_labels"]


def test_grouping_again_what_was_stored_gives_the_same_hash(events):
    for arrived in events:
        assert grouping.group(arrived.event.data).hash == arrived.event.hash


def test_every_explanation_says_something(events):
    assert all(arrived.event.grouping for arrived in events)
