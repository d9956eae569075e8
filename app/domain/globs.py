"""Many glob patterns against one text at once, in time that grows with the text and not with malice.

All patterns lie side by side in one row of bits, a bit for each place in a pattern. A character of the text
moves every place that is reached a step on, with three operations on whole numbers: nothing is ever tried
twice, so there is no pattern and no text that makes it slow.
"""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

# How many characters and texts are remembered; what is beyond is worked out again.
KNOWN_CHARACTERS = 1024
KNOWN_TEXTS = 8192
LONGEST_KNOWN = 400


class Wild(Enum):
    """`ANY` and `PART` stand for one character, `STAR` and `RUN` for any number; two of them not for `/`."""

    ANY = "?"
    PART = "? within a folder"
    STAR = "*"
    RUN = "* within a folder"


@dataclass(frozen=True, slots=True)
class OneOf:
    """A class such as `[a-z_]`, or `[!a-z_]`."""

    ranges: tuple[tuple[str, str], ...]
    is_negated: bool


Piece = str | Wild | OneOf


def pieces(pattern: str) -> list[Piece]:
    """What a glob is made of: `*`, `?`, classes, and characters. A `[` without its `]` is a character."""
    found: list[Piece] = []
    at, last = 0, pattern.rfind("]")
    while at < len(pattern):
        piece, at = _piece(pattern, at, last)
        found.append(piece)
    return found


def _piece(pattern: str, at: int, last: int) -> tuple[Piece, int]:
    character = pattern[at]
    if character == "*":
        return Wild.STAR, at + 1
    if character == "?":
        return Wild.ANY, at + 1
    return (character == "[" and _one_of(pattern, at, last)) or (character, at + 1)


def _one_of(pattern: str, at: int, last: int) -> tuple[OneOf, int] | None:
    """The class that begins here, and where it ends. `last` is the place of the last `]` there is."""
    is_negated = pattern.startswith("!", at + 1)
    first = at + 1 + is_negated
    if last <= first:  # the first member may be a bracket itself
        return None
    end = pattern.index("]", first + 1)
    return OneOf(tuple(_ranges(pattern[first:end])), is_negated), end + 1


def _ranges(members: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(members):
        is_range = members[at + 1 : at + 2] == "-" and at + 2 < len(members)
        yield members[at], members[at + 2] if is_range else members[at]
        at += 3 if is_range else 1


class _Classes:
    """The places of classes. Their ranges part all characters into kinds; those of a kind are in the same."""

    def __init__(self, places: Mapping[OneOf, int]) -> None:
        self._places = [(one.ranges, bits) for one, bits in places.items()]
        self._negated = 0
        for one, bits in places.items():
            self._negated |= bits if one.is_negated else 0
        bounds = {ord(low) for one in places for low, _ in one.ranges}
        bounds |= {ord(high) + 1 for one in places for _, high in one.ranges}
        self._bounds = sorted(bounds)
        self._known: dict[int, int] = {}

    def holding(self, character: str) -> int:
        """The places of the classes that the character is in."""
        kind = bisect_right(self._bounds, ord(character))
        found = self._known.get(kind)
        if found is None:
            found = self._known[kind] = self._found(character)
        return found

    def _found(self, character: str) -> int:
        found = self._negated
        for ranges, bits in self._places:
            if any(low <= character <= high for low, high in ranges):
                found ^= bits
        return found


class Globs:
    """Patterns, each by its number in their order. `fold` gives a text the form that they are in."""

    def __init__(self, patterns: Iterable[Sequence[Piece]], fold: Callable[[str], str] = str) -> None:
        self._fold = fold
        self._characters: dict[str, list[int]] = defaultdict(list)
        self._wild: dict[Piece, list[int]] = defaultdict(list)
        starts, self._ends, place = [], {}, 0
        for number, pattern in enumerate(patterns):
            starts.append(place)
            for piece in pattern:
                place += self._put(piece, place)
            self._ends[place] = number
            place += 1
        self._bytes = place // 8 + 1
        self._starts = self._bits(starts)
        self._accepts = self._bits(self._ends)
        self._stars = self._bits(self._wild.pop(Wild.STAR, ()))
        self._runs = self._stars | self._bits(self._wild.pop(Wild.RUN, ()))
        self._any = self._bits(self._wild.pop(Wild.ANY, ()))
        self._parts = self._any | self._bits(self._wild.pop(Wild.PART, ()))
        self._classes = _Classes(
            {one: self._bits(at) for one, at in self._wild.items() if isinstance(one, OneOf)}
        )
        self._steps: dict[str, int] = {}
        self._known: dict[str, int] = {}

    def _put(self, piece: Piece, place: int) -> int:
        """How many places the piece takes: what stands for any number of characters stays where it is."""
        if isinstance(piece, str):
            self._characters[piece].append(place)
            return 1
        self._wild[piece].append(place)
        return 0 if piece in (Wild.STAR, Wild.RUN) else 1

    def firsts(self, texts: Iterable[str]) -> dict[int, int]:
        """The numbers of the patterns that match a whole text, each with the place of the first that does."""
        found: dict[int, int] = {}
        met = 0
        for at, text in enumerate(texts):
            accepted = self._accepted(text)
            if anew := accepted & ~met:
                found |= dict.fromkeys(self._numbers(anew), at)
                met |= accepted
        return found

    def _accepted(self, text: str) -> int:
        """The ends of the patterns that match the whole text."""
        found = self._known.get(text)
        if found is None:
            found = self._walk(self._fold(text))
            if len(text) <= LONGEST_KNOWN:
                if len(self._known) >= KNOWN_TEXTS:
                    self._known.clear()
                self._known[text] = found
        return found

    def _walk(self, text: str) -> int:
        reached = self._starts
        for character in text:
            stay = self._stars if character == "/" else self._runs
            reached = ((reached & self._step(character)) << 1) | (reached & stay)
            if not reached:
                break
        return reached & self._accepts

    def _numbers(self, accepted: int) -> Iterator[int]:
        for bit in re.finditer("1", bin(accepted)[:1:-1]):
            yield self._ends[bit.start()]

    def _step(self, character: str) -> int:
        """The places from which this character leads on."""
        step = self._steps.get(character)
        if step is None:
            step = self._any if character == "/" else self._parts
            step |= self._classes.holding(character)
            if named := self._characters.get(character):
                step |= self._bits(named)
            if len(self._steps) < KNOWN_CHARACTERS:
                self._steps[character] = step
        return step

    def _bits(self, places: Iterable[int]) -> int:
        """A number with these bits set; made at once, since bit by bit would cost the square of it."""
        row = bytearray(self._bytes)
        for place in places:
            row[place >> 3] |= 1 << (place & 7)
        return int.from_bytes(row, "little")
