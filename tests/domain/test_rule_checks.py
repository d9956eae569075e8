"""Afterwards each part of a rule says what it asked for and what it saw, and agrees with what rings."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import alerting
from app.domain.alerting import Facts, IssueFacts, Rule
from app.domain.rule_checks import UNKNOWN, Check, checks, needed
from app.domain.rule_content import read
from tests.domain.test_alerting import KNOWN, LATEST, NOON, OLD, Numbers, attribute, tag
from tests.domain.test_rule_content import NAMES, contents

LEVEL = {"id": "level", "match": "gte", "level": "error"}
COUNT = {"id": "event_count", "value": 100, "interval": "1h"}
NEW = {"id": "first_seen"}


def test_each_part_says_what_was_seen():
    rule = Rule("production", "all", (NEW, LEVEL), "any", (tag("eq", "IE"),))
    seen = Facts("warning", "staging", tags=(("browser", "Firefox"),))
    assert checks(rule, seen) == [
        Check("the environment is production", "staging", False),
        Check('only if the tag browser equals "IE"', '"Firefox"', False),
        Check("a new issue is seen", "the issue was known there", False),
        Check("the level is at least error", "warning", False),
    ]


SEEN = {
    "a new issue": (NEW, Facts("error", "", is_new=True), "the first event of the issue"),
    "a known issue": (NEW, KNOWN, "the issue was known"),
    "no regression": ({"id": "regression"}, KNOWN, "it was not resolved"),
    "reappeared": ({"id": "reappeared"}, replace(KNOWN, is_reappeared=True), "it was ignored"),
    "every event": ({"id": "every_event"}, KNOWN, "an event"),
    "a count": (COUNT, replace(KNOWN, lookup=Numbers(1087)), "1,087 events in an hour"),
    "one user": (COUNT | {"id": "user_count"}, replace(KNOWN, lookup=Numbers(1)), "1 user in an hour"),
    "a percentage": (
        COUNT | {"comparison": "percent", "earlier": "1w"},
        replace(KNOWN, lookup=Numbers(12, 8)),
        "12 events in an hour, 8 a week earlier",
    ),
    "age in days": (OLD, KNOWN, "first seen 8 days before"),
    "age in minutes": (OLD, replace(KNOWN, issue=IssueFacts(NOON, 1)), "first seen 0 minutes before"),
    "occurrences": ({"id": "occurrences", "value": 11}, KNOWN, "seen 10 times"),
    "a member": ({"id": "assigned_to", "target": "none"}, KNOWN, "Person 5"),
    "nobody": (
        {"id": "assigned_to", "target": "team", "targetId": 3},
        replace(KNOWN, issue=IssueFacts(NOON, 1)),
        "nobody was assigned",
    ),
    "a team": (
        {"id": "assigned_to", "target": "none"},
        replace(KNOWN, issue=IssueFacts(NOON, 1, assignee_team_id=3)),
        "#payments",
    ),
    "the latest release": (LATEST, KNOWN, "shop@3.0; the latest was shop@3.0"),
    "no release": (LATEST, replace(KNOWN, release=None, lookup=Numbers()), "no release; the latest was none"),
    "a tag that is not set": (tag("is", key="engine"), KNOWN, "not set"),
    "several values": (attribute("exception.type", "co", "x"), KNOWN, '"A", "B"'),
    "many values": (
        attribute("exception.type", "co", "x"),
        replace(KNOWN, known={}, data={"exception": [{"type": letter} for letter in "ABCDE"]}),
        '"A", "B", "C" and 2 more',
    ),
}


@pytest.mark.parametrize(("row", "facts", "seen"), SEEN.values(), ids=SEEN)
def test_what_was_seen(row, facts, seen):
    assert [check.seen for check in checks(Rule(None, "all", [row]), facts, NAMES)] == [seen]


def test_a_condition_that_is_gone_is_not_met():
    found = checks(Rule(None, "all", ({"id": "moon_phase"},)), Facts("error", ""))
    assert found == [Check(UNKNOWN, "", False)]


NEEDED = [
    (Rule(None, "all", (NEW,)), ""),
    (Rule(None, "none", (NEW,)), "none of its conditions"),
    (Rule(None, "all", (NEW, LEVEL)), "all of its conditions"),
    (Rule(None, "any", (NEW, LEVEL), "none", (OLD,)), "one of its conditions and none of its filters"),
]


@pytest.mark.parametrize(("rule", "words"), NEEDED)
def test_how_many_have_to_be_met(rule, words):
    assert needed(rule) == words


facts = st.builds(
    lambda now, before, **members: replace(KNOWN, lookup=Numbers(now, before, "shop@3.0"), **members),
    st.integers(0, 20),
    st.integers(0, 20),
    level=st.sampled_from(list(alerting.LEVELS)),
    environment=st.sampled_from(["", "production"]),
    is_new=st.booleans(),
    is_new_here=st.booleans(),
    is_regression=st.booleans(),
    is_reappeared=st.booleans(),
)


@given(contents, st.none() | st.just("production"), facts)
def test_the_checks_agree_with_what_rings(data, environment, seen):
    rule = replace(alerting.of(read(data, NAMES)), environment=environment)
    met = [check.is_met for check in checks(rule, seen, NAMES)]
    here = met.pop(0) if environment else True
    by_hand = {"all": all, "any": any, "none": lambda found: not any(found)}
    passed = [
        not rows or by_hand[match](met[start : start + len(rows)])
        for match, rows, start in (
            (rule.filter_match, rule.filters, 0),
            (rule.match, rule.conditions, len(rule.filters)),
        )
    ]
    assert (here and all(passed)) is alerting.fires(rule, seen)
