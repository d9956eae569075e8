"""@people and #teams in a comment: only where somebody speaks to somebody, not in code, links or quotes."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from app.domain import markdown

_SPAN = re.compile(
    r"(?P<address>https?://[^\s<>\"'`]+[^\s<>\"'`.,;:!?)\]])"
    r"|(?<![\w@#/.])"
    r"(?:@(?P<who>[\w.+-]*\w(?:@[\w-]+(?:\.[\w-]+)*\.\w+)?)|#(?P<team>[a-z0-9](?:[\w-]*\w)?))",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Mentions:
    """Lower-cased handles or addresses, and team slugs, in the order of the text, each once."""

    people: tuple[str, ...]
    teams: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a text that is a web address, or that may be a name: `@bob`, `#payments`, in lower case."""

    start: int
    end: int
    name: str | None


def spans(text: str) -> Iterator[Span]:
    """The addresses and possible names in plain words."""
    for match in _SPAN.finditer(text):
        yield Span(match.start(), match.end(), None if match["address"] else match[0].lower())


def find(text: str) -> Mentions:
    """Names that *may* be mentions; whether somebody bears them is for the caller to find out."""
    names = list(dict.fromkeys(span.name for span in _addressed(text) if span.name))
    return Mentions(
        tuple(name[1:] for name in names if name[0] == "@"),
        tuple(name[1:] for name in names if name[0] == "#"),
    )


def _addressed(text: str) -> Iterator[Span]:
    for block, is_quoted in markdown.blocks(markdown.parse(text)):
        for token, is_plain in markdown.words(block) if not is_quoted else ():
            if is_plain:
                yield from spans(token.content)
