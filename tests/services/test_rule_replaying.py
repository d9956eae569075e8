"""A rule replayed over the past fires for the events that it fired for, and leaves no trace."""

import random
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.domain import rule_content
from app.domain.ignoring import Condition
from app.models import AlertRule, Event, Issue, Notice
from app.services.issues import assigning, ignoring, resolving, waking
from app.services.rules import rule_replaying
from app.services.rules.rule_replaying import Budget
from tests.make import payload
from tests.services.test_counting import some_events, some_rules
from tests.support.ringing import Digester, make_rule

ENDLESS = Budget(seconds=60)
TITLES = ("A: a", "B: b", "C: c")


@pytest.fixture
def ann(make):
    return make.user("Ann")


@pytest.fixture
def shop(make, session, ann):
    acme = make.organization()
    make.member(acme, ann)
    shop = make.project(acme, "shop", teams=[make.team(acme, members=[ann])])
    session.execute(update(AlertRule).values(is_active=False))
    return shop


@pytest.fixture
def digest(session, shop, now):
    return Digester(session, shop, now)


@pytest.fixture
def rule(session, shop, now):
    return lambda *conditions, **columns: make_rule(session, shop, *conditions, now=now, **columns)


@pytest.fixture
def replay(session, shop, now):
    """The rule as it is stored, replayed so many minutes from now."""

    def replayed(rule, *, minutes=0, budget=ENDLESS, saved=None):
        at = now + timedelta(minutes=minutes)
        content = rule_content.of(rule)
        return rule_replaying.replay(session, shop, content, now=at, saved=saved, budget=budget)

    return replayed


def would_ring(session, replayed):
    names = {key: name for key, name in session.execute(select(Event.id, Event.event_id))}
    return [(each.issue_id, names[each.event], each.at, each.kind) for each in replayed.firings]


def rang(session, rule, since=None):
    found = select(Notice.issue_id, Notice.event_id, Notice.occurred_at, Notice.kind)
    found = found.where(Notice.rule_id == rule.id).order_by(Notice.id)
    return [tuple(row) for row in session.execute(found) if since is None or row.occurred_at >= since]


@pytest.mark.parametrize("seed", range(2))
def test_what_rules_counted_is_counted_again(session, shop, now, seed, digest, replay):
    chance = random.Random(seed)
    came = some_events(chance, now)
    rules = [
        make_rule(session, shop, each["row"], now=now, environment=each["environment"], frequency_minutes=0)
        for each in some_rules(chance)
    ]
    for each in came:
        digest.received([(each.sent, each.at)])
    end = max(each.at for each in came)
    some = 0
    for each in rules:
        found = replay(each, minutes=(end - now) / timedelta(minutes=1))
        expected = [one for one in rang(session, each) if one[2] >= found.since]
        assert would_ring(session, found) == expected, each.conditions
        some += len(expected)
    assert some > 50


RULES = {
    "new": ({"id": "first_seen"}, {}),
    "new in production": ({"id": "first_seen"}, {"environment": "production"}),
    "back": ({"id": "regression"}, {"frequency_minutes": 0}),
    "reappeared": ({"id": "reappeared"}, {"frequency_minutes": 0}),
    "every half hour": ({"id": "every_event"}, {"frequency_minutes": 30}),
    "every day in staging": ({"id": "every_event"}, {"frequency_minutes": 1440, "environment": "staging"}),
    "once": ({"id": "every_event"}, {"repeats": "once"}),
    "until resolved": ({"id": "every_event"}, {"repeats": "until_resolved"}),
    "often": ({"id": "event_count", "value": 3, "interval": "1h"}, {"frequency_minutes": 60}),
    "often in production": (
        {"id": "event_count", "value": 2, "interval": "1d"},
        {"frequency_minutes": 10, "environment": "production"},
    ),
    "many people": ({"id": "user_count", "value": 2, "interval": "1d"}, {"frequency_minutes": 180}),
    "more than before": (
        {"id": "event_count", "value": 50, "interval": "1h", "comparison": "percent", "earlier": "1h"},
        {"frequency_minutes": 0},
    ),
    "hers": (
        {"id": "every_event"},
        {"frequency_minutes": 5, "filters": [{"id": "assigned_to", "target": "member", "targetId": None}]},
    ),
    "nobody's": (
        {"id": "every_event"},
        {"frequency_minutes": 5, "filters": [{"id": "assigned_to", "target": "none"}]},
    ),
    "the tenth": (
        {"id": "every_event"},
        {"frequency_minutes": 0, "filters": [{"id": "occurrences", "value": 10}]},
    ),
    "old": (
        {"id": "every_event"},
        {"frequency_minutes": 0, "filters": [{"id": "age", "match": "older", "value": 1, "unit": "day"}]},
    ),
    "fatal or tagged": (
        {"id": "level", "match": "gte", "level": "fatal"},
        {
            "frequency_minutes": 5,
            "filter_match": "any",
            "filters": [
                {"id": "tag", "key": "browser", "match": "co", "value": "fire"},
                {"id": "attribute", "attribute": "stacktrace.filename", "match": "ew", "value": "cart.py"},
            ],
        },
    ),
    "newest release": (
        {"id": "every_event"},
        {"frequency_minutes": 0, "filters": [{"id": "latest_release"}]},
    ),
}


class Days:
    """Some days in which events come in, and people do things to issues in between."""

    def __init__(self, session, shop, digest, ann, now, seed):
        self.session, self.shop, self.digest, self.ann = session, shop, digest, ann
        self.chance, self.now, self.minute = random.Random(seed), now, 0.0
        self.release = 1

    def pass_by(self, steps):
        for _ in range(steps):
            self.minute += self.chance.choice([0.5, 1, 7, 20, 45, 200])
            self.chance.choice([self.event, self.event, self.event, self.event, self.burst, self.act])()
        return self.minute

    def sent(self):
        chance = self.chance
        self.release += chance.random() < 0.05
        return payload(
            chance.choice(TITLES),
            environment=chance.choice(["production", "staging", None]),
            level=chance.choice(["warning", "error", "fatal"]),
            release=f"shop@{max(1, self.release - chance.choice([0, 0, 1]))}.0.0",
            tags={"browser": chance.choice(["Firefox 128", "Safari 17"])},
            user={"id": chance.choice("12345")},
        )

    def event(self):
        self.digest(self.sent(), minutes=self.minute)

    def burst(self):
        self.digest(*(self.sent() for _ in range(4)), minutes=self.minute)

    def act(self):
        issue = self.chance.choice(self.session.scalars(select(Issue).order_by(Issue.id)).all() or [None])
        if issue is None:
            return
        at = self.now + timedelta(minutes=self.minute)
        doing = {"by": self.ann, "now": at}
        condition = self.chance.choice(
            [
                Condition(until=at + timedelta(minutes=90)),
                Condition(event_count=3),
                Condition(event_count=4, event_window=60),
            ]
        )
        acts = [
            lambda: resolving.resolve(self.session, issue, **doing),
            lambda: resolving.resolve(self.session, issue, **doing),
            lambda: ignoring.ignore(self.session, issue, until=condition, **doing),
            lambda: assigning.assign(self.session, issue, to=self.ann, **doing),
            lambda: assigning.assign(self.session, issue, to=None, **doing),
            lambda: waking.wake_due(self.session, now=at),
        ]
        self.chance.choice(acts)()
        waking.wake_due(self.session, now=at)
        self.session.expire_all()
        self.minute += 0.25


@pytest.mark.parametrize("seed", range(2))
def test_an_unchanged_rule_would_have_rung_for_what_it_rang_for(
    session, shop, digest, ann, now, seed, replay
):
    rules = {}
    for name, (condition, columns) in RULES.items():
        filters = [
            {**each, "targetId": ann.id} if "targetId" in each else each
            for each in columns.get("filters", ())
        ]
        rules[name] = make_rule(
            session, shop, condition, now=now, name=name, **{**columns, "filters": filters}
        )
    days = Days(session, shop, digest, ann, now, seed)
    end = days.pass_by(120)
    rung = 0
    for name, each in rules.items():
        for saved in (None, each):
            found = replay(each, minutes=end, saved=saved)
            assert found.is_whole
            assert would_ring(session, found) == rang(session, each), name
        rung += bool(found.firings)
    assert rung > len(RULES) - 3
