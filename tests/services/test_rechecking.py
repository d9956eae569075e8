"""Why no rule rang, asked afterwards: of the rules as they were then, with every part and what it saw."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from app.domain import rule_content
from app.models import AlertRule, Event, Issue, RuleMute, RuleVersion
from app.services.issues import assigning, resolving
from app.services.rules import rechecking
from tests.make import payload
from tests.support.ringing import Digester, make_rule

pytestmark = pytest.mark.both_databases

COUNT = {"id": "event_count", "value": 3, "interval": "1h"}


@pytest.fixture
def shop(cast, session):
    session.execute(update(AlertRule).values(is_active=False))
    return cast.shop


@pytest.fixture
def rule(session, shop, now):
    return lambda *conditions, **columns: make_rule(session, shop, *conditions, now=now, **columns)


@pytest.fixture
def digest(session, shop, now):
    return Digester(session, shop, now)


@pytest.fixture
def asked(session, shop):
    """What the rules that are on say to the event that was stored last, or to an earlier one."""

    def ask(back: int = 0):
        event = session.scalars(select(Event).order_by(Event.id.desc()).offset(back)).first()
        found = rechecking.rules(session, session.scalars(select(Issue)).first(), event)
        return [each for each in found if each.sentence != "It is switched off."]

    return ask


def test_every_part_is_there_with_what_it_saw(session, cast, rule, digest, asked, now):
    rule(
        COUNT,
        {"id": "user_count", "value": 9, "interval": "1d"},
        environment="production",
        condition_match="any",
        filters=[
            {"id": "assigned_to", "target": "none"},
            {"id": "latest_release"},
            {"id": "age", "match": "older", "value": 1, "unit": "hour"},
            {"id": "occurrences", "value": 2},
            {"id": "tag", "key": "browser", "match": "co", "value": "IE"},
            {"id": "attribute", "attribute": "exception.type", "match": "eq", "value": "OSError"},
        ],
    )
    digest(payload(), payload(environment="staging"))
    assigning.assign(session, session.scalars(select(Issue)).one(), to=cast.bob, by=None, now=now)
    digest(payload(), minutes=20)
    [found] = asked()
    assert [(check.wanted, check.seen, check.is_met) for check in found.checks] == [
        ("the environment is production", "production", True),
        ("only if nobody is assigned", cast.bob.name, False),
        (
            "only if the event is of the latest release",
            "shop@1.0.0; the latest was shop@1.0.0",
            True,
        ),
        ("only if the issue is older than 1 hour", "first seen 20 minutes before", False),
        ("only if the issue was seen at least 2 times in all", "seen 3 times", True),
        ('only if the tag browser contains "IE"', '"Firefox 128"', False),
        ('only if exception.type equals "OSError"', '"KeyError"', False),
        ("an issue is seen more than 3 times in an hour", "2 events in an hour", False),
        ("an issue is seen by more than 9 users in a day", "1 user in a day", False),
    ]
    assert found.code == "rule_no_match"
    assert found.sentence == "Not met: it needs one of its conditions and all of its filters."


def test_what_came_later_is_not_seen(rule, digest, asked):
    rule(COUNT)
    digest(payload(), payload(), payload())
    digest(*(payload() for _ in range(20)), minutes=1)
    [found] = asked(back=20)
    assert found.checks[0].seen == "3 events in an hour"


def test_whoever_had_it_then(session, cast, rule, digest, asked, now):
    rule("every_event", filters=[{"id": "assigned_to", "target": "none"}])
    digest(payload())
    digest(payload(), minutes=5)
    issue = session.scalars(select(Issue)).one()
    assigning.assign(session, issue, to=cast.cy, by=cast.bob, now=now + timedelta(minutes=9))
    session.flush()
    assert asked()[0].checks[0].seen == "nobody was assigned"


def keep_version(session, rule: AlertRule, *, at: datetime) -> None:
    content = rule_content.of(rule).as_data()
    session.add(RuleVersion(rule_id=rule.id, version=rule.version, content=content, via="web", at=at))
    session.flush()


def test_a_rule_is_asked_as_it_was_then(session, rule, digest, asked, now):
    made = rule({"id": "level", "match": "gte", "level": "fatal"}, name="Fatal ones")
    keep_version(session, made, at=now)
    digest(payload())
    made.conditions, made.name, made.version = [{"id": "every_event"}], "All", 2
    keep_version(session, made, at=now + timedelta(hours=1))
    [found] = asked()
    assert (found.rule, found.checks[0].wanted) == ("Fatal ones", "the level is at least fatal")


def test_a_mute_for_everyone_says_so(session, rule, digest, asked, now):
    made = rule("every_event")
    session.add(RuleMute(rule_id=made.id, until=now + timedelta(hours=1), created_at=now))
    session.flush()
    digest(payload())
    assert [(each.code, each.sentence) for each in asked()] == [("rule_muted", "It was muted for everyone.")]
    digest(payload(), minutes=90)
    assert asked()[0].code == "send"


RESTING = {
    "an interval": (
        {"frequency_minutes": 60},
        "It had fired for this issue 20 min before; its interval is 60 min.",
    ),
    "once": ({"repeats": "once"}, "It had fired for this issue already, and does so once."),
    "until resolved": (
        {"repeats": "until_resolved"},
        "It had fired for this issue already, and it had not been resolved since.",
    ),
}


@pytest.mark.parametrize(("columns", "sentence"), RESTING.values(), ids=RESTING)
def test_a_rule_that_rested_says_why(rule, digest, asked, columns, sentence):
    rule("every_event", **columns)
    digest(payload())
    digest(payload(), minutes=20)
    assert [(each.code, each.sentence) for each in asked()] == [("rule_interval", sentence)]


def test_resolved_since_it_would_fire(session, cast, rule, digest, asked, now):
    rule({"id": "level", "match": "gte", "level": "fatal"}, repeats="until_resolved")
    digest(payload(level="fatal"))
    issue = session.scalars(select(Issue)).one()
    resolving.resolve(session, issue, by=cast.bob, now=now + timedelta(minutes=5))
    digest(payload(level="fatal"), minutes=20)
    assert [each.code for each in asked()] == ["send"]


def test_a_rule_that_makes_no_sense_says_what_is_wrong(rule, digest, asked):
    rule({**COUNT, "interval": "2h"})
    digest(payload())
    [found] = asked()
    assert found.sentence.startswith("It cannot be evaluated. Condition 1 makes no sense")
    assert found.checks[0].wanted == "a condition that is not known any more"
