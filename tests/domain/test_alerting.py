"""When an alert rule fires: conditions, how they are matched, the environment, the interval."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given

from app.domain import alerting
from app.domain.alerting import CannotCheck, Facts, IssueFacts, Rule, Window, fires, kind, ready, rests
from app.domain.rule_content import read
from tests.domain.test_rule_content import NAMES, contents

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
}


@pytest.mark.parametrize(("tried", "facts", "expected"), CASES.values(), ids=CASES)
def test_whether_a_rule_fires(tried, facts, expected):
    assert fires(tried, facts) is expected


COUNT = {"id": "event_count", "value": 3, "interval": "1h"}
SENSELESS = {
    "nothing to pass": rule(),
    "nothing to fail": rule(match="none"),
    "an unknown condition": rule("no_such_condition", match="none"),
    "no condition at all": rule(3, match="none"),
    "an unknown comparison": rule(level("about", "error"), match="none"),
    "a level of nothing": rule({"id": "level"}, match="any"),
    "an unknown match": rule("every_event", match="most"),
    "one of two": rule("every_event", "no_such_condition", match="any"),
    "a count that would not be asked": rule("every_event", COUNT | {"interval": "2h"}, match="any"),
    "a count of nothing": rule("every_event", COUNT | {"value": None}, match="any"),
    "a percentage of nothing": rule("every_event", COUNT | {"comparison": "percent"}, match="any"),
    "an unknown attribute": rule({"id": "attribute", "attribute": "moon", "match": "is"}, match="none"),
    "an unknown operator": rule({"id": "tag", "key": "a", "match": "re", "value": "b"}, match="none"),
    "a filter": Rule(None, "all", [{"id": "every_event"}], "any", [{"id": "age"}]),
    "the match of filters": Rule(None, "all", [{"id": "every_event"}], "most", [{"id": "every_event"}]),
}


@pytest.mark.parametrize("tried", SENSELESS.values(), ids=SENSELESS)
def test_a_rule_that_makes_no_sense_says_so_whatever_its_match(tried):
    with pytest.raises(CannotCheck):
        fires(tried, NEW)


@pytest.mark.parametrize("match", ["all", "any", "none"])
def test_a_check_that_fails_over_an_event_does_not_let_the_rule_fire(match):
    with pytest.raises(CannotCheck):
        fires(rule(level("gte", "error"), match=match), Facts("sample", ""))


@dataclass
class Numbers:
    """What is counted, and what was asked for."""

    now: int = 0
    before: int = 0
    newest: str | None = None
    asked: list[Window] = field(default_factory=list)

    def exceeds(self, window, limit):
        self.asked.append(window)
        return self.now > limit

    def grew(self, window, *, earlier, percent):
        self.asked.append(window)
        return self.before > 0 and self.now * 100 > self.before * (100 + percent)

    def number(self, window, *, earlier=0):
        return self.before if earlier else self.now

    def newest_release(self, environment):
        return self.newest


PERCENT = COUNT | {"value": 50, "comparison": "percent", "earlier": "1d"}
COUNTS = {
    "the third is not more than three": (COUNT, Numbers(3), False),
    "the fourth is": (COUNT, Numbers(4), True),
    "half as many more": (PERCENT, Numbers(15, 10), False),
    "more than half as many more": (PERCENT, Numbers(16, 10), True),
    "out of nothing": (PERCENT, Numbers(16, 0), False),
}


@pytest.mark.parametrize(("condition", "numbers", "expected"), COUNTS.values(), ids=COUNTS)
def test_what_is_counted(condition, numbers, expected):
    assert fires(rule(condition), replace(AGAIN, lookup=numbers)) is expected


def test_counts_are_of_the_rules_environment():
    numbers = Numbers()
    fires(rule(COUNT, COUNT | {"id": "user_count"}, match="any"), replace(AGAIN, lookup=numbers))
    fires(rule(COUNT, environment="production"), replace(AGAIN, lookup=numbers))
    assert numbers.asked == [
        Window("events", 60),
        Window("users", 60),
        Window("events", 60, "production"),
    ]


@pytest.mark.parametrize(
    ("match", "facts", "expected"),
    [("all", AGAIN, False), ("any", NEW, True), ("none", NEW, False)],
)
def test_nothing_is_counted_that_decides_nothing(match, facts, expected):
    numbers = Numbers(99)
    assert fires(rule(COUNT, "first_seen", match=match), replace(facts, lookup=numbers)) is expected
    assert numbers.asked == []


def test_filters_are_asked_before_anything_is_counted():
    numbers = Numbers(99)
    calm = Rule(None, "all", [COUNT], "all", [level("lte", "info")])
    assert not fires(calm, replace(AGAIN, lookup=numbers))
    assert numbers.asked == []


ISSUE = IssueFacts(NOON - timedelta(days=8), 10, assignee_user_id=5)
KNOWN = replace(
    AGAIN,
    at=NOON,
    issue=ISSUE,
    release="shop@3.0",
    lookup=Numbers(newest="shop@3.0"),
    tags=(("browser", "Firefox 128"), ("Region", "eu")),
    data={"user": {"email": "ANN@EXAMPLE.COM"}, "exception": [{"type": "A"}, {"type": "B"}]},
)
OLD = {"id": "age", "match": "older", "value": 7, "unit": "day"}
ASSIGNED = {"id": "assigned_to", "target": "member", "targetId": 5}
LATEST = {"id": "latest_release"}


def tag(match: str, value: str = "", key: str = "browser"):
    return {"id": "tag", "key": key, "match": match, "value": value}


def attribute(name: str, match: str, value: str = ""):
    return {"id": "attribute", "attribute": name, "match": match, "value": value}


FILTERS = {
    "older than a week": ([OLD], KNOWN, True),
    "newer than a week": ([OLD | {"match": "newer"}], KNOWN, False),
    "newer than 200 hours": ([OLD | {"match": "newer", "value": 200, "unit": "hour"}], KNOWN, True),
    "seen ten times": ([{"id": "occurrences", "value": 10}], KNOWN, True),
    "not yet eleven times": ([{"id": "occurrences", "value": 11}], KNOWN, False),
    "assigned to a member": ([ASSIGNED], KNOWN, True),
    "an id that is text": ([ASSIGNED | {"targetId": "5"}], KNOWN, True),
    "assigned to another": ([ASSIGNED | {"targetId": 6}], KNOWN, False),
    "assigned to a team of that id": ([ASSIGNED | {"target": "team"}], KNOWN, False),
    "assigned to nobody": ([ASSIGNED | {"target": "none"}], KNOWN, False),
    "nobody has it": (
        [ASSIGNED | {"target": "none"}],
        replace(KNOWN, issue=replace(ISSUE, assignee_user_id=None)),
        True,
    ),
    "its team has it": (
        [ASSIGNED | {"target": "team"}],
        replace(KNOWN, issue=IssueFacts(NOON, 1, assignee_team_id=5)),
        True,
    ),
    "the latest release": ([LATEST], KNOWN, True),
    "an older release": ([LATEST], replace(KNOWN, release="shop@2.9"), False),
    "no release": ([LATEST], replace(KNOWN, release=None, lookup=Numbers()), False),
    "a tag": ([tag("eq", "firefox 128")], KNOWN, True),
    "a tag's name in capitals": ([tag("eq", "EU", key="REGION")], KNOWN, True),
    "a tag that is not there does not equal": ([tag("ne", "IE", key="engine")], KNOWN, True),
    "a tag that is there is set": ([tag("is")], KNOWN, True),
    "an address in capitals": ([attribute("user.email", "ew", "@example.com")], KNOWN, True),
    "one of two exceptions equals": ([attribute("exception.type", "eq", "B")], KNOWN, True),
    "one of two exceptions equals, so it fails": ([attribute("exception.type", "ne", "B")], KNOWN, False),
    "all of two": ([OLD, ASSIGNED | {"targetId": 6}], KNOWN, False),
}


@pytest.mark.parametrize(("filters", "facts", "expected"), FILTERS.values(), ids=FILTERS)
def test_filters(filters, facts, expected):
    assert fires(Rule(None, "all", [{"id": "every_event"}], "all", filters), facts) is expected


@pytest.mark.parametrize(("match", "expected"), [("all", False), ("any", True), ("none", False)])
def test_how_filters_are_matched(match, expected):
    filters = [OLD, ASSIGNED | {"targetId": 6}]
    assert fires(Rule(None, "all", [{"id": "every_event"}], match, filters), KNOWN) is expected


@given(contents)
def test_whatever_can_be_saved_can_be_evaluated(data):
    tried = alerting.of(read(data, NAMES))
    assert ready(tried).fires(replace(KNOWN, lookup=Numbers(5, 3))) in (True, False)


RESOLVED = NOON - timedelta(minutes=10)
INTERVALS = {
    "never yet": (None, 30, None, False),
    "just now": (0, 30, None, True),
    "within it": (29, 30, None, True),
    "at its end": (30, 30, None, False),
    "after it": (31, 30, None, False),
    "every time": (0, 0, None, False),
    "every time, by another clock": (-1, 0, None, False),
    "once": (99_999, "once", RESOLVED, True),
    "once, never yet": (None, "once", None, False),
    "until resolved, never resolved": (99_999, "until_resolved", None, True),
    "until resolved, resolved before": (9, "until_resolved", RESOLVED, True),
    "until resolved, resolved since": (11, "until_resolved", RESOLVED, False),
    "until resolved, at the same time": (10, "until_resolved", RESOLVED, False),
}


@pytest.mark.parametrize(
    ("minutes_ago", "frequency", "resolved", "expected"), INTERVALS.values(), ids=INTERVALS
)
def test_a_rule_rests(minutes_ago, frequency, resolved, expected):
    fired = None if minutes_ago is None else NOON - timedelta(minutes=minutes_ago)
    assert rests(fired, frequency=frequency, last_resolved=resolved, now=NOON) is expected


@pytest.mark.parametrize(
    ("facts", "name"),
    [(NEW, "alert.new"), (BACK, "alert.regression"), (AGAIN, "alert.again"), (CALM, "alert.again")],
)
def test_an_alert_is_called_by_what_its_event_did(facts, name):
    assert kind(facts) == name


def test_only_first_seen_with_an_environment_asks_for_first_events_there():
    assert ready(rule("first_seen", environment="production")).asks_first_here
    assert not ready(rule("first_seen")).asks_first_here
    assert not ready(rule("every_event", environment="production")).asks_first_here
