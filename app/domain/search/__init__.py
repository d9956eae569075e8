"""The search language of the issue list: text in, terms out, and errors that say what may be written.

Terms stand side by side and all must hold. `key:value`, `!` in front for the opposite, `"..."` around blanks,
`*` for anything. Keys that mean nothing here are tags; what has no key is looked for in the text of issues.
"""

from __future__ import annotations

import re

from app.domain.search import keys
from app.domain.search.terms import (
    Assigned,
    Attribute,
    BadSearch,
    InLatest,
    Is,
    IssueId,
    Pattern,
    Query,
    SeenWithin,
    ShortId,
    Tag,
    Term,
    Tied,
    TimesSeen,
    Unreached,
    Words,
)
from app.domain.search.values import pattern

__all__ = [
    "DEFAULT",
    "LONGEST",
    "Assigned",
    "Attribute",
    "BadSearch",
    "InLatest",
    "Is",
    "IssueId",
    "Pattern",
    "Query",
    "SeenWithin",
    "ShortId",
    "Tag",
    "Term",
    "Tied",
    "TimesSeen",
    "Unreached",
    "Words",
    "parse",
]

DEFAULT = "is:unresolved"
MOST_TERMS, LONGEST = 50, 2000

_TOKEN = re.compile(
    r"""(?P<not>!|-(?=told:))?
    (?:(?P<key>tags\[[^\]\s]+\]|[\w.-]+):(?!//)(?P<quoted>"(?:\\.|[^"\\])*")
      |(?P<key2>tags\[[^\]\s]+\]|[\w.-]+):(?!//)(?P<plain>\S+)
      |(?P<text>"(?:\\.|[^"\\])*")(?=\s|$)
      |(?P<word>\S+))""",
    re.VERBOSE,
)


def parse(text: str | None, *, me: int | None = None) -> Query:
    """What is asked for. Nothing asked means what is unresolved, an empty question everything."""
    text = DEFAULT if text is None else text
    if len(text) > LONGEST:
        raise BadSearch(f"The search has {len(text)} characters; {LONGEST} is the most.")
    if "\0" in text:
        raise BadSearch("The search holds a character that no text has.", text.replace("\0", ""))
    terms: list[Term] = []
    words: list[str] = []
    problems: list[str] = []
    rest: list[str] = []
    for match in _TOKEN.finditer(text):
        try:
            term = _term(match, me)
        except BadSearch as problem:
            problems.append(str(problem))
            continue
        rest.append(match[0])
        if isinstance(term, str):
            words.append(term)
        else:
            terms.append(term)
    if problems:
        raise BadSearch(" ".join(dict.fromkeys(problems)), " ".join(rest))
    if len(terms) > MOST_TERMS:
        raise BadSearch(f"The search has {len(terms)} terms; {MOST_TERMS} is the most.")
    return Query((*_united(terms), *([Words(" ".join(words))] if words else ())))


def _united(terms: list[Term]) -> list[Term]:
    """Both ends of a range of `event.timestamp` are met by one event."""
    ranges = [
        term
        for term in terms
        if isinstance(term, SeenWithin) and term.key == "timestamp" and not term.negated
    ]
    if len(ranges) < 2:
        return terms
    bounds = tuple(bound for term in ranges for bound in term.bounds)
    return [*(term for term in terms if term not in ranges), SeenWithin("timestamp", bounds)]


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
    if word.endswith(":") and keys.reader(word[:-1]):
        raise BadSearch(f'“{word}” lacks a value. Nothing set is written {word}"".')
    return word


def _keyed(key: str, value: str, negated: bool, me: int | None, *, quoted: bool) -> Term:
    if not quoted and value[0] in "[(":
        raise BadSearch(f"“{key}:{value}” is a list. Give one value: {key}:value.")
    if key.startswith("tags["):
        return Tag(key[5:-1], pattern(value), negated)
    if key.startswith("-") and keys.reader(key[1:]):
        raise BadSearch(f"“{key}:{value}” is not understood. The opposite is written !{key[1:]}:{value}.")
    read = keys.reader(key)
    return read(key, value, negated, me) if read else Attribute(key, pattern(value), negated)


def _unquoted(text: str) -> str:
    return re.sub(r'\\(["\\])', r"\1", text[1:-1])
