"""What is older than the retention is forgotten, in chunks; what is younger stays."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.models import (
    Attachment,
    CheckIn,
    ClientLoss,
    Delivery,
    Event,
    Feedback,
    IngestCount,
    Issue,
    IssueCount,
    IssueHour,
    Notice,
    OneTimeLink,
    UndigestedEntry,
    Verdict,
)
from app.services import pruning
from app.services.mails import writing
from app.services.people import accounts

pytestmark = pytest.mark.both_databases


@pytest.fixture
def left(session):
    return lambda model: session.scalar(select(func.count()).select_from(model))


@pytest.fixture
def old_and_new(now):
    """The days before and after which things are kept."""
    return now - timedelta(days=91), now - timedelta(days=89)


@pytest.fixture
def before(now):
    return now - timedelta(days=90)


def received(issue, at):
    """A row of everything that is kept as long as events are, but no event."""
    project_id = issue.project_id
    return [
        Attachment(
            project_id=project_id,
            event_id="e" * 32,
            name="log.txt",
            content_type="text/plain",
            type="event.attachment",
            size=1,
            sha1="0" * 40,
            created_at=at,
            body=b"x",
        ),
        UndigestedEntry(project_id=project_id, stream_id="1-1", error="KeyError", created_at=at, body=b"x"),
        Feedback(project_id=project_id, comments="It broke.", created_at=at),
        IngestCount(project_id=project_id, hour=at, category="error", outcome="accepted", count=1),
        ClientLoss(project_id=project_id, hour=at, category="error", reason="before_send", count=1),
        IssueHour(issue_id=issue.id, hour=at, count=1),
        IssueCount(issue_id=issue.id, minutes=60, start=at, environment="", count=1),
    ]


def test_what_came_in_is_forgotten_and_the_issue_stays(session, make, issue, left, old_and_new, before):
    for at in old_and_new:
        make.event(issue, at=at)
        session.add_all(received(issue, at))
        make.check_in(issue.project, at=at, every="1 year")
    session.flush()
    pruning.prune_events(session, before=before)
    assert {model: left(model) for model in [CheckIn, *(model for model, _ in pruning.RECEIVED)]} == {
        Event: 2,  # with the one that the issue had
        Attachment: 1,
        UndigestedEntry: 1,
        Feedback: 1,
        IngestCount: 2,  # with that of the check-in
        ClientLoss: 1,
        IssueHour: 1,
        IssueCount: 1,
        CheckIn: 1,
    }
    assert left(Issue) == 1


def test_a_run_that_is_under_way_is_not_forgotten(session, make, issue, left, old_and_new, before):
    """It may take longer than events are kept; that it never ended is still to be told."""
    make.check_in(issue.project, "in_progress", at=old_and_new[0])
    pruning.prune_events(session, before=before)
    assert left(CheckIn) == 1
    session.scalars(select(CheckIn)).one().status = "timeout"
    session.flush()
    pruning.prune_events(session, before=before)
    assert left(CheckIn) == 0


def test_notices_go_with_all_that_was_recorded_about_them(
    session, make, issue, bob, left, old_and_new, before
):
    for at in old_and_new:
        make.delivery(make.notice(issue, occurred_at=at, planned_at=at), bob, state="accepted", created_at=at)
    pruning.prune_notices(session, before=before)
    assert (left(Notice), left(Verdict), left(Delivery)) == (1, 1, 1)


def test_a_notice_that_nobody_planned_is_not_forgotten(session, make, issue, left, old_and_new, before):
    make.notice(issue, occurred_at=old_and_new[0])
    pruning.prune_notices(session, before=before)
    assert left(Notice) == 1


def test_mails_without_a_notice_and_spent_links_go(session, make, bob, left, old_and_new, before):
    for at in old_and_new:
        writing.write_to(session, bob.email, "sign_in", {}, user=bob, now=at)
        spent = accounts.make_link(session, "sign_in", user=make.user(), now=at)
        accounts.use_link(session, "sign_in", spent, now=at)
        session.add(OneTimeLink(purpose="setup", secret_hash=at.isoformat(), created_at=at, used_at=at))
    session.add(OneTimeLink(purpose="setup", secret_hash="open", created_at=old_and_new[0]))
    session.flush()
    pruning.prune_notices(session, before=before)
    assert (left(Delivery), left(OneTimeLink)) == (1, 3)


def test_it_goes_chunk_by_chunk(session, make, issue, left, monkeypatch, old_and_new, before):
    monkeypatch.setattr(pruning, "CHUNK", 2)
    session.add_all(
        IssueHour(issue_id=issue.id, hour=old_and_new[0] - timedelta(hours=n), count=1) for n in range(5)
    )
    session.flush()
    assert [pruning.prune_events(session, before=before) for _ in range(4)] == [2, 2, 1, 0]
    assert left(IssueHour) == 0
