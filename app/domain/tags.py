"""Tags: short texts by name, given by the client or taken from other members of the event."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from app.domain.shapes import Invalid, Reading, as_text, cut

MAX_TAGS = 50
MAX_LENGTH = 200
RESERVED = frozenset({"release", "dist", "user", "filename", "function", "environment"})
DERIVED = ("environment", "release", "dist", "server_name", "level", "logger")

_KEY = re.compile(r"[A-Za-z0-9_.:-]{1,200}", re.ASCII)
_LINE_BREAKS = re.compile(r"[\r\n]+")

Tags = dict[str, str]


def custom(value: Any, reading: Reading) -> Tags:
    """The client's own tags, the reserved ones among them; the first of several with one name counts."""
    tags: Tags = {}
    for key, text in _pairs(value):
        if text is None or text == "":
            continue
        try:
            name, made = _key(key), _value(text)
        except Invalid:
            reading.note(cut(str(key), 64))
            continue
        if made and name not in tags:
            tags[name] = cut(str(reading.scrubber.named(name, made)), MAX_LENGTH)
    return tags


def complete(tags: Tags, members: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """What the event carries in the end: the client's, up to a number, then those taken from its members."""
    own = [(key, tags[key]) for key in tags if key not in RESERVED and not members.get(key)][:MAX_TAGS]
    derived = [(key, cut(members[key], MAX_LENGTH)) for key in DERIVED if members.get(key)]
    return (*own, *derived)


def is_key(text: str) -> bool:
    """Whether a tag can be called so."""
    return _KEY.fullmatch(text) is not None


def _pairs(value: Any) -> Iterable[tuple[Any, Any]]:
    if isinstance(value, dict):
        return value.items()
    if isinstance(value, list):
        return [(pair[0], pair[1]) for pair in value if isinstance(pair, list) and len(pair) == 2]
    raise Invalid


def _key(value: Any) -> str:
    key = as_text(value).strip().replace(" ", "-")
    if not is_key(key):
        raise Invalid
    return key


def _value(value: Any) -> str:
    text = as_text(value).strip()
    return _LINE_BREAKS.sub(" ", text) if "\n" in text or "\r" in text else text
