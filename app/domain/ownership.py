"""Whose code is whose: the lines that people write, read with positions for what is wrong, and matched.

    path:src/checkout/*        #payments alice@example.com

The grammar, the globs and what they are compared with are told in `docs/issue-owners.md`.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from app.domain import addresses, codeowners
from app.domain.errors import Refused
from app.domain.globs import Globs, OneOf, Piece, pieces
from app.domain.ownership_lines import (
    CODEOWNERS,
    LONGEST,
    PATH,
    TAGS,
    Line,
    Match,
    Owner,
    OwnershipErrors,
    Problem,
    Roots,
)
from app.domain.ownership_sights import Sight, folded, sights

NO_ROOTS = Roots()
# Classes cost time for every kind of character that is met for the first time; nobody needs so many.
MOST_CLASSES, MOST_RANGES = 300, 500
LONGEST_PATTERN = 1000

_BLANKS = " \t"
_TYPE = re.compile(r"(path|url|module|codeowners|tags\.[^:]*):")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPED = re.compile(r'\\(["\\])')
_WORD = re.compile(r"[^ \t]+")
_NEVER_STORED = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True)
class Rules:
    """Lines in their order, the imported ones first; ready to be matched."""

    lines: tuple[Line, ...] = ()
    roots: Roots = NO_ROOTS

    @cached_property
    def engines(self) -> Mapping[str, tuple[Globs, Sequence[int]]]:
        """For each type of pattern its globs, and the place of the line that each belongs to."""
        of_types: dict[str, list[tuple[Sequence[Piece], int]]] = {}
        for place, line in enumerate(self.lines):
            of_types.setdefault(line.type, []).extend((glob, place) for glob in _globs(line))
        return {
            name: (Globs((glob for glob, _ in found), partial(folded, name)), [place for _, place in found])
            for name, found in of_types.items()
        }


def _globs(line: Line) -> Sequence[Sequence[Piece]]:
    if line.is_imported:
        return codeowners.globs(line.pattern)
    return [pieces(folded(line.type, line.pattern))]


def match(rules: Rules, data: Mapping[str, Any], tags: Sequence[Sequence[str]]) -> list[Match]:
    """All lines that an event matches, in their order, each with the first of what it matches."""
    of_types = {name: sights(name, data, tags, rules.roots) for name in rules.engines}
    return matched(rules, {name: seen(rules, name, found) for name, found in of_types.items()})


def matched(rules: Rules, found: Mapping[str, Mapping[int, Sight]]) -> list[Match]:
    """The lines at these places, by the type of their pattern, as `seen` has found them."""
    places = {place: sight for of_type in found.values() for place, sight in of_type.items()}
    return [Match(rules.lines[place], *places[place]) for place in sorted(places)]


def seen(rules: Rules, name: str, found: Iterable[Sight]) -> Mapping[int, Sight]:
    """The places of the lines of a type that one of these matches, each with the first that does."""
    globs, places = rules.engines[name]
    compared = list(found)
    first: dict[int, Sight] = {}
    for number, at in globs.firsts(value for value, _ in compared).items():
        first.setdefault(places[number], compared[at])
    return first


def by_weight(matches: Sequence[Match]) -> list[Match]:
    """The match with the longest pattern first, whatever its type; of equal ones the later line."""
    heaviest = sorted(enumerate(matches), key=lambda found: (len(found[1].pattern), found[0]), reverse=True)
    return [match for _, match in heaviest]


def parse(text: str) -> Rules:
    """The rules of a text; `OwnershipErrors` with everything that is wrong with it."""
    rules, problems = read(text)
    if problems:
        raise OwnershipErrors(problems)
    return rules


def read(text: str) -> tuple[Rules, list[Problem]]:
    """The lines that can be read, and what is wrong with the others."""
    problems: list[Problem] = []
    lines, classes = [], set[OneOf]()
    for number, line in enumerate(_lines(text[:LONGEST]), 1):
        found = _line(number, line)
        if isinstance(found, Line):
            wider = classes | {piece for piece in pieces(found.pattern) if isinstance(piece, OneOf)}
            if why := _too_many(wider):
                found = [Problem(number, 1, why, line)]
            else:
                classes = wider
        if isinstance(found, Line):
            lines.append(found)
        elif found:
            problems += found
    if len(text) > LONGEST:
        last = text[:LONGEST].count("\n") + 1
        problems.append(Problem(last, 1, f"the text is longer than {LONGEST:,} characters", ""))
    return Rules(tuple(lines)), problems


def _too_many(classes: Collection[OneOf]) -> str:
    """Why a text may not have these classes, or nothing."""
    if len(classes) > MOST_CLASSES:
        return f"more than {MOST_CLASSES} different […] in one text"
    if sum(len(each.ranges) for each in classes) > MOST_RANGES:
        return f"more than {MOST_RANGES} characters and ranges in the different […] of one text"
    return ""


def _lines(text: str) -> Iterator[str]:
    """Lines as they were typed, without their ends; a mark that some editors put first is no part of them."""
    for line in text.removeprefix("\ufeff").split("\n"):
        yield line.removesuffix("\r")


class _Wrong(Exception):
    """Stops the reading of a line: whatever follows cannot be understood."""

    def __init__(self, at: int, message: str) -> None:
        super().__init__(message)
        self.at, self.message = at, message


def _line(number: int, text: str) -> Line | list[Problem] | None:
    """A rule, nothing, or what is wrong."""
    if unfit := _NEVER_STORED.search(text):
        return [Problem(number, unfit.start() + 1, "a character that cannot be stored", text)]
    line = text.rstrip(_BLANKS)
    start = len(line) - len(line.lstrip(_BLANKS))
    if start == len(line) or line[start] == "#":
        return None
    try:
        kind, at = _type(line, start)
        pattern, at = _pattern(line, at, kind)
        owners, wrong = _owners(line, at)
    except _Wrong as error:
        return [Problem(number, error.at + 1, error.message, text)]
    if wrong:
        return [Problem(number, each.at + 1, each.message, text) for each in wrong]
    return Line(number, line[start:], kind, pattern, tuple(owners))


def _type(line: str, start: int) -> tuple[str, int]:
    match = _TYPE.match(line, start)
    if match is None:
        return PATH, start
    if match[1] == CODEOWNERS:
        raise _Wrong(start, "“codeowners:” stands only in an imported file: write “path:” here")
    if match[1] == TAGS:
        raise _Wrong(match.end() - 1, "the name of the tag is missing: write “tags.browser:”, for example")
    return match[1], match.end()


def _pattern(line: str, at: int, kind: str) -> tuple[str, int]:
    """The pattern, without its quotes, and where it ends."""
    pattern, end = _quoted(line, at) if line.startswith('"', at) else _bare(line, at, kind)
    if len(pattern) > LONGEST_PATTERN:
        raise _Wrong(at, f"the pattern is longer than {LONGEST_PATTERN:,} characters")
    return pattern, end


def _bare(line: str, at: int, kind: str) -> tuple[str, int]:
    match = _WORD.match(line, at)
    if match is None:
        raise _Wrong(at, f"the pattern is missing: it follows “{kind}:” without a space")
    for place, character in enumerate(match[0], at):
        if character.isspace():
            raise _Wrong(
                place, "an unusual space: use spaces or tabs, and quotes around a pattern with spaces"
            )
    return match[0], match.end()


def _quoted(line: str, at: int) -> tuple[str, int]:
    match = _QUOTED.match(line, at)
    if match is None:
        raise _Wrong(at, "the closing quote is missing")
    if not match[1]:
        raise _Wrong(at, "the pattern is empty: write * for everything")
    if line[match.end() : match.end() + 1].strip(_BLANKS):
        raise _Wrong(match.end(), "a space is missing after the closing quote")
    return _ESCAPED.sub(r"\1", match[1]), match.end()


def _owners(line: str, at: int) -> tuple[list[Owner], list[_Wrong]]:
    owners, wrong = [], []
    for word in _WORD.finditer(line, at):
        try:
            owners.append(_owner(word[0], word.start()))
        except _Wrong as error:
            wrong.append(error)
    if not owners and not wrong:
        raise _Wrong(len(line), "an owner is missing: name a #team or a mail address after the pattern")
    return owners, wrong


def _owner(word: str, at: int) -> Owner:
    if word.startswith("#"):
        if len(word) == 1:
            raise _Wrong(at, "the team’s name is missing after #")
        return Owner(True, word[1:].lower(), at + 1)
    try:
        return Owner(False, addresses.normal(word), at + 1)
    except Refused:
        raise _Wrong(at, f"“{word[:64]}” is neither a #team nor a mail address{_hint(word)}") from None


def _hint(word: str) -> str:
    if word.startswith("@"):
        return ": handles are not known here"
    return ": a pattern with spaces needs quotes" if set(word) & set('/*?"') else ""


def owner_of(text: str) -> Owner | None:
    """Whom a single name means: `#team` or an address."""
    try:
        return _owner(text.strip(), 0)
    except _Wrong:
        return None
