"""A place in a sorted list that other rows cannot shift: the last row's sort value and id, as opaque text."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
K = TypeVar("K", int, str)


@dataclass(frozen=True, slots=True)
class Place(Generic[K]):
    """The rows after this place, or with `backward` those before it. `value` is a whole number."""

    value: int
    id: K
    backward: bool = False

    def encode(self) -> str:
        plain = f"{'<' if self.backward else '>'}{self.value}.{self.id}"
        return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")


class Cursor(Place[int]):
    """In a list of rows with numbers."""


class NamedCursor(Place[str]):
    """In a list of rows that are told apart by a name."""


def decode(text: str | None) -> Cursor | None:
    """None for what is no cursor: such a list begins at its beginning."""
    named = decode_named(text)
    try:
        number = int(named.id) if named else 0
    except ValueError:
        return None
    return Cursor(named.value, number, named.backward) if named and not number >> 62 else None


def decode_named(text: str | None) -> NamedCursor | None:
    """The same for rows that have a name."""
    if not text or not text.isascii():
        return None
    try:
        plain = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
        value, _, name = plain[1:].partition(".")
        if plain[:1] not in ("<", ">") or abs(int(value)) >> 62 or "\0" in name:
            return None
        return NamedCursor(int(value), name, plain.startswith("<"))
    except (binascii.Error, ValueError):
        return None


def ends(
    cursor: Place[K] | None, places: Sequence[tuple[int, K]], *, has_more: bool
) -> tuple[str | None, str | None]:
    """The ways from a page to the one before it and the one after it; None where there is nothing.

    `places` are the values and ids of the rows it shows, in the order of the list; `has_more`: whether there
    are more, in the direction in which they were looked for.
    """
    if not places:
        return None, None
    backward = cursor is not None and cursor.backward
    before, after = (has_more, True) if backward else (cursor is not None, has_more)
    return (
        Place(*places[0], backward=True).encode() if before else None,
        Place(*places[-1]).encode() if after else None,
    )


def value_of(at: datetime) -> int:
    """What stands in a cursor for a moment."""
    return (at - EPOCH) // MICROSECOND


def moment(value: int) -> datetime:
    """The moment that a cursor names; for one that no calendar has, that of 1970."""
    try:
        return EPOCH + value * MICROSECOND
    except OverflowError:
        return EPOCH
