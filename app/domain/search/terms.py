"""What a search is made of once it is understood: terms that must all hold."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta


class BadSearch(ValueError):
    """Terms that cannot be understood, in words fit to show; `rest` is the search without them."""

    def __init__(self, message: str, rest: str = "") -> None:
        super().__init__(message)
        self.rest = rest


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
    """A status, what an unresolved issue is beyond it, assigned, unassigned, for_review or linked."""

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
class Tied:
    """bookmarked, subscribed or told: by the searching person, one that is named, or (both empty) nobody."""

    tie: str
    user_id: int | None = None
    person: str | None = None
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Unreached:
    """Of its latest notice nobody was told, and nobody will be."""

    negated: bool = False


@dataclass(frozen=True, slots=True)
class Important:
    """Of that priority: as somebody chose, or by its level."""

    importance: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Attribute:
    """What at least one event of the issue says under that name, in a member of its own or in a tag."""

    key: str
    pattern: Pattern
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag and nothing else; without a key any of them."""

    key: str | None
    pattern: Pattern
    negated: bool = False


@dataclass(frozen=True, slots=True)
class InLatest:
    """Seen in the newest release of its project, or (`first`) first seen in it."""

    first: bool
    negated: bool = False


@dataclass(frozen=True, slots=True)
class IssueId:
    number: int
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


Bounds = tuple[tuple[str, datetime | timedelta], ...]


@dataclass(frozen=True, slots=True)
class SeenWithin:
    """first_seen, last_seen or (of one and the same event) timestamp within bounds.

    They are comparisons with a moment, or with so long before now.
    """

    key: str
    bounds: Bounds
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """Text to be found, in any case of letters, in an issue's title, message or culprit."""

    text: str
    negated: bool = False


Term = (
    Is
    | Assigned
    | Tied
    | Unreached
    | Important
    | Attribute
    | Tag
    | InLatest
    | IssueId
    | ShortId
    | TimesSeen
    | SeenWithin
    | Words
)


@dataclass(frozen=True, slots=True)
class Query:
    terms: tuple[Term, ...]
