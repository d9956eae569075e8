"""When an alert rule fires: conditions, how they are matched, the environment, the interval."""

from datetime import UTC, datetime, timedelta

import pytest

from app.domain.alerting import Facts, Rule, fires, kind, names_environment, rests

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
NEW = Facts("error", "production", is_new=True, is_new_here=True)
AGAIN = Facts("error", "production")
MOVED = Facts("error", "production", is_new_here=True)
BACK = Facts("fatal", "", is_regression=True)
CALM = Facts("info", "staging")


def rule(*conditions, match="all", environment=None) -> Rule:
    named = tuple({"id": each} if isinstance(each, str) else each for each in conditions)
    return Rule(environment, match, named)


def level(match: str, wanted: str):
    return {"id": "level", "match": match, "level": wanted}


CASES = {
    "a new issue": (rule("first_seen"), NEW, True),
    "a known issue": (rule("first_seen"), AGAIN, False),
    "new in its environment only, any environment": (rule("first_seen"), MOVED, False),
    "new in the environment of the rule": (rule("first_seen", environment="production"), MOVED, True),
    "another environment": (rule("every_event", environment="staging"), AGAIN, False),
    "no environment": (rule("every_event", environment="production"), BACK, False),
    "every event": (rule("every_event"), AGAIN, True),
    "a regression": (rule("regression"), BACK, True),
    "an issue that came back from being ignored": (
        rule("reappeared"),
        Facts("error", "", is_reappeared=True),
        True,
    ),
    "an issue that was not ignored": (rule("reappeared"), BACK, False),
    "no regression": (rule("regression"), NEW, False),
    "level equal": (rule(level("eq", "error")), AGAIN, True),
    "level at least": (rule(level("gte", "error")), BACK, True),
    "level below": (rule(level("gte", "error")), CALM, False),
    "level at most": (rule(level("lte", "warning")), CALM, True),
    "all of two": (rule("first_seen", level("gte", "fatal")), NEW, False),
    "any of two": (rule("first_seen", level("gte", "fatal"), match="any"), NEW, True),
    "any of none": (rule("regression", level("gte", "fatal"), match="any"), NEW, False),
    "none of two": (rule("regression", level("gte", "fatal"), match="none"), NEW, True),
    "none, but one": (rule("regression", "first_seen", match="none"), NEW, False),
    "nothing to pass": (rule(), NEW, False),
    "nothing to fail": (rule(match="none"), NEW, False),
}


@pytest.mark.parametrize(("tried", "facts", "expected"), CASES.values(), ids=CASES)
def test_whether_a_rule_fires(tried, facts, expected):
    assert fires(tried, facts) is expected


SENSELESS = [
    rule("no_such_condition", match="none"),
    rule(level("about", "error"), match="none"),
    rule({"id": "level"}, match="any"),
    rule("every_event", match="most"),
    rule("every_event", "no_such_condition", match="any"),
]


@pytest.mark.parametrize("tried", SENSELESS)
def test_a_rule_that_makes_no_sense_raises_whatever_its_match(tried):
    with pytest.raises(KeyError):
        fires(tried, NEW)


INTERVALS = [
    (None, 30, False),
    (0, 30, True),
    (29, 30, True),
    (30, 30, False),
    (31, 30, False),
    (0, 0, False),
]


@pytest.mark.parametrize(("minutes_ago", "frequency", "expected"), INTERVALS)
def test_a_rule_rests_for_its_interval(minutes_ago, frequency, expected):
    fired = None if minutes_ago is None else NOON - timedelta(minutes=minutes_ago)
    assert rests(fired, frequency_minutes=frequency, now=NOON) is expected


@pytest.mark.parametrize(
    ("facts", "name"),
    [(NEW, "alert.new"), (BACK, "alert.regression"), (AGAIN, "alert.again"), (CALM, "alert.again")],
)
def test_an_alert_is_called_by_what_its_event_did(facts, name):
    assert kind(facts) == name


def test_only_first_seen_with_an_environment_asks_for_first_events_there():
    assert names_environment(rule("first_seen", environment="production"))
    assert not names_environment(rule("first_seen"))
    assert not names_environment(rule("every_event", environment="production"))
