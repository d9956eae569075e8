"""What people write about errors: whose it is, what is kept of it, and how it is counted."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.domain.errors import Refused
from app.models import ClientLoss, Event, Feedback
from app.services.events import digesting, traffic
from app.services.events.stream_entry import ENVELOPE, Entry
from app.services.issues import feedback, removing
from app.services.issues.feedback import Words
from tests.make import envelope, payload

pytestmark = pytest.mark.both_databases
EARLY, CARD = "5" * 32, "4111 1111 1111 1111"


@pytest.fixture
def digest(session, cast, now):
    """Digest an envelope of these items, perhaps with an event."""

    def run(*items, event=None):
        plain = b"\n".join(line for header, data in items for line in (json.dumps(header).encode(), data))
        body = envelope(event, items=items) if event else b"{}\n" + plain
        entry = Entry(cast.shop.id, ENVELOPE, now, body, event_id=event["event_id"] if event else None)
        digesting.digest(session, [entry], now=now)
        session.expire_all()

    return run


def report(event_id, comments="It broke", **members):
    return {"type": "user_report"}, json.dumps(
        {"event_id": event_id, "comments": comments, **members}
    ).encode()


def test_words_get_the_issue_of_their_event_whichever_comes_first(session, digest, make, cast):
    digest(report(EARLY, "early"))
    assert session.scalars(select(Feedback.issue_id)).all() == [None]
    digest(report(EARLY, "together"), event=payload(event_id=EARLY))
    digest(report(EARLY, "late"))
    make.feedback(cast.shop, "by API", event_id=EARLY)
    issue_id = session.scalar(select(Event.issue_id))
    rows = session.execute(select(Feedback.comments, Feedback.issue_id).order_by(Feedback.id)).all()
    assert rows == [(each, issue_id) for each in ("early", "together", "late", "by API")]


def test_what_met_its_event_too_late_gets_its_issue_afterwards(session, digest, make, cast, now):
    row = make.feedback(cast.shop, event_id=EARLY)
    issue = make.issue(cast.shop)
    make.event(issue, event_id=EARLY)
    feedback.claim_late(session, since=now - timedelta(hours=1))
    session.refresh(row)
    assert row.issue_id == issue.id


def test_secrets_are_filtered_before_anything_is_kept(session, digest, cast):
    said = {
        "message": f"My card {CARD}",
        "contact_email": "j@example.net",
        "url": "https://x.example/?token=a&b=1",
    }
    item = ({"type": "feedback"}, json.dumps({"contexts": {"feedback": said}}).encode())
    digest(item)
    cast.shop.scrub_data = False
    session.flush()
    digest(item)
    filtered, plain = session.scalars(select(Feedback).order_by(Feedback.id))
    assert (filtered.comments, filtered.url) == (
        "My card [Filtered]",
        "https://x.example/?token=[Filtered]&b=1",
    )
    assert (plain.comments, plain.url) == (said["message"], said["url"])


def test_words_of_nothing_that_is_seen_are_not_kept(session, digest):
    digest(report(EARLY, "\a\u202e \u2066"))
    assert session.scalars(select(Feedback)).all() == []


def test_characters_that_nobody_sees_are_left_out(make, cast):
    said = make.feedback(cast.shop, "one\n\ttwo\0\x1b[31m \u202e\u2067eerht\u202c\u2069").comments
    assert said == "one\n\ttwo[31m eerht"


@pytest.mark.parametrize(
    ("words", "field"),
    [
        (Words(""), "comments"),
        (Words("x" * 8193), "comments"),
        (Words("x", name="x" * 201), "name"),
        (Words("x", email="jane"), "email"),
        (Words("x", email="a b@example.net"), "email"),
    ],
)
def test_words_that_cannot_be_kept_are_refused_by_name(session, cast, now, words, field):
    with pytest.raises(Refused) as refused:
        feedback.keep(session, cast.shop, words, event_id=EARLY, now=now)
    assert refused.value.field == field


def test_the_same_words_are_kept_once(make, cast):
    again = make.feedback(cast.shop, event_id=EARLY)
    assert make.feedback(cast.shop, event_id=EARLY) is again
    assert make.feedback(cast.shop, "Something else", event_id=EARLY) is not again


def test_what_is_about_a_deleted_issue_is_gone_at_once(session, make, cast, issue, now):
    event = make.event(issue)
    make.feedback(cast.shop, event_id=event.event_id)
    early = make.feedback(cast.shop, event_id=EARLY)
    removing.delete(session, [issue], by=cast.alice, now=now)
    assert [row.id for row in feedback.listed(session, cast.shop).rows] == [early.id]


def test_losses_are_counted_with_their_batch_by_category_and_reason(session, digest, cast, now):
    losses = [
        {"category": "error", "reason": "before_send", "quantity": 3},
        {"category": "error", "reason": "network_error", "quantity": 1},
        {"category": "transaction", "reason": "sample_rate", "quantity": 900},
    ]
    item = ({"type": "client_report"}, json.dumps({"discarded_events": losses}).encode())
    digest(item)
    digest(item)
    rows = session.execute(select(ClientLoss.category, ClientLoss.reason, ClientLoss.count)).all()
    assert set(rows) == {
        ("error", "before_send", 6),
        ("error", "network_error", 2),
    }
    lost = traffic.of_project(session, cast.shop, now=now).lost
    assert [(each.count, each.noun, each.words) for each in lost] == [
        (6, "event", "dropped by before_send"),
        (2, "event", "the server could not be reached"),
    ]
