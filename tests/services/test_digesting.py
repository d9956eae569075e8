"""What a batch of stream entries becomes: issues, counts, timeline, and what is told of it."""

import json
import uuid
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from app.domain import priority
from app.models import (
    Activity,
    Attachment,
    Environment,
    Event,
    Feedback,
    IngestCount,
    Issue,
    IssueHash,
    IssueHour,
    IssueTag,
    IssueText,
    IssueTrait,
    IssueUser,
    Notice,
    Project,
    Release,
    ReleaseProject,
)
from app.services.events import digesting, event_body
from app.services.events.stream_entry import ENVELOPE, Entry, tally
from app.services.issues import resolving
from app.services.people import workspaces
from tests.make import envelope, payload

pytestmark = pytest.mark.both_databases


def entry(project: Project, event=None, *, at: datetime, items=(), **fields) -> Entry:
    event = payload() if event is None else event
    body = envelope(event, items=items)
    return Entry(project.id, ENVELOPE, at, body, event_id=event["event_id"], **fields)


@pytest.fixture
def shop(make):
    return make.project(slug="shop")


@pytest.fixture
def digest(session, shop, now):
    """Digest events of shop in one batch, received now or at another moment."""

    def run(*events, at: datetime | None = None, by: datetime | None = None):
        entries = [each if isinstance(each, Entry) else entry(shop, each, at=at or now) for each in events]
        done = digesting.digest(session, entries, now=by or at or now)
        session.expire_all()
        return done

    return run


def only_issue(session) -> Issue:
    return session.scalars(select(Issue)).one()


def stamped(at: datetime, title: str = "KeyError: cart", **members):
    return payload(title, timestamp=at.isoformat(), **members)


# Issues


def test_events_of_one_fingerprint_are_one_issue(session, digest):
    digest(payload(), payload(), payload("ValueError: other"))
    digest(payload())
    issues = session.scalars(select(Issue).order_by(Issue.number)).all()
    assert [(issue.short_id, issue.times_seen) for issue in issues] == [("SHOP-1", 3), ("SHOP-2", 1)]
    assert len(session.scalars(select(IssueHash.hash)).all()) == 2


def test_an_issue_is_told_by_its_first_event_and_graded_by_its_latest(session, digest, now):
    digest(stamped(now, "KeyError: first", level="warning"))
    digest(stamped(now + timedelta(seconds=9), "KeyError: second", level="fatal"))
    digest(stamped(now + timedelta(seconds=5), "KeyError: came late", level="info"))
    issue = only_issue(session)
    assert (issue.title, issue.level) == ("KeyError: first", "fatal")
    assert (issue.first_seen, issue.last_seen) == (now, now + timedelta(seconds=9))


def test_an_event_that_is_older_than_the_issue_moves_its_beginning(session, digest, now):
    digest(stamped(now), stamped(now - timedelta(hours=2)))
    assert only_issue(session).first_seen == now - timedelta(hours=2)


def test_two_projects_share_neither_issues_nor_numbers(session, make, shop, now):
    other = make.project(slug="other")
    digesting.digest(session, [entry(shop, at=now), entry(other, at=now)], now=now)
    assert sorted(session.scalars(select(Issue.short_id))) == ["OTHER-1", "SHOP-1"]


def test_the_same_event_id_in_two_projects_is_two_events(session, make, shop, now):
    other, event = make.project(slug="other"), payload()
    digesting.digest(session, [entry(shop, event, at=now), entry(other, event, at=now)], now=now)
    assert len(session.scalars(select(Event.id)).all()) == 2


def test_numbers_go_on_where_they_were(session, digest, shop):
    shop.last_issue_number = 31
    session.flush()
    digest(payload("A: a"), payload("B: b"))
    assert set(session.scalars(select(Issue.short_id))) == {"SHOP-10", "SHOP-11"}


def test_an_event_is_kept_whole(session, digest, now):
    event = stamped(now, extra={"n": 1}, contexts={"os": {"name": "Linux"}})
    digest(event)
    row = session.scalars(select(Event)).one()
    body = event_body.unpack(row.body)
    assert (row.event_id, row.environment, row.release) == (event["event_id"], "production", "shop@1.0.0")
    assert body["extra"] == {"n": 1}
    assert ["browser", "Firefox 128"] in body["tags"]
    assert body["exception"]
    assert body["grouping"]


# Counts


def test_people_are_counted_once_however_often_they_meet_an_issue(session, digest):
    digest(payload(user={"id": 1}), payload(user={"id": 2}), payload(user={"id": 1}), payload(user=None))
    digest(payload(user={"id": 2}), payload(user={"email": "a@example.org"}))
    assert only_issue(session).users_seen == 3
    assert len(session.scalars(select(IssueUser.ident)).all()) == 3


def test_hours_and_tags_add_up_over_batches(session, digest, now):
    digest(stamped(now), stamped(now), stamped(now - timedelta(hours=1)))
    digest(stamped(now, tags={"browser": "Safari"}))
    hours = session.execute(select(IssueHour.hour, IssueHour.count).order_by(IssueHour.hour)).all()
    assert hours == [(now - timedelta(hours=1), 1), (now, 3)]
    tags = session.execute(select(IssueTag.value, IssueTag.count).where(IssueTag.key == "browser")).all()
    assert sorted(tags) == [("Firefox 128", 3), ("Safari", 1)]


def test_a_late_event_does_not_make_a_tag_older(session, digest, now):
    for at in (now, now - timedelta(hours=1)):
        digest(stamped(at))
    seen = session.scalars(select(IssueTag.last_seen).where(IssueTag.key == "browser")).all()
    assert seen == [now]


def test_releases_and_environments_exist_once_an_event_names_them(session, digest, make, shop, now):
    digest(payload(release="shop@1", environment="staging"), payload(release="shop@2", environment="staging"))
    digest(payload(release="shop@1", environment="production"), payload(release=None, environment=None))
    assert sorted(session.scalars(select(Release.version))) == ["shop@1", "shop@2"]
    assert sorted(session.scalars(select(Environment.name))) == ["production", "staging"]
    sibling = make.project(shop.organization, "sibling")
    digesting.digest(session, [entry(sibling, payload(release="shop@1"), at=now)], now=now)
    assert len(session.scalars(select(Release.id)).all()) == 2, "a release belongs to the organization"
    assert len(session.scalars(select(ReleaseProject.release_id)).all()) == 3


def test_a_release_knows_its_first_and_last_event(session, digest, now):
    first, second, third = (now + timedelta(seconds=seconds) for seconds in (2, 5, 9))
    for at in (second, third, first):  # which comes late
        digest(stamped(at, release="shop@1"))
    link = session.scalars(select(ReleaseProject)).one()
    assert (link.first_event_at, link.last_event_at) == (first, third)


def test_first_and_last_release_frame_an_issue(session, digest, now):
    digest(stamped(now, release="shop@1"))
    digest(stamped(now + timedelta(seconds=1), release="shop@2"))
    digest(stamped(now + timedelta(seconds=2), release=None))
    assert (only_issue(session).first_release, only_issue(session).last_release) == ("shop@1", "shop@2")


def test_the_first_event_of_a_project_is_noted_once(session, digest, shop, now):
    digest(payload(), at=now)
    digest(payload(), at=now + timedelta(minutes=1))
    assert shop.first_event_at == now


def test_all_that_comes_in_is_counted_by_what_became_of_it(session, digest, shop, now):
    items = [
        ({"type": "attachment", "filename": "a.log"}, b"x"),
        ({"type": "session"}, b"{}"),
        ({"type": "sessions"}, b"{}"),
        ({"type": "transaction"}, b"{}"),
        ({"type": "never-heard-of"}, b"\x00"),
        ({"type": "user_report"}, b"not JSON"),
        ({"type": "event"}, b'{"message":"a second one"}'),
    ]
    whole = entry(shop, at=now, items=items)
    digest(whole, whole, tally(shop.id, now, [("error", "rate_limited"), ("error", "overloaded")]))
    counted = session.execute(select(IngestCount.category, IngestCount.outcome, IngestCount.count))
    assert {(category, outcome): count for category, outcome, count in counted} == {
        ("error", "accepted"): 1,
        ("error", "duplicate"): 1,
        ("error", "dropped"): 2,
        ("error", "rate_limited"): 1,
        ("error", "overloaded"): 1,
        ("attachment", "accepted"): 1,
        ("attachment", "duplicate"): 1,
        ("session", "dropped"): 4,
        ("transaction", "dropped"): 2,
        ("unknown", "dropped"): 2,
        ("feedback", "invalid"): 2,
    }


# What comes beside an event


def test_attachments_lie_with_their_event_under_their_base_name(session, digest, shop, now):
    items = [
        ({"type": "attachment", "filename": "../../etc/passwd", "content_type": "text/plain"}, b"root"),
        ({"type": "attachment", "filename": "C:\\logs\\app.log"}, b""),
    ]
    event = payload()
    digest(entry(shop, event, at=now, items=items))
    rows = session.scalars(select(Attachment).order_by(Attachment.id)).all()
    assert [(row.name, row.size, row.event_id) for row in rows] == [
        ("passwd", 4, event["event_id"]),
        ("app.log", 0, event["event_id"]),
    ]
    assert (rows[0].content_type, rows[1].type) == ("text/plain", "event.attachment")


def test_names_of_attachments_are_one_line_that_can_be_shown(session, digest, shop, now):
    header = {"filename": "a\r\nX-Evil: 1\x1b\u202e.log", "content_type": "text/\nplain"}
    digest(entry(shop, payload(), at=now, items=[({"type": "attachment", **header}, b"x")]))
    row = session.scalars(select(Attachment)).one()
    assert (row.name, row.content_type) == ("aX-Evil: 1.log", "text/plain")


def alone(shop, event_id: str, item_type: str, payload: dict | bytes, at: datetime, **headers) -> Entry:
    item = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    header = json.dumps({"type": item_type, "length": len(item), **headers}).encode()
    return Entry(shop.id, ENVELOPE, at, b"{}\n" + header + b"\n" + item, event_id=event_id)


def test_feedback_too_large_to_be_one_is_counted_and_not_read(session, digest, shop, now):
    said = {"comments": "x" * (1 << 20)}
    digest(alone(shop, "a" * 32, "user_report", said, now))
    assert session.scalars(select(Feedback)).all() == []
    [count] = session.scalars(select(IngestCount))
    assert (count.category, count.outcome) == ("feedback", "invalid")


def test_an_attachment_may_follow_its_event_but_not_stand_alone(session, digest, shop, now):
    event = payload()
    digest(event)
    digest(
        alone(shop, event["event_id"], "attachment", b"x", now, filename="late.log"),
        alone(shop, uuid.uuid4().hex, "attachment", b"x", now, filename="orphan.log"),
    )
    assert session.scalars(select(Attachment.name)).all() == ["late.log"]


def test_feedback_may_come_before_its_event(session, digest, shop, now):
    report = {
        "event_id": str(uuid.UUID(int=5)),
        "name": "Ana",
        "email": "a@example.org",
        "comments": "It broke",
    }
    modern = {
        "contexts": {"feedback": {"message": "So slow", "associated_event_id": "5" * 32, "url": "/cart"}}
    }
    digest(
        alone(shop, "a" * 32, "user_report", report, now),
        alone(shop, "b" * 32, "feedback", modern, now),
    )
    rows = session.execute(select(Feedback.event_id, Feedback.name, Feedback.comments, Feedback.url)).all()
    assert sorted(rows) == [
        (uuid.UUID(int=5).hex, "Ana", "It broke", ""),
        ("5" * 32, "", "So slow", "/cart"),
    ]
    assert session.scalars(select(Issue.id)).all() == []


# Regressions


@pytest.fixture
def resolved(session, digest, make, now):
    """An issue that somebody resolved a minute after it was seen."""
    digest(stamped(now))
    issue = only_issue(session)
    resolving.resolve(session, issue, by=make.user("Ann"), now=now + timedelta(minutes=1))
    session.flush()
    return issue


def test_what_happens_again_after_it_was_resolved_is_a_regression(session, digest, resolved, now):
    at = now + timedelta(minutes=2)
    event = stamped(at, release="shop@2")
    done = digest(event, at=at)
    assert (resolved.status, resolved.resolved_at, resolved.regressed_at) == ("unresolved", None, at)
    assert resolved.active_at == at
    activity = session.scalars(select(Activity).where(Activity.type == "set_regression")).one()
    assert activity.actor_id is None
    assert activity.data == {"version": "shop@2", "event_id": event["event_id"]}
    notice = session.scalars(select(Notice).where(Notice.activity_id == activity.id)).one()
    assert (notice.kind, notice.event_id) == ("regression", event["event_id"])
    assert notice.id in done.notice_ids


def test_two_events_that_regress_one_issue_tell_of_it_once(session, digest, resolved, now):
    at = now + timedelta(minutes=2)
    digest(stamped(at), stamped(at), at=at)
    digest(stamped(at), at=at)
    assert len(session.scalars(select(Activity).where(Activity.type == "set_regression")).all()) == 1
    assert resolved.times_seen == 4


def test_an_event_that_was_on_its_way_when_somebody_resolved_is_no_regression(session, digest, resolved, now):
    digest(stamped(now), at=now + timedelta(seconds=59), by=now + timedelta(minutes=5))
    assert (resolved.status, resolved.times_seen) == ("resolved", 2)
    assert session.scalars(select(Activity).where(Activity.type == "set_regression")).all() == []


def test_an_ignored_issue_stays_ignored_and_goes_on_counting(session, digest, make, now):
    digest(payload())
    issue = only_issue(session)
    issue.status = "ignored"
    session.flush()
    digest(payload(), at=now + timedelta(hours=1))
    assert (issue.status, issue.times_seen) == ("ignored", 2)


def test_an_issue_that_somebody_ignored_just_before_its_regression_stays_ignored(session, resolved, now):
    """The digester read it as resolved; the person was quicker."""
    from app.services.events.digest_issues import Seen
    from app.services.issues import regressing

    event = session.scalars(select(Event)).one()
    stale = Seen(resolved.project, event, b"", resolved)  # type: ignore[arg-type]
    session.connection().exec_driver_sql("UPDATE issues SET status = 'ignored', resolved_at = NULL")
    assert resolved.status == "resolved"
    assert regressing.regress(session, [stale], now=now + timedelta(hours=1)) == []


# Numbers of statements


def test_a_larger_batch_takes_no_more_statements(session, digest, count_statements, now):
    def batch(size: int, mark: str):
        return [stamped(now, f"{mark}{n}: x", user={"id": n}, release=f"r{n}") for n in range(size)]

    digest(*batch(1, "A"))
    with count_statements() as few:
        digest(*batch(3, "B"))
    with count_statements() as many:
        digest(*batch(60, "C"))
    assert len(many) <= len(few)


SAID = {
    "user": {"id": "7", "email": "ana@example.org", "geo": {"city": "Graz"}},
    "request": {"url": "https://shop.example/pay"},
    "transaction": "pay",
    "contexts": {"os": {"name": "Linux", "version": 6}, "device": {"family": "", "battery_level": 40}},
}
FRAMES = [{"function": "run", "in_app": False}, *({"function": f"f{n}", "in_app": True} for n in range(12))]


def test_what_events_say_outside_their_tags_is_kept_once_for_searches(session, digest):
    one = payload("KeyError: cart", **SAID)
    one["exception"]["values"][-1]["stacktrace"] = {"frames": FRAMES}
    other = {**one, "event_id": uuid.uuid4().hex, "user": {"username": "bob"}}
    digest(one, other)
    found = {(row.key, row.value) for row in session.scalars(select(IssueTrait))}
    assert {(key, value) for key, value in found if not key.startswith("stack.")} == {
        ("user.id", "7"),
        ("user.email", "ana@example.org"),
        ("user.username", "bob"),
        ("geo.city", "Graz"),
        ("os.name", "Linux"),
        ("os.version", "6"),
        ("transaction", "pay"),
        ("url", "https://shop.example/pay"),
        ("error.type", "KeyError"),
    }
    assert {value for key, value in found if key == "stack.function"} == {f"f{n}" for n in range(2, 12)}


def test_a_new_issue_can_be_found_by_its_words_and_its_priority(session, digest, now):
    digest(payload("KeyError: CART"), payload("KeyError: CART"))
    issue, words = only_issue(session), session.scalars(select(IssueText)).one()
    assert words.text.startswith("keyerror: cart\n")
    assert issue.priority == priority.of(2, issue.last_seen)


def test_when_a_key_was_last_used_is_noted_at_most_once_a_minute(session, digest, make, shop, now):
    key, other = workspaces.create_key(session, shop, now=now), workspaces.create_key(session, shop, now=now)
    for seconds, noted in ((0, 0), (59, 0), (60, 60), (30, 60)):  # what comes late takes nothing back
        at = now + timedelta(seconds=seconds)
        digest(entry(shop, at=at, key_id=key.id))
        assert (key.last_used_at, other.last_used_at) == (now + timedelta(seconds=noted), None)
