"""What rules count is exact for each event, over any batches, environments and people; and found out anew."""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from app.domain import alerting, rule_content
from app.domain.rule_parts import SPANS
from app.models import AlertRule, Event, Issue, Notice
from app.services.issues import merging
from app.services.rules import facts_then
from tests.make import payload
from tests.support.ringing import Digester, make_rule

pytestmark = pytest.mark.both_databases

TITLES = ("A: a", "B: b")
ENVIRONMENTS = ("production", "staging", None)
EVENTS = 90


@pytest.fixture
def shop(make, session):
    shop = make.project(slug="shop")
    session.execute(update(AlertRule).values(is_active=False))
    return shop


@dataclass(frozen=True)
class Came:
    """An event as it came in."""

    sent: dict[str, Any]
    title: str
    environment: str | None
    person: str | None
    at: datetime


def some_events(chance: random.Random, now: datetime) -> list[Came]:
    """Now close together, now hours apart, and not always in their order."""
    moment, came = now, []
    for _ in range(EVENTS):
        moment += timedelta(seconds=chance.choice([0, 0.5, 7, 30, 59, 60, 300, 3600, 86_400]))
        at = moment - timedelta(seconds=chance.choice([0, 0, 0, 3, 90, 4000]))
        title, environment = chance.choice(TITLES), chance.choice(ENVIRONMENTS)
        person = chance.choice([None, "1", "2", "3", "4", "5"])
        sent = payload(title, environment=environment, user={"id": person} if person else None)
        came.append(Came({**sent, "timestamp": at.isoformat()}, title, environment, person, at))
    return came


def some_rules(chance: random.Random) -> list[dict[str, Any]]:
    rows = []
    for name in ("event_count", "user_count") * 7:
        row = {"id": name, "value": chance.randint(1, 12), "interval": chance.choice(list(SPANS))}
        if chance.random() < 0.3:
            earlier = chance.choice([span for span in SPANS if span != "1m"])
            row |= {"value": chance.choice([10, 50, 150]), "comparison": "percent", "earlier": earlier}
        rows.append({"row": row, "environment": chance.choice([None, None, "production", "staging"])})
    return rows


def counted(came: Sequence[Came], rule: AlertRule, *, earlier: int = 0) -> int:
    """Event by event: what the last of them saw."""
    row, last = rule.conditions[0], came[-1]
    until = last.at - timedelta(minutes=earlier)
    since = until - timedelta(minutes=SPANS[row["interval"]])
    seen = [
        each
        for each in came
        if each.title == last.title
        and rule.environment in (None, each.environment)
        and each.at >= since
        and (not earlier or each.at < until)
    ]
    if row["id"] == "event_count":
        return len(seen)
    return len({each.person for each in seen if each.person})


def rings(came: Sequence[Came], rule: AlertRule) -> bool:
    if rule.environment not in (None, came[-1].environment):
        return False
    row, number = rule.conditions[0], counted(came, rule)
    if "comparison" not in row:
        return number > row["value"]
    before = counted(came, rule, earlier=SPANS[row["earlier"]])
    return before > 0 and (number - before) / before * 100 > row["value"]


def batches(chance: random.Random, came: Sequence[Came]) -> list[list[Came]]:
    cut, start = [], 0
    while start < len(came):
        size = chance.choice([1, 1, 2, 5, 30])
        cut.append(list(came[start : start + size]))
        start += size
    return cut


@pytest.mark.parametrize("seed", range(4))
def test_rules_ring_as_if_everything_were_counted_one_by_one(session, shop, now, seed):
    chance = random.Random(seed)
    came = some_events(chance, now)
    rules = [
        make_rule(session, shop, each["row"], now=now, environment=each["environment"], frequency_minutes=0)
        for each in some_rules(chance)
    ]
    digest = Digester(session, shop, now)
    for batch in batches(chance, came):
        digest.received([(each.sent, each.at) for each in batch])
    expected = {
        (rule.id, each.sent["event_id"])
        for position, each in enumerate(came)
        for rule in rules
        if rings(came[: position + 1], rule)
    }
    assert len(expected) > EVENTS / 4
    assert {tuple(row) for row in session.execute(select(Notice.rule_id, Notice.event_id))} == expected
    some = [each.sent["event_id"] for each in came[::5]]
    assert set(found_out_anew(session, rules, some)) == {each for each in expected if each[1] in some}


def found_out_anew(session, rules, event_ids):
    """Which rules would have rung for which stored events."""
    for event in session.scalars(select(Event).where(Event.event_id.in_(event_ids))):
        facts = facts_then.facts(session, event.issue, event)
        for rule in rules:
            if alerting.fires(alerting.of(rule_content.of(rule)), facts):
                yield rule.id, event.event_id


def test_what_was_merged_counts(session, shop, now, make):
    make_rule(
        session, shop, {"id": "event_count", "value": 5, "interval": "1h"}, now=now, frequency_minutes=0
    )
    make_rule(
        session, shop, {"id": "user_count", "value": 2, "interval": "1h"}, now=now, environment="production"
    )
    digest = Digester(session, shop, now)
    for title, person in (("A: a", "1"), ("A: a", "2"), ("A: a", "1"), ("B: b", "3"), ("B: b", "2")):
        digest(payload(title, user={"id": person}))
    merging.merge(session, session.scalars(select(Issue)).all(), by=make.user(), now=now)
    session.flush()
    assert digest(payload("A: a", user={"id": "1"}), minutes=6) == ["alert.again", "alert.again"]


def test_a_batch_that_came_in_over_days_sees_only_what_was_there(session, shop, now):
    make_rule(session, shop, {"id": "event_count", "value": 1, "interval": "1h"}, now=now)
    hours = [0, 2, 2.5, 9]
    sent = [(payload(), now + timedelta(hours=hours)) for hours in hours]
    assert Digester(session, shop, now).received(sent) == ["alert.again"]
    assert session.scalars(select(Notice.event_id)).one() == sent[2][0]["event_id"]


def test_what_cannot_be_exceeded_is_not_counted_again(session, shop, now, count_statements):
    row = {"id": "event_count", "value": 30, "interval": "1h"}
    make_rule(session, shop, row, now=now)
    digest = Digester(session, shop, now)
    digest(*(payload() for _ in range(20)))
    digest(*(payload() for _ in range(20)), minutes=120)
    with count_statements() as sent:
        for minute in range(10):
            digest(payload(), minutes=121 + minute)
    assert not [statement for statement in sent if "sum(issue_counts.count)" in statement]
    assert digest(payload(), minutes=132) == ["alert.again"]


GROWTH = {"value": 50, "interval": "1h", "comparison": "percent", "earlier": "1d"}


@pytest.mark.parametrize("counted", ["event_count", "user_count"])
def test_of_a_flood_nobody_asks_again_what_there_was_before(session, shop, now, count_statements, counted):
    make_rule(session, shop, {"id": counted, **GROWTH}, now=now)
    digest = Digester(session, shop, now)
    digest(*(payload(user={"id": str(n)}) for n in range(30)))
    digest(payload(user={"id": "1"}))
    sent = {}
    for name, hours in (("nothing was there", 1), ("as much was there", 24.5)):
        digest(payload(user={"id": "1"}), minutes=60 * hours)
        with count_statements() as sent[name]:
            for minute in range(5):
                digest(payload(user={"id": "1"}), minutes=60 * hours + minute / 10)
    looked = re.compile(r"FROM (events|issue_counts|issue_users)\b.*received_at|sum\(issue_counts", re.DOTALL)
    assert {name: [each for each in of if looked.search(each)] for name, of in sent.items()} == {
        "nothing was there": [],
        "as much was there": [],
    }


def test_what_came_in_late_counts_among_what_there_was_before(session, shop, now):
    """The rule is not asked about the late one, which it would not ring for."""
    errors = [{"id": "level", "match": "gte", "level": "error"}]
    row = {"id": "event_count", **GROWTH, "earlier": "1h"}
    make_rule(session, shop, row, now=now, frequency_minutes=0, filters=errors)
    digest = Digester(session, shop, now)
    assert digest(payload(), minutes=0) == []
    assert digest(*(payload() for _ in range(3)), minutes=0.1) == []
    assert digest.received([(payload(level="info"), now - timedelta(minutes=70))]) == []
    assert digest(payload(), minutes=0.2) == ["alert.again"]
