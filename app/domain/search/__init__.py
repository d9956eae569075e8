"""The search language of the issue list: text in, terms out, and errors that say what may be written.

Terms stand side by side and all must hold. `key:value`, `!` in front for the opposite, `"..."` around blanks,
`*` for anything. Keys that mean nothing here are tags; what has no key is looked for in the text of issues.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.domain import short_id, timestamps
from app.domain.normalising import LEVELS

DEFAULT = "is:unresolved"
LONGEST_AGO = timedelta(days=36_525)
MOST_TERMS, LONGEST = 50, 2000


class BadSearch(ValueError):
    """A term that cannot be understood, in words fit to show."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """Literal texts with anything between them; a single empty one means that nothing is there."""

    parts: tuple[str, ...]

    @property
    def is_exact(self) -> bool:
        return len(self.parts) == 1

    @property
    def is_unset(self) -> bool:
        return self.parts == ("",)

    def like(self, escape: str = "\\") -> str:
        """For SQL's LIKE with that escape character."""
        literals = [
            re.sub(f"([%_{re.escape(escape)}])", rf"{re.escape(escape)}\1", part) for part in self.parts
        ]
        return "%".join(literals)


@dataclass(frozen=True, slots=True)
class Is:
    """unresolved, resolved, ignored, assigned, unassigned or for_review."""

    state: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Assigned:
    """To the searching person, to whom an address or handle names, to a team, or (all empty) to nobody."""

    user_id: int | None = None
    person: str | None = None
    team: str | None = None
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Bookmarked:
    """By the searching person."""

    user_id: int
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Member:
    """level, environment or release."""

    key: str
    pattern: Pattern
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Tag:
    key: str
    pattern: Pattern
    negated: bool = False


@dataclass(frozen=True, slots=True)
class ShortId:
    project_slug: str
    number: int
    negated: bool = False


@dataclass(frozen=True, slots=True)
class TimesSeen:
    comparison: str
    number: int
    negated: bool = False


@dataclass(frozen=True, slots=True)
class SeenWithin:
    """first_seen or last_seen within bounds: comparisons with a moment, or with so long before now."""

    key: str
    bounds: tuple[tuple[str, datetime | timedelta], ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """Text to be found, in any case of letters, in an issue's title, message or culprit."""

    text: str
    negated: bool = False


Term = Is | Assigned | Bookmarked | Member | Tag | ShortId | TimesSeen | SeenWithin | Words


@dataclass(frozen=True, slots=True)
class Query:
    terms: tuple[Term, ...]


_TOKEN = re.compile(
    r"""(?P<not>!?)
    (?:(?P<key>tags\[[^\]\s]+\]|[\w.-]+):(?!//)(?P<quoted>"(?:\\.|[^"\\])*")
      |(?P<key2>tags\[[^\]\s]+\]|[\w.-]+):(?!//)(?P<plain>\S+)
      |(?P<text>"(?:\\.|[^"\\])*")(?=\s|$)
      |(?P<word>\S+))""",
    re.VERBOSE,
)
_DURATION = re.compile(r"([+-])([0-9]{1,6})([mhdw])", re.ASCII)
_COMPARED = re.compile(r"(>=|<=|>|<)?(.*)", re.DOTALL)
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse(text: str | None, *, me: int | None = None) -> Query:
    """What is asked for. Nothing asked means what is unresolved, an empty question everything."""
    text = DEFAULT if text is None else text
    if len(text) > LONGEST:
        raise BadSearch(f"The search has {len(text)} characters; {LONGEST} is the most.")
    terms: list[Term] = []
    words: list[str] = []
    for match in _TOKEN.finditer(text):
        term = _term(match, me)
        if isinstance(term, str):
            words.append(term)
        else:
            terms.append(term)
    if len(terms) > MOST_TERMS:
        raise BadSearch(f"The search has {len(terms)} terms; {MOST_TERMS} is the most.")
    if words:
        terms.append(Words(" ".join(words)))
    return Query(tuple(terms))


def _term(match: re.Match[str], me: int | None) -> Term | str:
    negated = bool(match["not"])
    key = match["key"] or match["key2"]
    if key is not None:
        value = _unquoted(match["quoted"]) if match["quoted"] else match["plain"]
        return _keyed(key, value, negated, me, quoted=bool(match["quoted"]))
    if match["text"]:
        return Words(_unquoted(match["text"]), negated)
    return Words(match["word"], negated=True) if negated else _word(match["word"])


def _word(word: str) -> str:
    if word in ("OR", "AND") or word.strip("()") == "":
        raise BadSearch(f"“{word}” is not understood: terms stand side by side and all must hold.")
    if word.endswith(":") and _canonical(word[:-1]) in _KEYS:
        raise BadSearch(f'“{word}” lacks a value. Nothing set is written {word}"".')
    return word


def _keyed(key: str, value: str, negated: bool, me: int | None, *, quoted: bool) -> Term:
    if not quoted and value[0] in "[(":
        raise BadSearch(f"“{key}:{value}” is a list. Give one value: {key}:value.")
    if key.startswith("tags["):
        return Tag(key[5:-1], _pattern(value), negated)
    find = _KEYS.get(_canonical(key))
    return find(key, value, negated, me) if find else Tag(key, _pattern(value), negated)


def _canonical(key: str) -> str:
    return key.lower().replace("_", "").replace("-", "")


def _unquoted(text: str) -> str:
    return re.sub(r'\\(["\\])', r"\1", text[1:-1])


def _pattern(value: str) -> Pattern:
    parts = re.split(r"(?<!\\)\*+", value)
    return Pattern(tuple(part.replace("\\*", "*") for part in parts))


BOOKMARKED = "bookmarked"
_STATES = {
    "unresolved": "unresolved",
    "resolved": "resolved",
    "ignored": "ignored",
    "archived": "ignored",
    "assigned": "assigned",
    "unassigned": "unassigned",
    "for_review": "for_review",
    BOOKMARKED: BOOKMARKED,
}


def _is(key: str, value: str, negated: bool, me: int | None) -> Term:
    state = _one_of(_STATES, key, value)
    return Bookmarked(me or 0, negated) if state == BOOKMARKED else Is(state, negated)


def _status(key: str, value: str, negated: bool, _me: int | None) -> Term:
    return Is(_one_of({state: state for state in ("unresolved", "resolved", "ignored")}, key, value), negated)


def _level(key: str, value: str, negated: bool, _me: int | None) -> Term:
    level = _one_of({level: level for level in LEVELS}, key, value)
    return Member("level", Pattern((level,)), negated)


def _one_of(values: dict[str, str], key: str, value: str) -> str:
    if value.lower() not in values:
        raise BadSearch(f"“{key}:{value}” is not understood. {key} takes {_listed(values)}.")
    return values[value.lower()]


def _listed(values: dict[str, str]) -> str:
    *most, last = values
    return f"{', '.join(most)} or {last}"


def _bookmarks(key: str, value: str, negated: bool, me: int | None) -> Term:
    """Nobody's but one's own: what others keep is theirs to know."""
    if value.lower() != "me":
        raise BadSearch(f"“{key}:{value}” is not understood. {key} takes me.")
    return Bookmarked(me or 0, negated)


def _assigned(_key: str, value: str, negated: bool, me: int | None) -> Term:
    if value == "me":
        # Nobody has the number 0: a program without a person behind it is assigned nothing.
        return Assigned(user_id=me or 0, negated=negated)
    if value in ("none", ""):
        return Assigned(negated=negated)
    if value.startswith("#"):
        return Assigned(team=value[1:], negated=negated)
    return Assigned(person=value, negated=negated)


def _member(member: str) -> Callable[[str, str, bool, int | None], Term]:
    return lambda _key, value, negated, _me: Member(member, _pattern(value), negated)


def _issue(key: str, value: str, negated: bool, _me: int | None) -> Term:
    parsed = short_id.parse(value)
    if parsed is None:
        raise BadSearch(f"“{key}:{value}” is not understood. {key} takes a short id such as SHOP-3F.")
    return ShortId(*parsed, negated)


def _times_seen(key: str, value: str, negated: bool, _me: int | None) -> Term:
    comparison, number = _compared(value)
    if not re.fullmatch("[0-9]{1,15}", number, re.ASCII):
        raise BadSearch(
            f"“{key}:{value}” is not understood. {key} takes a number, or >, >=, < or <= and one."
        )
    return TimesSeen(comparison or "=", int(number), negated)


def _seen(member: str) -> Callable[[str, str, bool, int | None], Term]:
    return lambda key, value, negated, _me: SeenWithin(member, _bounds(key, value), negated)


def _bounds(key: str, value: str) -> tuple[tuple[str, datetime | timedelta], ...]:
    try:
        return _moments(key, value)
    except OverflowError:  # beyond the calendar
        raise BadSearch(f"“{key}:{value}” lies outside the calendar.") from None


def _moments(key: str, value: str) -> tuple[tuple[str, datetime | timedelta], ...]:
    if match := _DURATION.fullmatch(value):
        ago = timedelta(**{_UNITS[match[3]]: int(match[2])})
        if ago > LONGEST_AGO:
            raise OverflowError
        return ((">=" if match[1] == "-" else "<=", ago),)
    comparison, written = _compared(value)
    moment = timestamps.parse(written) if "-" in written else None
    if moment is None:
        raise BadSearch(
            f"“{key}:{value}” is not understood. {key} takes -24h (the last 24 hours), +24h (longer ago), "
            "with m, h, d or w, or a date such as 2026-11-23, with >, >=, < or <= before it or not."
        )
    if comparison:
        return ((comparison, moment),)
    if len(written) == len("2026-11-23"):
        return ((">=", moment), ("<", moment + timedelta(days=1)))
    return ((">=", moment - timedelta(minutes=5)), ("<", moment + timedelta(minutes=6)))


def _compared(value: str) -> tuple[str | None, str]:
    match = _COMPARED.fullmatch(value)
    assert match is not None
    return match[1], match[2]


def _has(_key: str, value: str, negated: bool, _me: int | None) -> Term:
    return Tag(value, Pattern(("",)), not negated)


_KEYS: dict[str, Callable[[str, str, bool, int | None], Term]] = {
    "is": _is,
    "status": _status,
    "assigned": _assigned,
    "bookmarks": _bookmarks,
    "level": _level,
    "environment": _member("environment"),
    "env": _member("environment"),
    "release": _member("release"),
    "issue": _issue,
    "timesseen": _times_seen,
    "age": _seen("first_seen"),
    "firstseen": _seen("first_seen"),
    "lastseen": _seen("last_seen"),
    "has": _has,
}
