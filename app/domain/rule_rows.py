"""The rows of a rule, checked against the tables of its parts: what is wrong is named with its place."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.domain import rule_parts
from app.domain.errors import Refused
from app.domain.rule_parts import Field, Part
from app.domain.tags import is_key

MOST, LONGEST_TEXT, MOST_ROWS = 1_000_000_000, 1000, 50
LONGEST_ATTRIBUTE, MOST_DOTS = 200, 20
ALL = "all"

Row = Mapping[str, Any]
Errors = dict[str, str]  # by place, such as "conditions.1.value"


class BadRule(Refused):
    """A rule that makes no sense; `errors` says where and why, the first of them is its message."""

    def __init__(self, errors: Errors) -> None:
        field, message = next(iter(errors.items()))
        super().__init__(message, field=field)
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Names:
    """What a project has that rules may name, with the words for it.

    `paging`: the integrations that page somebody. `tells_all`: whether all members are told of what has no
    owner, else nobody is.
    """

    environments: frozenset[str] = frozenset()
    teams: Mapping[int, str] = field(default_factory=dict)
    members: Mapping[int, str] = field(default_factory=dict)
    integrations: Mapping[int, str] = field(default_factory=dict)
    paging: frozenset[int] = frozenset()
    tells_all: bool = True


def read_rows(name: str, value: Any, names: Names | None, errors: Errors) -> tuple[Row, ...]:
    """The rows under a member such as `conditions`; without `names` ids are not looked up."""
    if not isinstance(value, list | tuple):
        errors[name] = "Must be a list."
        return ()
    if len(value) > MOST_ROWS:
        errors[name] = f"At most {MOST_ROWS} of them."
        return ()
    return tuple(
        _row(rule_parts.TABLES[name], each, names, f"{name}.{position}", errors)
        for position, each in enumerate(value)
    )


def _row(table: Mapping[str, Part], value: Any, names: Names | None, path: str, errors: Errors) -> Row:
    if not isinstance(value, Mapping):
        errors[path] = "Must be an object."
        return {}
    part = table.get(value["id"]) if isinstance(value.get("id"), str) else None
    if part is None:
        errors[f"{path}.id"] = f"Unknown. There are: {', '.join(table)}."
        return {}
    members = {"id", *(each.name for each in part.fields)}
    for unknown in sorted(str(name) for name in value if name not in members):
        errors[f"{path}.{unknown}"] = f"Unknown. There are: {', '.join(sorted(members))}."
    row: dict[str, Any] = {"id": part.id}
    for each in part.fields:
        if each.only_if and f"{path}.{each.only_if[0]}" in errors:
            continue  # whether it is asked for cannot be told
        try:
            row |= _member(each, value, names)
        except Refused as refused:
            errors[f"{path}.{each.name}"] = refused.message
    return row


def _member(wanted: Field, row: Row, names: Names | None) -> dict[str, Any]:
    value = row.get(wanted.name)
    is_given = value not in (None, "", [])
    if not rule_parts.is_asked(wanted, row):
        if is_given and not wanted.assumed:
            raise Refused("Leave it out: it means nothing here.")
        return {}
    if is_given:
        return {wanted.name: _READERS[wanted.type](wanted, value, row, names)}
    if wanted.is_optional:
        return {}
    if wanted.assumed is None:
        raise _missing(wanted)
    return {wanted.name: wanted.assumed}


def _missing(wanted: Field) -> Refused:
    return Refused(f"{wanted.label} is missing.")


def _number(wanted: Field, value: Any, row: Row, names: Names | None) -> int:
    number = whole(value)
    if number is None or not 1 <= number <= MOST:
        raise Refused(f"Must be a whole number from 1 to {MOST:,}.")
    return number


def whole(value: Any) -> int | None:
    """A whole number, also as a form sends it."""
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
        return int(value.strip()[:12])
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(wanted: Field, value: Any, row: Row, names: Names | None) -> str:
    if not isinstance(value, str):
        raise Refused("Must be text.")
    text = " ".join(value.split())
    if len(text) > LONGEST_TEXT:
        raise Refused(f"At most {LONGEST_TEXT:,} characters.")
    if not text or (row.get("match") in rule_parts.LISTING and not items(text)):
        raise _missing(wanted)
    return text


def items(text: str) -> list[str]:
    """What a comma list holds."""
    return [item for each in text.split(",") if (item := each.strip())]


def _choice(wanted: Field, value: Any, row: Row, names: Names | None) -> str:
    choices = wanted.choices or {}
    if not isinstance(value, str) or value not in choices:
        raise Refused(f"Unknown. There are: {', '.join(each for each in choices if each)}.")
    return value


def _key(wanted: Field, value: Any, row: Row, names: Names | None) -> str:
    if not isinstance(value, str) or not is_key(value.strip()):
        raise Refused("Must be the name of a tag: letters, digits and _ . : -")
    return value.strip()


def _attribute(wanted: Field, value: Any, row: Row, names: Names | None) -> str:
    if not isinstance(value, str) or not rule_parts.knows_attribute(value.strip()):
        there_are = (*rule_parts.ATTRIBUTES, *(f"{each}…" for each in rule_parts.OPEN_ATTRIBUTES))
        raise Refused(f"Unknown. There are: {', '.join(there_are)}.")
    name = value.strip()
    if len(name) > LONGEST_ATTRIBUTE or name.count(".") > MOST_DOTS:
        raise Refused(f"At most {LONGEST_ATTRIBUTE} characters, and {MOST_DOTS} dots.")
    return name


def _target(wanted: Field, value: Any, row: Row, names: Names | None) -> int:
    number = whole(value)
    if number is None:
        raise Refused(f"Must be the id of a {row['target']}.")
    if names is None:
        return number
    if row["target"] == "team" and number not in names.teams:
        raise Refused("That team has no access to the project.")
    if row["target"] == "member" and number not in names.members:
        raise Refused("That person is no member of the project.")
    return number


def _integration(wanted: Field, value: Any, row: Row, names: Names | None) -> int | str:
    if value == ALL:
        return ALL
    number = whole(value)
    if number is None:
        raise Refused('Must be the id of an integration, or "all".')
    if names is not None and number not in names.integrations:
        raise Refused("The project has no such integration.")
    return number


def _tags(wanted: Field, value: Any, row: Row, names: Names | None) -> list[str]:
    keys = items(value) if isinstance(value, str) else value
    if not isinstance(keys, list) or not all(isinstance(each, str) and is_key(each) for each in keys):
        raise Refused("Must be a list of names of tags.")
    if len(keys) > MOST_ROWS:
        raise Refused(f"At most {MOST_ROWS} of them.")
    return list(dict.fromkeys(keys))


_READERS: Mapping[str, Callable[[Field, Any, Row, Names | None], Any]] = {
    rule_parts.NUMBER: _number,
    rule_parts.TEXT: _text,
    rule_parts.CHOICE: _choice,
    rule_parts.KEY: _key,
    rule_parts.ATTRIBUTE: _attribute,
    rule_parts.TARGET: _target,
    rule_parts.INTEGRATION: _integration,
    rule_parts.TAGS: _tags,
}
