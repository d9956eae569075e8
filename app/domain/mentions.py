"""@people and #teams in a comment."""

import re
from dataclasses import dataclass

_MENTION = re.compile(
    r"(?<![\w@#/.])"
    r"(?:@(?P<who>[\w.+-]+(?:@[\w-]+(?:\.[\w-]+)+)?)|#(?P<team>[a-z0-9][\w-]*))",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Mentions:
    """Lower-cased handles or addresses, and team slugs, in the order of the text, each once."""

    people: tuple[str, ...]
    teams: tuple[str, ...]


def find(text: str) -> Mentions:
    """Names that *may* be mentions; whether somebody bears them is for the caller to find out."""
    people: dict[str, None] = {}
    teams: dict[str, None] = {}
    for match in _MENTION.finditer(text):
        if match["who"]:
            people[match["who"].rstrip(".-").lower()] = None
        else:
            teams[match["team"].lower()] = None
    return Mentions(tuple(people), tuple(teams))
