"""Why an alert rule would not fire for an event: each condition with the value that was seen.

For people who ask afterwards: whether it is met is asked of `alerting`, which also rings.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.domain import alerting
from app.domain.alerting import Facts, Rule

_COMPARED = {"eq": "is", "lte": "is at most", "gte": "is at least"}
# Condition → what it asks for.
_WANTED: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "every_event": lambda condition: "an event arrives",
    "first_seen": lambda condition: "the issue is new",
    "regression": lambda condition: "a resolved issue comes back",
    "reappeared": lambda condition: "an ignored issue comes back",
    "level": lambda condition: f"the level {_COMPARED[condition['match']]} {condition['level']}",
}
# Condition → what of the event it looks at.
_SEEN: Mapping[str, Callable[[Facts], str]] = {
    "every_event": lambda facts: "an event",
    "first_seen": lambda facts: "the first event of the issue" if facts.is_new else "the issue was known",
    "regression": lambda facts: "it was resolved" if facts.is_regression else "it was not resolved",
    "reappeared": lambda facts: "it was ignored" if facts.is_reappeared else "it was not ignored",
    "level": lambda facts: facts.level,
}
_NEEDED = {"all": "all of them", "any": "one of them", "none": "none of them"}
UNKNOWN = "a condition that is not known any more"


@dataclass(frozen=True, slots=True)
class Check:
    """One condition: what it asks for, what was seen, and whether that meets it."""

    wanted: str
    seen: str
    is_met: bool


def checks(rule: Rule, facts: Facts) -> Sequence[Check]:
    """Those of the rule, its environment first."""
    found = []
    if rule.environment:
        where = facts.environment or "no environment"
        found.append(Check(f"the environment is {rule.environment}", where, rule.environment == where))
    return [*found, *(_check(condition, rule, facts) for condition in rule.conditions)]


def _check(condition: Mapping[str, Any], rule: Rule, facts: Facts) -> Check:
    name = str(condition.get("id"))
    try:
        is_met = alerting.CHECKS[name](condition, rule, facts)
        return Check(_WANTED[name](condition), _SEEN[name](facts), is_met)
    except (KeyError, TypeError, AttributeError):
        return Check(UNKNOWN, "", is_met=False)


def needed(rule: Rule) -> str:
    """How many of several conditions have to be met."""
    return _NEEDED.get(rule.match, "") if len(rule.conditions) > 1 else ""
