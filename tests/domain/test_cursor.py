"""Places in a list, and what leads from one page to the next."""

from datetime import UTC, datetime, timedelta

import pytest

from app.domain import cursor as cursors
from app.domain.cursor import Cursor, NamedCursor

FIRST, LAST = (30, 3), (10, 1)
PLACES = [FIRST, (20, 2), LAST]
BACK, ON = Cursor(*FIRST, backward=True), Cursor(*LAST)
ENDS = {
    "the only page": (None, PLACES, False, None, None),
    "the first": (None, PLACES, True, None, ON),
    "one between": (Cursor(40, 4), PLACES, True, BACK, ON),
    "the last": (Cursor(40, 4), PLACES, False, BACK, None),
    "back at one between": (Cursor(0, 0, backward=True), PLACES, True, BACK, ON),
    "back at the first": (Cursor(0, 0, backward=True), PLACES, False, None, ON),
    "nothing": (Cursor(40, 4), [], False, None, None),
}


@pytest.mark.parametrize(("cursor", "places", "has_more", "before", "after"), ENDS.values(), ids=ENDS)
def test_a_page_leads_to_those_beside_it_alone(cursor, places, has_more, before, after):
    found = cursors.ends(cursor, places, has_more=has_more)
    assert [cursors.decode(each) for each in found] == [before, after]


def test_a_moment_survives_its_cursor_to_the_microsecond():
    at = datetime(2026, 11, 20, 12, 0, 0, 1, tzinfo=UTC)
    assert cursors.moment(cursors.value_of(at)) == at
    assert cursors.moment(cursors.value_of(at - timedelta(days=365 * 100))) < cursors.EPOCH


@pytest.mark.parametrize("value", [1 << 61, -(1 << 61)])
def test_a_moment_that_no_calendar_has_is_that_of_1970(value):
    assert cursors.moment(value) == cursors.EPOCH


@pytest.mark.parametrize("name", ["id:7", "username:Zoë.<b>", "", "id:a.b"])
def test_a_row_without_a_number_is_found_again_by_its_name(name):
    place = NamedCursor(7, name, backward=True)
    assert cursors.decode_named(place.encode()) == place


@pytest.mark.parametrize("name", ["seven", "7.5", "1" * 30])
def test_a_name_is_no_number(name):
    assert cursors.decode(NamedCursor(7, name).encode()) is None


def test_a_name_that_no_database_takes_is_none():
    assert cursors.decode_named(NamedCursor(7, "a\0b").encode()) is None
