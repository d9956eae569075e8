"""A place in a sorted list that other rows cannot shift: the last row's sort value and id, as opaque text."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cursor:
    """The rows after this place, or with `backward` those before it. `value` is a whole number."""

    value: int
    id: int
    backward: bool = False

    def encode(self) -> str:
        plain = f"{'<' if self.backward else '>'}{self.value}.{self.id}"
        return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")


def decode(text: str | None) -> Cursor | None:
    """None for what is no cursor: such a list begins at its beginning."""
    if not text or not text.isascii():
        return None
    try:
        plain = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
        value, _, number = plain[1:].partition(".")
        if plain[:1] not in ("<", ">") or abs(int(value)) >> 62 or int(number) >> 62:
            return None
        return Cursor(int(value), int(number), plain.startswith("<"))
    except (binascii.Error, ValueError):
        return None
