"""The rows of a list, newest first, from a place in it on: an index leads there, however far down it is."""

from typing import Any, TypeVarTuple

from sqlalchemy import Select, tuple_

from app.domain import cursor as cursors
from app.domain.cursor import Place

Ts = TypeVarTuple("Ts")


def from_place(found: Select[*Ts], at: Any, key: Any, place: Place[Any] | None) -> Select[*Ts]:
    """In the order of the moments `at`, of `key` where they are the same. What comes before is in reverse."""
    here, found = tuple_(at, key), found.order_by(None)
    if place and place.backward:
        return found.where(here > (cursors.moment(place.value), place.id)).order_by(at, key)
    if place:
        found = found.where(here < (cursors.moment(place.value), place.id))
    return found.order_by(at.desc(), key.desc())
