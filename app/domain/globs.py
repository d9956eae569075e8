"""Many glob patterns against one text at once, in time that grows with the text and not with malice.

All patterns lie side by side in one row of bits, a bit for each place in a pattern. A character of the text
moves every place that is reached a step on, with three operations on whole numbers: nothing is ever tried
twice, so there is no pattern and no text that makes it slow.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

# How many characters and texts are remembered; what is beyond is worked out again.
KNOWN_CHARACTERS = 256
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

    def has(self, character: str) -> bool:
        return any(low <= character <= high for low, high in self.ranges) != self.is_negated


Piece = str | Wild | OneOf


def pieces(pattern: str) -> list[Piece]:
    """What a glob is made of: `*`, `?`, classes, and characters. A `[` without its `]` is a character."""
    found: list[Piece] = []
    at = 0
    while at < len(pattern):
        piece, at = _piece(pattern, at)
        found.append(piece)
    return found


def _piece(pattern: str, at: int) -> tuple[Piece, int]:
    character = pattern[at]
    if character == "*":
        return Wild.STAR, at + 1
    if character == "?":
        return Wild.ANY, at + 1
    return (character == "[" and _one_of(pattern, at)) or (character, at + 1)


_CLASS = re.compile(r"\[(!?)([^\]][^\]]*)\]", re.DOTALL)
_FIRST_IS_BRACKET = re.compile(r"\[(!?)(\][^\]]*)\]", re.DOTALL)


def _one_of(pattern: str, at: int) -> tuple[OneOf, int] | None:
    match = _FIRST_IS_BRACKET.match(pattern, at) or _CLASS.match(pattern, at)
    if match is None:
        return None
    return OneOf(tuple(_ranges(match[2])), bool(match[1])), match.end()


def _ranges(members: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(members):
        is_range = members[at + 1 : at + 2] == "-" and at + 2 < len(members)
        yield members[at], members[at + 2] if is_range else members[at]
        at += 3 if is_range else 1


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
        self._classes = [(one, self._bits(at)) for one, at in self._wild.items() if isinstance(one, OneOf)]
        self._steps: dict[str, int] = {}
        self._known: dict[str, tuple[int, ...]] = {}

    def _put(self, piece: Piece, place: int) -> int:
        """How many places the piece takes: what stands for any number of characters stays where it is."""
        if isinstance(piece, str):
            self._characters[piece].append(place)
            return 1
        self._wild[piece].append(place)
        return 0 if piece in (Wild.STAR, Wild.RUN) else 1

    def matching(self, text: str) -> tuple[int, ...]:
        """The numbers of the patterns that match the whole text."""
        found = self._known.get(text)
        if found is None:
            found = tuple(self._numbers(self._walk(self._fold(text))))
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
        if accepted:
            for bit in re.finditer("1", bin(accepted)[:1:-1]):
                yield self._ends[bit.start()]

    def _step(self, character: str) -> int:
        """The places from which this character leads on."""
        step = self._steps.get(character)
        if step is None:
            step = self._bits(self._characters.get(character, ()))
            step |= self._any if character == "/" else self._parts
            for one, bits in self._classes:
                if one.has(character):
                    step |= bits
            if len(self._steps) < KNOWN_CHARACTERS:
                self._steps[character] = step
        return step

    def _bits(self, places: Iterable[int]) -> int:
        """A number with these bits set; made at once, since bit by bit would cost the square of it."""
        row = bytearray(self._bytes)
        for place in places:
            row[place >> 3] |= 1 << (place & 7)
        return int.from_bytes(row, "little")
