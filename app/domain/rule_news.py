"""What became of an alert rule between two states of it: the word for it, and whom the rule names.

A state is as a version keeps it: the rule as the API writes it, and whether it was switched on. A rule that
was deleted has none.
"""

from collections.abc import Mapping
from typing import Any

from app.domain.rule_lines import ACTIVE

State = Mapping[str, Any]

CHANGED, RESTORED, OFF, ON, DELETED = "changed", "restored", "switched off", "switched on", "deleted"


def what_became(was: State, now: State | None, *, is_restored: bool) -> str:
    """What somebody did to it: "changed", "switched off"…"""
    if now is None:
        return DELETED
    differing = {name for name in {*was, *now} if was.get(name) != now.get(name)}
    if differing == {ACTIVE}:
        return ON if now[ACTIVE] else OFF
    return RESTORED if is_restored else CHANGED


def named(state: State | None, target: str) -> list[int]:
    """The ids of the teams, or members, that its mail goes to."""
    rows = state["actions"] if state else ()
    return [int(row["targetId"]) for row in rows if row.get("id") == "mail" and row.get("target") == target]


def reach_words(before: tuple[int, int], now: tuple[int, int]) -> str:
    """People and integrations: "told 6 before, 2 now"."""
    words = f"told {_number(before[0])} before, {_number(now[0])} now"
    if before[1] == now[1]:
        return words
    return f"{words}; integrations: {before[1] or 'none'} before, {now[1] or 'none'} now"


def _number(count: int) -> str:
    return f"{count:,}" if count else "nobody"
