"""Why an alert rule would not fire for an event: each filter and condition with the value that was seen.

For people who ask afterwards: whether it is met is asked of `alerting`, which also rings.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from app.domain import alerting, event_attributes, rule_words
from app.domain.alerting import Facts, Rule
from app.domain.phrases import plural, shortened
from app.domain.rule_parts import PERCENT, SPAN_WORDS, SPANS
from app.domain.rule_rows import Names, Row

UNKNOWN = "a condition that is not known any more"
MOST_VALUES, LONGEST = 3, 120
_NEEDED = {"all": "all of", "any": "one of", "none": "none of"}


@dataclass(frozen=True, slots=True)
class Check:
    """One condition or filter: what it asks for, what was seen, and whether that meets it."""

    wanted: str
    seen: str
    is_met: bool


def checks(rule: Rule, facts: Facts, names: Names | None = None) -> Sequence[Check]:
    """Those of the rule: its environment first, then its filters, then its conditions."""
    found = []
    if rule.environment:
        where = facts.environment or "no environment"
        found.append(Check(f"the environment is {rule.environment}", where, rule.environment == where))
    found += [_check(row, rule, facts, names, "only if ") for row in rule.filters]
    return [*found, *(_check(row, rule, facts, names, "") for row in rule.conditions)]


def _check(row: Row, rule: Rule, facts: Facts, names: Names | None, before: str) -> Check:
    try:
        is_met = alerting.MAKERS[row["id"]](row, rule.environment)(facts)
        return Check(before + rule_words.clause(row, names), _seen(row, rule, facts, names), is_met)
    except alerting.SENSELESS:
        return Check(before + UNKNOWN, "", is_met=False)


def _seen(row: Row, rule: Rule, facts: Facts, names: Names | None) -> str:
    if row["id"] == "assigned_to":
        return _assignee(facts, names)
    if row["id"] in alerting.COUNTED:
        return _counted(row, rule, facts)
    return _SEEN[row["id"]](row, rule, facts)


def _first_seen(row: Row, rule: Rule, facts: Facts) -> str:
    if rule.environment:
        return (
            f"the first event of the issue in {facts.environment or 'no environment'}"
            if facts.is_new_here
            else "the issue was known there"
        )
    return "the first event of the issue" if facts.is_new else "the issue was known"


def _listed(values: Sequence[str]) -> str:
    if not values:
        return "not set"
    more = len(values) - MOST_VALUES
    shown = ", ".join(f'"{shortened(value, LONGEST)}"' for value in values[:MOST_VALUES])
    return f"{shown} and {more} more" if more > 0 else shown


def _age(row: Row, rule: Rule, facts: Facts) -> str:
    if facts.issue is None or facts.at is None:
        raise TypeError(row)
    age = facts.at - facts.issue.first_seen
    for unit, size in (("day", timedelta(days=1)), ("hour", timedelta(hours=1))):
        if age >= size:
            return f"first seen {plural(int(age / size), unit)} before"
    return f"first seen {plural(max(0, int(age / timedelta(minutes=1))), 'minute')} before"


def _occurrences(row: Row, rule: Rule, facts: Facts) -> str:
    if facts.issue is None:
        raise TypeError(row)
    return f"seen {plural(facts.issue.times_seen, 'time')}"


def _release(row: Row, rule: Rule, facts: Facts) -> str:
    if facts.lookup is None:
        raise TypeError(row)
    newest = facts.lookup.newest_release(rule.environment)
    return f"{facts.release or 'no release'}; the latest was {newest or 'none'}"


def _assignee(facts: Facts, names: Names | None) -> str:
    if facts.issue is None:
        raise TypeError("nothing is known of the issue")
    names = names or Names()
    if facts.issue.assignee_user_id is not None:
        return names.members.get(facts.issue.assignee_user_id, "a member")
    if facts.issue.assignee_team_id is not None:
        return names.teams.get(facts.issue.assignee_team_id, "a team")
    return "nobody was assigned"


def _counted(row: Row, rule: Rule, facts: Facts) -> str:
    if facts.lookup is None:
        raise TypeError(row)
    window = alerting.window_of(row, rule.environment)
    number = facts.lookup.number(window)
    seen = f"{plural(number, window.noun.removesuffix('s'))} in {SPAN_WORDS[row['interval']]}"
    if row.get("comparison") != PERCENT:
        return seen
    before = facts.lookup.number(window, earlier=SPANS[row["earlier"]])
    return f"{seen}, {before:,} {SPAN_WORDS[row['earlier']]} earlier"


# Row → what of the event it looks at.
_SEEN: Mapping[str, Callable[[Row, Rule, Facts], str]] = {
    "every_event": lambda row, rule, facts: "an event",
    "first_seen": _first_seen,
    "regression": lambda row, rule, facts: (
        "it was resolved" if facts.is_regression else "it was not resolved"
    ),
    "reappeared": lambda row, rule, facts: "it was ignored" if facts.is_reappeared else "it was not ignored",
    "level": lambda row, rule, facts: facts.level,
    "tag": lambda row, rule, facts: _listed(
        event_attributes.tag_values(facts.data, facts.tags, str(row["key"]))
    ),
    "attribute": lambda row, rule, facts: _listed(facts.values(row["attribute"])),
    "latest_release": _release,
    "age": _age,
    "occurrences": _occurrences,
}


def needed(rule: Rule) -> str:
    """How many of them have to be met, where there are several."""
    parts = [
        f"{_NEEDED.get(match, '')} {name}"
        for match, rows, name in (
            (rule.match, rule.conditions, "its conditions"),
            (rule.filter_match, rule.filters, "its filters"),
        )
        if len(rows) > 1 or (rows and match == "none")
    ]
    return " and ".join(parts)
