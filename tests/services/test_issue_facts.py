"""What an issue's page tells beside its events."""

from datetime import timedelta

import pytest

from app.domain.errors import NotFound
from app.domain.preferences import Choices, InForce
from app.models import IssueHour, IssueTag, Subscription
from app.services.issues import (
    assigning,
    commenting,
    ignoring,
    issue_events,
    issue_facts,
    issue_lists,
    issue_timeline,
    resolving,
    timeline,
)
from app.services.preferences import preferring, subscribing

ALWAYS, PARTICIPATING, NEVER = (
    Choices(workflow=InForce(value, "account")) for value in ("always", "participating", "never")
)
NOTHING = Choices(workflow=InForce("never", "account"), alerts=InForce("off", "account"))
SUBSCRIBED = Subscription(state="subscribed", reasons=["commented"], via="web")
UNSUBSCRIBED = Subscription(state="unsubscribed", reasons=[], via="mail")

STANDINGS = {
    "follows": (SUBSCRIBED, ALWAYS, True, "subscribed", "unsubscribe"),
    "gets everything": (None, ALWAYS, True, "always", "unsubscribe"),
    "only what they subscribe to": (None, PARTICIPATING, True, "alerts_only", "subscribe"),
    "asked to be left alone": (UNSUBSCRIBED, ALWAYS, True, "unsubscribed", "subscribe"),
    "asked so, and turned it off": (UNSUBSCRIBED, NEVER, True, "unsubscribed", "subscribe"),
    "turned workflow off": (SUBSCRIBED, NEVER, True, "off", "silence"),
    "turned everything off": (None, NOTHING, True, "off", None),
    "in no team": (SUBSCRIBED, ALWAYS, False, "outside", None),
}


@pytest.mark.parametrize(("row", "choices", "member", "state", "offer"), STANDINGS.values(), ids=STANDINGS)
def test_one_state_says_how_the_reader_stands_and_what_they_can_do(row, choices, member, state, offer):
    found = issue_facts.following(row, choices, is_member=member)
    assert found.state == state
    assert found.can_subscribe == (offer == "subscribe")
    assert found.can_unsubscribe == (offer == "unsubscribe")
    assert found.can_silence == (offer == "silence")


def test_the_standing_follows_what_the_person_chose(make, cast, session, issue, now):
    def state(user):
        instance = preferring.defaults(session, workflow="always")
        return issue_facts.people(session, issue, user, instance).following.state

    assert state(cast.bob) == "always"
    preferring.choose(session, cast.bob, "workflow", "participating", project=cast.shop, via="web", now=now)
    assert state(cast.bob) == "alerts_only"
    subscribing.subscribe(session, issue, user=cast.bob, now=now, via="web")
    assert state(cast.bob) == "subscribed"
    assert state(cast.dee) == "outside"


def test_participants_are_the_members_who_follow_with_their_reasons(make, cast, session, issue, now):
    make.subscription(issue, cast.bob, "commented", "assigned")
    make.subscription(issue, cast.cy, state="unsubscribed")
    make.subscription(issue, cast.dee, "mention")
    people = issue_facts.people(session, issue, cast.alice, preferring.defaults(session, workflow="always"))
    assert [(each.user.name, each.reasons) for each in people.participants] == [
        ("Bob", ["commented", "assigned"])
    ]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({}, "new"),
        ({"first_seen": timedelta(days=8)}, "ongoing"),
        ({"regressed_at": timedelta(hours=1)}, "regressed"),
        ({"status": "resolved", "regressed_at": timedelta(hours=1)}, None),
        ({"status": "ignored"}, None),
    ],
)
def test_an_unresolved_issue_is_new_regressed_or_ongoing(make, shop, now, columns, expected):
    made = {name: now - ago if isinstance(ago, timedelta) else ago for name, ago in columns.items()}
    assert issue_facts.substatus(make.issue(shop, **made), now=now) == expected


@pytest.mark.both_databases
def test_a_tag_shows_its_most_frequent_values_and_their_share(make, session, issue):
    for key, value, count in (
        ("browser", "Firefox", 6),
        ("browser", "Chrome", 3),
        ("browser", "Opera", 2),
        ("browser", "Lynx", 1),
        ("os", "Linux", 5),
    ):
        session.add(IssueTag(issue_id=issue.id, key=key, value=value, count=count, last_seen=issue.last_seen))
    shares, _ = issue_lists.brief(session, issue)
    assert {key: [(each.value, each.percent) for each in values] for key, values in shares.items()} == {
        "browser": [("Firefox", 50), ("Chrome", 25), ("Opera", 17)],
        "os": [("Linux", 100)],
    }


def test_thirty_days_end_today(make, session, issue, now):
    midnight = now.replace(hour=0)
    for ago, count in ((0, 1), (29 * 24, 4), (29 * 24 + 1, 8), (30 * 24, 16)):
        session.add(IssueHour(issue_id=issue.id, hour=midnight - timedelta(hours=ago), count=count))
    points = issue_lists.of(session, issue, now=now).days
    assert (len(points), points[0], points[-1], sum(points)) == (30, 4, 1, 5)


# Events


@pytest.mark.both_databases
def test_events_lead_to_their_neighbours_even_when_they_share_a_time(make, session, shop, now):
    issue = make.issue(shop)
    first, second, third = (make.event(issue, at=now + timedelta(seconds=n)) for n in (0, 1, 1))
    make.event(make.issue(shop), at=now + timedelta(seconds=2))

    def around(which):
        shown = issue_events.show(session, issue, which)
        return shown.older, shown.event.event_id, shown.newer

    assert around("oldest") == (None, first.event_id, second.event_id)
    assert around(second.event_id) == (first.event_id, second.event_id, third.event_id)
    assert around("latest") == (second.event_id, third.event_id, None)


def test_an_event_of_another_issue_is_not_there(make, session, shop, issue):
    other = make.event(make.issue(shop))
    for which in (other.event_id, "f" * 32, "nonsense"):
        with pytest.raises(NotFound):
            issue_events.show(session, issue, which)


def test_an_issue_whose_events_are_gone_has_none_to_show(make, session, shop):
    assert issue_events.show(session, make.issue(shop), "latest") is None


# Timeline


@pytest.mark.both_databases
def test_the_timeline_tells_what_happened_newest_first(make, cast, session, now):
    issue = make.arrival(cast.shop, at=now)
    later = [now + timedelta(minutes=n) for n in range(5)]
    assigning.assign(session, issue, to=cast.bob, by=cast.alice, now=later[1])
    ignoring.ignore(session, issue, by=cast.alice, now=later[2])
    resolving.resolve(session, issue, by=cast.bob, now=later[3])
    commenting.comment(session, issue, text="done", by=cast.bob, now=later[4])
    found = issue_timeline.of(session, issue, reader=cast.bob, now=now)
    assert [(entry.type, entry.who, entry.notice is not None) for entry in found.entries] == [
        ("note", "Bob", True),
        ("set_resolved", "Bob", True),
        ("set_ignored", "Alice", False),
        ("assigned", "Alice", True),
        ("alert", "Tocsin", True),
        ("first_seen", "Tocsin", False),
    ]
    assert found.newest_activity == issue_timeline.newest_activity(session, issue)
    assert not found.more


def test_a_long_timeline_says_that_there_is_more(cast, session, issue, now):
    for n in range(3):
        commenting.comment(session, issue, text=f"number {n}", by=cast.bob, now=now + timedelta(minutes=n))
    found = issue_timeline.of(session, issue, reader=cast.bob, now=now, limit=2)
    assert [entry.data["text"] for entry in found.entries] == ["number 2", "number 1"]
    assert found.more


def test_what_is_said_twice_in_a_row_is_shown_once_except_comments(cast, session, issue, now):
    for _ in range(2):
        timeline.record(session, issue, "set_unresolved", by=cast.bob, now=now)
    for hours in (0, 2):
        commenting.comment(session, issue, text="same", by=cast.bob, now=now + timedelta(hours=hours))
    found = issue_timeline.of(session, issue, reader=cast.bob, now=now)
    types = [entry.type for entry in found.entries]
    assert types == ["note", "note", "set_unresolved", "first_seen"]
