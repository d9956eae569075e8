"""Handles: made from an address, unique by a number."""

import re
from itertools import islice

import pytest

from app.domain import handles


@pytest.mark.parametrize(
    ("address", "first"),
    [
        ("priya.nair@example.com", "priya.nair"),
        ("ana+alerts@example.com", "ana"),
        ("ANA@example.com", "ana"),
        ("josé@example.com", "jose"),
        ("o'brien@example.com", "o-brien"),
        ("..@example.com", "someone"),
        (f"{'x' * 64}@example.com", "x" * 56),
    ],
)
def test_the_local_part_makes_the_handle(address, first):
    assert next(handles.candidates(address)) == first


def test_a_taken_handle_gets_a_number():
    assert list(islice(handles.candidates("ana@example.com"), 3)) == ["ana", "ana2", "ana3"]


def test_every_candidate_is_a_handle():
    for address in ("a@x", "x'y@x", f"{'.' * 64}@x", f"{'y' * 64}@x"):
        for candidate in islice(handles.candidates(address), 120):
            assert len(candidate) <= handles.LONGEST
            assert re.fullmatch(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?", candidate)
