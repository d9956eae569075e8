"""The issue's states and moves: one table that pages, API and jobs ask (`notifications.md` 2)."""

from dataclasses import dataclass
from datetime import timedelta

UNRESOLVED, RESOLVED, IGNORED = "unresolved", "resolved", "ignored"
STATUSES = (UNRESOLVED, RESOLVED, IGNORED)
# On its way out, and gone for everybody: data is taken away in the background.
PENDING_MERGE, PENDING_DELETION = "merging", "deleting"
HIDDEN = (PENDING_MERGE, PENDING_DELETION)
# What an unresolved issue is beyond that: the first of these that holds.
REGRESSED, ESCALATING, NEW, ONGOING = "regressed", "escalating", "new", "ongoing"
NEW_FOR = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Move:
    """A way from one state to another: its name, the states it leaves, and what the timeline calls it."""

    name: str
    leaves: frozenset[str]
    to: str
    activity: str


MOVES = {
    move.name: move
    for move in (
        Move("resolve", frozenset({UNRESOLVED, IGNORED}), RESOLVED, "set_resolved"),
        Move("ignore", frozenset({UNRESOLVED, RESOLVED}), IGNORED, "set_ignored"),
        Move("reopen", frozenset({RESOLVED, IGNORED}), UNRESOLVED, "set_unresolved"),
        Move("regress", frozenset({RESOLVED}), UNRESOLVED, "set_regression"),
        # Another condition for what is ignored already, another target for what is resolved; an ignore that
        # ends by itself; quiet for too long; a monitor whose job runs again.
        Move("ignore_anew", frozenset({IGNORED}), IGNORED, "set_ignored"),
        Move("resolve_anew", frozenset({RESOLVED}), RESOLVED, "set_resolved"),
        Move("wake", frozenset({IGNORED}), UNRESOLVED, "set_unresolved"),
        Move("age", frozenset({UNRESOLVED}), RESOLVED, "set_resolved_by_age"),
        Move("recover", frozenset({UNRESOLVED}), RESOLVED, "set_resolved_by_recovery"),
    )
}

# What a person may press; the others are made by events, by time, or by pressing again.
BY_PEOPLE = ("resolve", "ignore", "reopen")


def moves(status: str) -> list[str]:
    """The moves that a person can make from this state, in the order in which pages show them."""
    return [name for name in BY_PEOPLE if status in MOVES[name].leaves]
