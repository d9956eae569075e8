"""Every recorded request of a real SDK, through the front door into the database."""

from collections import defaultdict

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from app.clock import now
from app.db import db
from app.models import Attachment, Event, Issue, Project, ProjectKey, UndigestedEntry
from app.services.events import event_body
from tests.support.recordings import FOLDER, RECORDINGS

pytestmark = [
    pytest.mark.both_databases,
    pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no recordings at {FOLDER}"),
]


@pytest.fixture
def recorded(instance):
    """The project that the recordings name, and their answers."""
    organization_id = instance.project.organization_id
    with Session(db.engine) as session, session.begin():
        project = Project(id=1, organization_id=organization_id, slug="recorded", name="R", created_at=now())
        session.merge(project)
        session.flush()
        session.merge(ProjectKey(id=1, project_id=1, public=RECORDINGS.index["public_key"], created_at=now()))
    instance.open_door()
    return [(each, send(instance, each)) for each in RECORDINGS.all]


def send(instance, recording):
    return instance.client.post(
        f"{recording.path}?{recording.query}", data=recording.body, headers=recording.headers
    )


def expected(key):
    """File → what the index expects, for recordings with an event and such an expectation."""
    return {
        each.file: each.expected[key]
        for each in RECORDINGS.all
        if each.expected["events"] and each.expected.get(key) is not None
    }


def stored(instance):
    query = select(Event).options(undefer(Event.body))
    by_id = {event.event_id: event for event in instance.scalars(query)}
    return {each.file: by_id[each.expected["event_id"]] for each in RECORDINGS.all if each.expected["events"]}


def test_recordings_end_to_end(instance, recorded):
    for recording, answer in recorded:
        assert answer.status_code == recording.expected["status"], (recording.file, answer.text)
        if recording.expected["events"]:
            assert answer.json == {"id": recording.expected["event_id"]}
    instance.digest()
    assert instance.scalars(select(UndigestedEntry.error)) == []
    events = stored(instance)
    assert len(events) == RECORDINGS.index["events"]
    expect_columns(events)
    expect_titles(events)
    expect_groups(events)
    expect_tags(events)
    expect_counts(instance)


def expect_columns(events):
    for name in ("culprit", "level", "platform", "environment", "release"):
        wanted = expected(name)
        assert {file: getattr(events[file], name) or "" for file in wanted} == wanted


def expect_titles(events):
    for recording in RECORDINGS.all:
        if recording.expected["events"]:
            title, wanted = events[recording.file].title, recording.expected
            allowed = wanted.get("title_any") or [wanted.get("title")]
            prefix = wanted.get("title_prefix")
            assert title in allowed or (prefix and title.startswith(prefix)), recording.file


def expect_groups(events):
    issues = defaultdict(set)
    for file, label in expected("group").items():
        issues[label].add(events[file].issue_id)
    assert {label: len(ids) for label, ids in issues.items() if len(ids) != 1} == {}
    assert len({issue_id for ids in issues.values() for issue_id in ids}) == RECORDINGS.index["groups"]


def expect_tags(events):
    for file, wanted in expected("tags").items():
        tags = dict(event_body.unpack(events[file].body)["tags"])
        assert {name: tags.get(name) for name in wanted} == wanted, file


def expect_counts(instance):
    issues = instance.scalars(select(Issue))
    assert len(issues) == RECORDINGS.index["groups"]
    assert sum(issue.times_seen for issue in issues) == RECORDINGS.index["events"]
    names = [name for names in expected("attachments").values() for name in names]
    assert sorted(instance.scalars(select(Attachment.name))) == sorted(names)


def test_recordings_sent_twice_change_nothing(instance, recorded):
    instance.digest()
    before = instance.rows(select(Issue.id, Issue.times_seen, Issue.users_seen, Issue.last_seen))
    for recording, _ in recorded:
        send(instance, recording)
    instance.digest()
    assert instance.rows(select(Issue.id, Issue.times_seen, Issue.users_seen, Issue.last_seen)) == before
    assert len(instance.scalars(select(Event.id))) == RECORDINGS.index["events"]
