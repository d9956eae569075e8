"""A search taken apart, for a list that found nothing: what it could do without, or ask for less exactly."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.domain.search import LONGEST, TOKEN, keys, parse
from app.domain.search.terms import Attribute, Pattern, Tag, Term


@dataclass(frozen=True, slots=True)
class Piece:
    """A term as it was written; all words are one. The searches without it, and with `wider` in its place.

    `wider` has a star at both ends of an exact text, `tag` is the tag that issues must have for it.
    """

    written: str
    without: str
    wider: str = ""
    with_wider: str = ""
    tag: str = ""


def pieces(text: str) -> Sequence[Piece]:
    """Of a search that is understood."""
    tokens = list(TOKEN.finditer(text))
    of_words = [place for place, token in enumerate(tokens) if token["word"] and not token["not"]]
    groups = [[place] for place in range(len(tokens)) if place not in of_words]
    groups += [of_words] if of_words else []
    return [_piece(tokens, group) for group in sorted(groups)]


def _piece(tokens: Sequence[re.Match[str]], group: Sequence[int]) -> Piece:
    written = [token[0] for token in tokens]
    own = " ".join(written[place] for place in group)
    without = " ".join(each for place, each in enumerate(written) if place not in group)
    wider = _wider(tokens[group[0]])
    replaced = [wider if place == group[0] else each for place, each in enumerate(written)]
    with_wider = " ".join(replaced) if wider else ""
    if len(with_wider) > LONGEST:
        wider = with_wider = ""
    return Piece(own, without, wider, with_wider, _tag(_term(own)))


def _term(written: str) -> Term | None:
    return next(iter(parse(written).terms), None)


def _wider(token: re.Match[str]) -> str:
    """`message:*gateway*` for `message:gateway`; nothing where a star would change what is asked for."""
    term = _term(token[0])
    if token["not"] or not isinstance(term, Attribute | Tag) or term.key == "level":
        return ""
    if not term.pattern.is_exact or term.pattern.is_unset:
        return ""
    value = f'"*{token["quoted"][1:-1]}*"' if token["quoted"] else f"*{token['plain']}*"
    wider = f"{token['key']}:{value}"
    if len(wider) > LONGEST:
        return ""
    found = replace(term, pattern=Pattern(("", *term.pattern.parts, "")))
    return wider if _term(wider) == found else ""


def _tag(term: Term | None) -> str:
    """Of what must be set, and is nothing that issues or events say of themselves."""
    if not isinstance(term, Attribute | Tag) or term.negated != term.pattern.is_unset or not term.key:
        return ""
    return "" if isinstance(term, Attribute) and keys.reader(term.key) else term.key
