"""Whether an alert rule fires for an event: a table of conditions over facts of that one event."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "fatal": 50}


@dataclass(frozen=True, slots=True)
class Facts:
    """What an event was and did.

    `is_new_here`: the issue's first event in its environment. `is_reappeared`: it ended an ignore, or is the
    first after a time that was set for one.
    """

    level: str
    environment: str
    is_new: bool = False
    is_new_here: bool = False
    is_regression: bool = False
    is_reappeared: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """What of an alert rule decides whether it fires."""

    environment: str | None
    match: str
    conditions: tuple[Mapping[str, Any], ...]


Check = Callable[[Mapping[str, Any], Rule, Facts], bool]

_COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "eq": lambda level, wanted: level == wanted,
    "lte": lambda level, wanted: level <= wanted,
    "gte": lambda level, wanted: level >= wanted,
}

CHECKS: dict[str, Check] = {
    "every_event": lambda condition, rule, facts: True,
    "first_seen": lambda condition, rule, facts: facts.is_new_here if rule.environment else facts.is_new,
    "regression": lambda condition, rule, facts: facts.is_regression,
    "reappeared": lambda condition, rule, facts: facts.is_reappeared,
    "level": lambda condition, rule, facts: _COMPARISONS[condition["match"]](
        LEVELS[facts.level], LEVELS[condition["level"]]
    ),
}

_MATCHES: dict[str, Callable[[list[bool]], bool]] = {
    "all": all,
    "any": any,
    "none": lambda passed: not any(passed),
}


def fires(rule: Rule, facts: Facts) -> bool:
    """A rule without conditions never fires. Raises KeyError or TypeError for one that makes no sense."""
    if rule.environment and rule.environment != facts.environment:
        return False
    passed = [CHECKS[condition["id"]](condition, rule, facts) for condition in rule.conditions]
    return bool(passed) and _MATCHES[rule.match](passed)


def rests(last_fired: datetime | None, *, frequency_minutes: int, now: datetime) -> bool:
    """Whether a rule that fired for this issue is still within its interval."""
    return last_fired is not None and last_fired > now - timedelta(minutes=frequency_minutes)


def kind(facts: Facts) -> str:
    """What an alert is called by what its event did."""
    if facts.is_new:
        return "alert.new"
    return "alert.regression" if facts.is_regression else "alert.again"


def names_environment(rule: Rule) -> bool:
    """Whether the rule asks for the first event of an issue in an environment."""
    return rule.environment is not None and any(each.get("id") == "first_seen" for each in rule.conditions)
