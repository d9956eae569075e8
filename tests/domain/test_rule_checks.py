"""Afterwards each condition of a rule says what it asked for and what it saw, and agrees with what rings."""

from hypothesis import given
from hypothesis import strategies as st

from app.domain import alerting
from app.domain.alerting import CHECKS, LEVELS, Facts, Rule
from app.domain.rule_checks import UNKNOWN, Check, checks, needed

LEVEL = {"id": "level", "match": "gte", "level": "error"}


def test_each_condition_says_what_was_seen():
    rule = Rule("production", "all", ({"id": "first_seen"}, LEVEL))
    assert checks(rule, Facts("warning", "staging")) == [
        Check("the environment is production", "staging", False),
        Check("the issue is new", "the issue was known", False),
        Check("the level is at least error", "warning", False),
    ]
    assert needed(rule) == "all of them"


def test_a_condition_that_is_gone_is_not_met():
    assert list(checks(Rule(None, "all", ({"id": "moon_phase"},)), Facts("error", ""))) == [
        Check(UNKNOWN, "", False)
    ]


conditions = st.sampled_from([{"id": name} for name in CHECKS if name != "level"]) | st.builds(
    lambda match, level: {"id": "level", "match": match, "level": level},
    st.sampled_from(["eq", "lte", "gte"]),
    st.sampled_from(list(LEVELS)),
)
facts = st.builds(
    Facts,
    level=st.sampled_from(list(LEVELS)),
    environment=st.sampled_from(["", "production"]),
    is_new=st.booleans(),
    is_new_here=st.booleans(),
    is_regression=st.booleans(),
    is_reappeared=st.booleans(),
)
rules = st.builds(
    Rule,
    environment=st.none() | st.just("production"),
    match=st.sampled_from(["all", "any", "none"]),
    conditions=st.lists(conditions, min_size=1, max_size=3).map(tuple),
)


@given(rules, facts)
def test_the_checks_agree_with_what_rings(rule, seen):
    found = checks(rule, seen)
    met = [check.is_met for check in found[1 if rule.environment else 0 :]]
    here = not rule.environment or found[0].is_met
    by_hand = here and {"all": all(met), "any": any(met), "none": not any(met)}[rule.match]
    assert by_hand == alerting.fires(rule, seen)
