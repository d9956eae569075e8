"""The issue's states and moves: one table that pages, API and jobs ask (`notifications.md` 2)."""

from dataclasses import dataclass

UNRESOLVED, RESOLVED, IGNORED = "unresolved", "resolved", "ignored"
STATUSES = (UNRESOLVED, RESOLVED, IGNORED)
# On its way out, and gone for everybody: data is taken away in the background.
PENDING_MERGE, PENDING_DELETION = "merging", "deleting"
HIDDEN = (PENDING_MERGE, PENDING_DELETION)


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
    )
}

# What a person may press; a regression is made by an event alone.
BY_PEOPLE = ("resolve", "ignore", "reopen")


def moves(status: str) -> list[str]:
    """The moves that a person can make from this state, in the order in which pages show them."""
    return [name for name in BY_PEOPLE if status in MOVES[name].leaves]
