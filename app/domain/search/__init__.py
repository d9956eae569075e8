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
    Important,
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
    "TOKEN",
    "Assigned",
    "Attribute",
    "BadSearch",
    "Important",
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
    "exactly",
    "parse",
]

DEFAULT = "is:unresolved"
MOST_TERMS, LONGEST = 50, 2000

_KEY = r"tags\[[^\]\s]+\]|[\w.-]+"
_QUOTED = r'"(?:\\.|[^"\\])*"'
# A list or what parentheses hold, whatever is in it, and a quotation that never ends, are one term each.
_NOT_OURS = rf'\[(?:{_QUOTED}|[^\]])*+\]\S*|\((?:{_QUOTED}|[^)])*+\)\S*|"(?:\\.|[^"\\])*+\\?\Z'
TOKEN = re.compile(
    rf"""(?P<not>!|-(?=told:|\())?
    (?:(?P<key>{_KEY}):(?!//)(?:(?P<quoted>{_QUOTED})|(?P<plain>{_NOT_OURS}|\S+))
      |(?P<text>{_QUOTED})(?=\s|$)
      |(?P<word>(?=[("])(?:{_NOT_OURS})|\S+))""",
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
    for match in TOKEN.finditer(text):
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


def exactly(key: str, text: str) -> str:
    """The term that asks for this very text, whatever is in it."""
    literal = text.replace("*", r"\*").replace("\\", r"\\").replace('"', r"\"")
    return f'{key}:"{literal}"'


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
    _check_form(match)
    if match["key"] is not None:
        value = _unquoted(match["quoted"]) if match["quoted"] else match["plain"]
        return _keyed(match["key"], value, negated, me)
    if match["text"]:
        return Words(_unquoted(match["text"]), negated)
    return Words(match["word"], negated=True) if negated else _word(match["word"])


def _check_form(match: re.Match[str]) -> None:
    """What has a form that other languages of searches know and this one does not."""
    written, key = match[0], match["key"]
    value = match["plain"] or match["word"] or ""
    if value.startswith('"') and re.fullmatch(_NOT_OURS, value):
        raise BadSearch(f"“{written}” is not understood: the closing quote is missing.")
    if key and value[:1] in ("[", "("):
        raise BadSearch(f"“{written}” is a list. Give one value: {key}:value.")
    if value.startswith("(") or value.count(")") > value.count("("):
        raise BadSearch(
            f"“{written}” is not understood: there are no parentheses, terms stand side by side and all must "
            "hold. Text that has some is written in quotes."
        )


def _word(word: str) -> str:
    if word in ("OR", "AND"):
        raise BadSearch(f"“{word}” is not understood: terms stand side by side and all must hold.")
    if word.endswith(":") and keys.reader(word[:-1]):
        raise BadSearch(f'“{word}” lacks a value. Nothing set is written {word}"".')
    return word


def _keyed(key: str, value: str, negated: bool, me: int | None) -> Term:
    if key.startswith("tags["):
        return Tag(key[5:-1], pattern(value), negated)
    if key.startswith("-") and keys.reader(key[1:]):
        raise BadSearch(f"“{key}:{value}” is not understood. The opposite is written !{key[1:]}:{value}.")
    read = keys.reader(key)
    return read(key, value, negated, me) if read else Attribute(key, pattern(value), negated)


def _unquoted(text: str) -> str:
    return re.sub(r'\\(["\\])', r"\1", text[1:-1])
