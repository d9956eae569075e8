"""What a rule would have done: how much was looked at, whom it would have told, and what is not certain."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from app.domain.rule_content import Content
from app.models import AlertRule, Event, RuleFiring
from app.services.issues import merging, resolving
from app.services.preferences import preferring
from app.services.rules import rule_preview
from app.services.rules.rule_reaching import Inquiry
from app.services.rules.rule_replaying import FEW, Budget
from tests.make import payload
from tests.support.ringing import Digester, make_rule

OWNERS = {"id": "mail", "target": "owners", "fallback": "all"}
COUNT = {"id": "event_count", "value": 2, "interval": "30d"}


@pytest.fixture
def shop(make, session, ann):
    acme = make.organization()
    make.member(acme, ann)
    session.execute(update(AlertRule).values(is_active=False))
    return make.project(acme, "shop", teams=[make.team(acme, members=[ann, make.member(acme)])])


@pytest.fixture
def ann(make):
    return make.user("Ann")


@pytest.fixture
def preview(session, shop, ann, now):
    """Of a rule with these rows, some days from now."""

    def previewed(*conditions, days=1, budget=None, saved=None, **members):
        content = Content("Draft", conditions, [OWNERS], **members)
        instance = preferring.defaults(session, workflow="always")
        inquiry = Inquiry(now + timedelta(days=days), ann, True, instance)
        return rule_preview.preview(session, shop, content, inquiry, saved=saved, budget=budget)

    return previewed


@pytest.fixture
def digest(session, shop, now):
    return Digester(session, shop, now)


def places(done):
    return [note.path for note in done.notes]


def words(done):
    return " ".join(note.sentence for note in done.notes)


@pytest.mark.both_databases
def test_a_preview_counts_issues_firings_messages_and_the_largest_hour(digest, preview):
    for minutes in (0, 40, 50, 80):
        digest(payload("A: a"), minutes=minutes)
    digest(payload("B: b"), minutes=90)
    done = preview({"id": "every_event"}, frequency_minutes=0)
    assert [(each.issue.title, each.times, each.told) for each in done.issues] == [
        ("A: a", 4, 8),
        ("B: b", 1, 2),
    ]
    assert (done.firings, done.issue_count, done.recent, done.told) == (5, 2, 5, 10)
    assert done.largest_hour.firings == 3
    assert done.issues[0].last - done.issues[0].first == timedelta(minutes=80)
    assert preview({"id": "every_event"}, frequency_minutes=60).firings == 3
    assert preview({"id": "every_event"}, days=13.9, frequency_minutes=0).recent == 0
    assert preview({"id": "every_event"}, days=30, frequency_minutes=0).firings == 0


def test_nothing_is_written(digest, preview, session, count_statements):
    digest(payload("A: a"))
    session.commit()
    with count_statements() as sent:
        preview({"id": "every_event"}, COUNT)
    assert {each.split()[0] for each in sent} <= {"BEGIN", "SELECT"}
    assert not session.new
    assert not session.dirty


def test_bodies_are_read_only_where_a_row_asks_for_them(digest, preview, count_statements):
    digest(*(payload("A: a", level=level) for level in ("error", "fatal", "fatal")))
    tag = {"id": "tag", "key": "browser", "match": "co", "value": "fire"}

    def looked(*rows, **members):
        with count_statements() as sent:
            done = preview(*rows, frequency_minutes=0, **members)
        return done.firings, sum("SELECT events.id, events.body" in each for each in sent)

    assert looked({"id": "every_event"}) == (3, 0)
    assert looked(tag) == (3, 1)
    assert looked({"id": "level", "match": "lte", "level": "debug"}, tag) == (0, 0)


@dataclass
class Ticking:
    """A clock that goes on by so much each time it is looked at."""

    seconds: float
    at: float = 0

    def __call__(self):
        self.at += self.seconds
        return self.at


@pytest.fixture
def many(make, session, shop, now):
    """More events than are looked at in a hurry, a second apart, stored past the digester."""
    issue = make.issue(shop)
    first = make.event(issue, at=now)
    columns = {each.name: getattr(first, each.name) for each in Event.__table__.columns if each.name != "id"}
    rows = [
        {**columns, "event_id": f"{n:032x}", "received_at": now + timedelta(seconds=n)}
        for n in range(1, FEW + 1000)
    ]
    session.connection().execute(Event.__table__.insert(), rows)
    issue.times_seen = len(rows) + 1
    session.flush()
    return issue


@pytest.mark.both_databases
def test_when_time_is_short_the_newest_events_are_looked_at(many, preview, now):
    every = {"id": "every_event"}
    done = preview(every, frequency_minutes=0, budget=Budget(clock=Ticking(1)))
    assert (done.events, done.total, done.firings, done.is_whole) == (FEW, FEW + 1000, FEW, False)
    assert done.since == now + timedelta(seconds=1000)
    whole = preview(every, frequency_minutes=0, budget=Budget(seconds=600))
    assert (whole.events, whole.firings, whole.is_whole) == (FEW + 1000, FEW + 1000, True)
    few = preview(every, frequency_minutes=0, budget=Budget(seconds=600, events=100))
    assert (few.events, few.total, few.firings, few.since) == (100, FEW + 1000, 100, few.issues[0].first)


def test_what_is_looked_at_in_part_counts_as_if_it_were_all(many, preview):
    """Which of its issue's an event was, and how many there were before it, stays as it was."""
    count = {"id": "event_count", "value": FEW + 900, "interval": "1d"}
    nth = {"id": "occurrences", "value": FEW + 900}
    hurry = {"budget": Budget(clock=Ticking(0.01)), "frequency_minutes": 0}
    assert preview(count, **hurry).firings == 99 + 1
    assert preview({"id": "every_event"}, filters=[nth], **hurry).firings == 101


def test_counts_that_reach_back_beyond_what_is_kept_are_named(digest, preview, session, shop, now):
    digest(payload("A: a"), minutes=-30 * 1440)
    digest(payload("A: a"))
    assert places(preview(COUNT)) == []
    session.execute(delete(Event).where(Event.received_at < now - timedelta(days=1)))
    done = preview(COUNT)
    assert places(done) == ["", "conditions.0"]
    assert "Events from before Fri 20 Nov 12:00 UTC are no longer kept." in words(done)
    assert "Condition 1: Counts nothing from before Fri 20 Nov 12:00 UTC" in words(done)


def test_events_that_only_count_and_were_too_many_are_named(digest, preview):
    for days in (-20, -19, -18, 0):
        digest(payload("A: a"), minutes=days * 1440)
    assert preview(COUNT).firings == 1
    assert places(preview(COUNT, budget=Budget(warm=1))) == ["conditions.0"]


def test_releases_merges_and_long_rests_are_named(digest, preview, session, make, shop, ann, now):
    digest(payload("A: a"), payload("B: b"))
    latest = {"filters": [{"id": "latest_release"}]}
    assert places(preview({"id": "every_event"}, **latest)) == []
    assert places(preview({"id": "every_event"}, environment="production", **latest)) == ["filters.0"]
    make.release(shop, "shop@2.0.0").date_released = now
    assert "some were set meanwhile" in words(preview({"id": "every_event"}, **latest))
    assert places(preview({"id": "every_event"}, repeats="until_resolved")) == ["frequency"]
    merging.merge(session, [each.issue for each in session.scalars(select(Event))], by=ann, now=now)
    assert "1 issue took in others" in words(preview({"id": "every_event"}))


def test_an_issue_that_is_deleted_is_no_part_of_it(digest, preview, session):
    digest(payload("A: a"))
    issue = session.scalars(select(Event)).one().issue
    issue.status = "deleting"
    session.flush()
    assert preview({"id": "every_event"}).firings == 0


@pytest.mark.both_databases
def test_once_until_resolved_goes_by_each_issue_of_its_own(digest, session, shop, ann, now):
    rule = make_rule(session, shop, "every_event", now=now, repeats="until_resolved")
    digest(payload("A: a"), payload("B: b"), payload("C: c"))
    last = session.scalars(select(Event).order_by(Event.id.desc())).first().issue
    resolving.resolve(session, last, by=ann, now=now + timedelta(minutes=1))
    assert digest(payload("A: a"), payload("B: b"), minutes=2) == []
    assert digest(payload("C: c"), minutes=3) == ["regression", "alert.regression"]
    fired = session.scalars(select(RuleFiring.issue_id).where(RuleFiring.last_fired > now))
    assert (rule.trouble, fired.all()) == (None, [last.id])
