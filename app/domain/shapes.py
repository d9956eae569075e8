"""Reads foreign objects by table: the wanted members are made regular, wrong ones noted and dropped."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from app.domain.scrubbing import Scrubber

MAX_NOTES = 50
_INTEGER = re.compile(r"\s*[+-]?[0-9]{1,18}\s*", re.ASCII)


class Invalid(Exception):
    """A member that is not what its name promises."""


@dataclass(slots=True)
class Reading:
    """What is known, and found out, while one event is read.

    A note is written with the name nearest to the fault; each level that it passes puts its own in front.
    """

    scrubber: Scrubber
    clock_shift: timedelta | None = None
    notes: list[str] = field(default_factory=list)

    def note(self, name: str) -> None:
        if len(self.notes) < MAX_NOTES:
            self.notes.append(name)

    def put_in_front(self, name: str, since: int) -> None:
        for index in range(since, len(self.notes)):
            self.notes[index] = f"{name}.{self.notes[index]}"


Rule = Callable[[Any, Reading], Any]


def members(source: Mapping[str, Any], rules: Mapping[str, Rule], reading: Reading) -> dict[str, Any]:
    """The members that `rules` names, made regular. What a rule makes None of counts as absent."""
    regular = {}
    notes = reading.notes
    noted = len(notes)
    for name, value in source.items():
        if value is None or (rule := rules.get(name)) is None:
            continue
        try:
            made = rule(value, reading)
        except Invalid:
            reading.note(name)
            noted = len(notes)
            continue
        if made is not None:
            regular[name] = made
        if len(notes) != noted:
            reading.put_in_front(name, noted)
            noted = len(notes)
    return regular


def objects(value: Any, rule: Rule, reading: Reading, *, newest: int) -> list[Any]:
    """A list of objects in any of its three spellings, each made regular; only the last `newest` are read."""
    given = listed(value)
    first = max(0, len(given) - newest)
    regular = []
    for index, member in enumerate(given[first:], start=first):
        noted = len(reading.notes)
        if not isinstance(member, dict):
            reading.note(str(index))
        elif made := rule(member, reading):
            regular.append(made)
        if len(reading.notes) != noted and isinstance(member, dict):
            reading.put_in_front(str(index), noted)
    return regular


def listed(value: Any) -> list[Any]:
    """`{"values": [...]}`, a bare list, or one bare object."""
    if isinstance(value, dict):
        if "values" not in value:
            return [value] if value else []
        value = value["values"]
        if value is None:
            return []
    if not isinstance(value, list):
        raise Invalid
    return value


def cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 3] + "..."


def as_text(value: Any) -> str:
    """Text, numbers and truth values as SDKs' users know them: True, 7, 1.5."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, (bool, int, float)):
        return str(value)
    raise Invalid


def text(limit: int) -> Rule:
    """A rule for text of at most so many characters; empty text counts as absent."""

    def rule(value: Any, _reading: Reading) -> str | None:
        if type(value) is str and len(value) <= limit:
            return value or None
        return cut(as_text(value), limit) or None

    return rule


def line(limit: int) -> Rule:
    """A rule for text that must stay on one line."""

    def rule(value: Any, _reading: Reading) -> str | None:
        value = as_text(value).strip()
        if "\n" in value:
            raise Invalid
        return cut(value, limit) or None

    return rule


def number(value: Any, _reading: Reading) -> int:
    if type(value) is int and -(1 << 63) <= value < 1 << 63:
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 1 << 53:
        return int(value)
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value)
    raise Invalid


def flag(value: Any, _reading: Reading) -> bool:
    if isinstance(value, bool):
        return value
    raise Invalid


def freeform(limit: int) -> Rule:
    """A rule for data of any shape, scrubbed and cut to about so many bytes."""

    def rule(value: Any, reading: Reading) -> Any:
        return reading.scrubber.clean(value, limit)

    return rule


def freeform_object(limit: int) -> Rule:
    """The same for data that must be an object; an empty one counts as absent."""

    def rule(value: Any, reading: Reading) -> Any:
        if not isinstance(value, dict):
            raise Invalid
        return reading.scrubber.clean(value, limit) if value else None

    return rule


def message_text(limit: int) -> Rule:
    """A rule for prose: secrets inside of it are replaced, the rest stays readable."""

    def rule(value: Any, reading: Reading) -> str | None:
        return cut(reading.scrubber.prose(as_text(value)), limit) or None

    return rule
