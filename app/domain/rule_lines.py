"""A rule in lines: to compare two versions of it, and to say in few words where it sends."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from app.domain import rule_content, rule_words
from app.domain.rule_content import Content
from app.domain.rule_parts import MATCHES
from app.domain.rule_rows import Names, Row

# Beside its content a version keeps whether the rule was switched on.
ACTIVE = "active"
_ELSE = {"all": "else all members", "active": "else members who were here lately", "none": "else nobody"}


def lines(version: Mapping[str, Any], names: Names) -> list[str]:
    """What a version says, a line for each thing that can be changed."""
    content = rule_content.of_data(version)
    return [*_lines(content, names), "Switched off" if version.get(ACTIVE) is False else "Switched on"]


def _lines(content: Content, names: Names) -> Iterator[str]:
    yield f"Name: {content.name}"
    yield f"Environment: {content.environment or 'all'}"
    yield f"When {MATCHES.get(content.condition_match, content.condition_match)}:"
    yield from (f"When: {rule_words.clause(row, names)}" for row in content.conditions)
    if content.filters:
        yield f"If {MATCHES.get(content.filter_match, content.filter_match)}:"
        yield from (f"If: {rule_words.clause(row, names)}" for row in content.filters)
    yield from (f"Then: {rule_words.action(row, names)}" for row in content.actions)
    yield f"How often: {rule_words.how_often(content.frequency)}"
    if content.interrupt_reason:
        yield f"May interrupt quiet hours: {content.interrupt_reason}"
    if content.required_reason:
        yield f"Required: {content.required_reason}"


def sends_to(actions: Sequence[Row], names: Names) -> str:
    """Where a rule sends, for a list: "owners, else all members; #payments; PagerDuty"."""
    return "; ".join(_target(row, names) for row in actions)


def _target(row: Row, names: Names) -> str:
    target = row.get("target")
    if row.get("id") != "mail" or target not in ("owners", "assignee"):
        words = rule_words.action(row, names)
        return words.partition(" ")[2] if " " in words else words
    fallback = row.get("fallback", "project")
    if fallback == "project":
        fallback = "all" if names.tells_all else "none"
    return f"{'owners' if target == 'owners' else 'the assignee'}, {_ELSE[fallback]}"
