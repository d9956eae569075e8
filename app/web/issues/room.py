"""How much of an event a page shows: an event may be a thousand times as long as a page should be."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

# What a page of 60 KB has room for: characters of source and variables, characters of all else, frames.
ROOM_FOR_SOURCE, ROOM_FOR_TEXT, ROOM_FOR_FRAMES = 8_000, 8_000, 34
MOST_EXCEPTIONS, MOST_OPEN, MOST_BREADCRUMBS, MOST_VALUES = 5, 5, 12, 24
# A long value, one where the room is used up, and one on a page that shows everything.
LONG, SHORT, IN_FULL = 400, 40, 20_000

Pairs = Sequence[tuple[str, str]]


class Room:
    """Cuts what there is no room for, and remembers that it did."""

    def __init__(self, *, in_full: bool) -> None:
        self.in_full = in_full
        self.has_cut = False
        self.room_for_source = ROOM_FOR_SOURCE
        self.room_for_text = ROOM_FOR_TEXT
        self.room_for_frames = ROOM_FOR_FRAMES

    def text(self, value: Any) -> str:
        text = self.cut(value, LONG if self.room_for_text > 0 else SHORT)
        self.room_for_text -= len(text)
        return text

    def cut(self, value: Any, limit: int) -> str:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
        limit = IN_FULL if self.in_full else limit
        if len(text) <= limit:
            return text
        self.has_cut = True
        return f"{text[:limit]}… {len(text) - limit} more characters"

    def some(self, values: Sequence[Any], most: int, *, newest: bool = False) -> Sequence[Any]:
        if self.in_full or len(values) <= most:
            return values
        self.has_cut = True
        return values[-most:] if newest else values[:most]

    def frames(self, newest_first: Sequence[Any]) -> Sequence[Any]:
        shown = self.some(newest_first, max(self.room_for_frames, 1))
        self.room_for_frames -= len(shown)
        return shown

    def has_room_for_source(self, size: int) -> bool:
        if self.in_full or size <= self.room_for_source:
            self.room_for_source -= size
            return True
        self.has_cut = True
        return False

    def pairs(self, values: Mapping[str, Any]) -> Pairs:
        most = MOST_VALUES if self.room_for_text > 0 else MOST_VALUES // 4
        return [
            (self.cut(str(name), LONG), self.text(value))
            for name, value in self.some([*values.items()], most)
        ]
