"""The states of an issue and the ways between them."""

import pytest

from app.domain.kinds import NOTICE_OF_ACTIVITY
from app.domain.lifecycle import BY_PEOPLE, IGNORED, MOVES, RESOLVED, STATUSES, UNRESOLVED, moves

LEADS_TO = {
    ("resolve", UNRESOLVED): RESOLVED,
    ("resolve", IGNORED): RESOLVED,
    ("ignore", UNRESOLVED): IGNORED,
    ("ignore", RESOLVED): IGNORED,
    ("reopen", RESOLVED): UNRESOLVED,
    ("reopen", IGNORED): UNRESOLVED,
    ("regress", RESOLVED): UNRESOLVED,
    ("ignore_anew", IGNORED): IGNORED,
    ("resolve_anew", RESOLVED): RESOLVED,
    ("wake", IGNORED): UNRESOLVED,
    ("age", UNRESOLVED): RESOLVED,
    ("recover", UNRESOLVED): RESOLVED,
}


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("status", STATUSES)
def test_where_each_move_leads(move, status):
    leaves = status in MOVES[move].leaves
    assert (MOVES[move].to if leaves else None) == LEADS_TO.get((move, status))


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
def test_only_doing_it_anew_leads_to_where_it_began(move):
    assert (move.to in move.leaves) == move.name.endswith("_anew")


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
def test_every_move_stands_in_the_timeline_under_a_known_type(move):
    assert move.activity in NOTICE_OF_ACTIVITY


@pytest.mark.parametrize(
    ("status", "offered"),
    [(UNRESOLVED, ["resolve", "ignore"]), (RESOLVED, ["ignore", "reopen"]), (IGNORED, ["resolve", "reopen"])],
)
def test_what_a_person_may_press(status, offered):
    assert moves(status) == offered


def test_no_button_leads_to_where_it_began():
    assert not [name for name in BY_PEOPLE if MOVES[name].to in MOVES[name].leaves]


def test_every_state_can_be_reached_and_left():
    assert {move.to for move in MOVES.values()} == set(STATUSES)
    assert frozenset.union(*(move.leaves for move in MOVES.values())) == set(STATUSES)
