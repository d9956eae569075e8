"""What is an id, and what only looks like one."""

import pytest

from app.domain.ids import parse_id

IDS = {"7": 7, "007": 7, "9" * 18: 10**18 - 1}


@pytest.mark.parametrize(("text", "number"), IDS.items())
def test_ids_are_whole_numbers(text, number):
    assert parse_id(text) == number


@pytest.mark.parametrize("text", ["", " 7", "-7", "+7", "7.0", "1_000", "x", "²", "٧", "9" * 19])
def test_all_else_is_none(text):
    assert parse_id(text) is None
