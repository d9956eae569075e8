"""What stands in the form of the editor, and what its buttons do to the rows without saving them."""

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from werkzeug.datastructures import MultiDict

from app.domain import rule_parts
from app.domain.rule_content import Content
from app.domain.rule_parts import TARGET, Part

LISTS = ("conditions", "filters", "actions")
# Fields of the rule as a whole, by how they are typed.
TEXTS = (
    "name",
    "environment",
    "actionMatch",
    "filterMatch",
    "frequency",
    "requiredReason",
    "interruptReason",
)
BOXES = ("required", "mayInterrupt")
MOST_ROWS = 60

Typed = Mapping[str, str]  # what was typed, by field


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the form: a key that stays while rows move, what kind it is, and what was typed."""

    key: str
    part: Part
    typed: Typed


@dataclass(frozen=True, slots=True)
class Draft:
    """The form as it is filled in; `version` is the one that it began with.

    `fresh` takes the focus: the row that was just added, or the list that one was just taken from.
    """

    texts: Mapping[str, str]
    boxes: frozenset[str] = frozenset()
    rows: Mapping[str, Sequence[Row]] = field(default_factory=lambda: dict.fromkeys(LISTS, ()))
    version: int = 0
    destination: str = ""
    fresh: str = ""

    @property
    def data(self) -> dict[str, Any]:
        """As the API would be sent it."""
        texts = {name: value for name, value in self.texts.items() if value}
        rows = {name: [_data(row) for row in self.rows[name]] for name in LISTS}
        return {**texts, **rows, **{name: name in self.boxes for name in BOXES}}

    def place(self, path: str) -> str:
        """The id of the field that a path such as "conditions.1.value" means."""
        name, _, rest = path.partition(".")
        if name not in LISTS:
            return name
        position, _, member = rest.partition(".")
        if not position.isdecimal() or int(position) >= len(self.rows[name]):
            return f"add-{name}"
        row = self.rows[name][int(position)]
        first = next((each.name for each in row.part.fields), "remove")
        known = {each.name: each.name for each in row.part.fields} | {"targetId": "target"}
        return field_id(name, row.key, known.get(member, first))


def field_id(name: str, key: str, member: str) -> str:
    return f"{name}-{key}-{member}"


def new_key() -> str:
    return secrets.token_hex(3)


def joins_target(part: Part) -> bool:
    """Whether "who" and "which of them" are one choice: the team or member itself."""
    return any(each.type == TARGET for each in part.fields)


# From a rule, and from a form


def of_content(content: Content, version: int = 0) -> Draft:
    data = content.as_data()
    rows = {
        name: [
            _row_of(str(position), rule_parts.TABLES[name], row) for position, row in enumerate(data[name])
        ]
        for name in LISTS
    }
    return Draft(
        texts={name: str(data[name]) if data[name] is not None else "" for name in TEXTS},
        boxes=frozenset(name for name in BOXES if data[name]),
        rows={name: [row for row in found if row] for name, found in rows.items()},
        version=version,
    )


def _row_of(key: str, table: Mapping[str, Part], row: Mapping[str, Any]) -> Row | None:
    part = table.get(row.get("id", ""))
    if part is None:
        return None
    typed = {each.name: _text(row.get(each.name)) for each in part.fields}
    if joins_target(part) and row.get("targetId") is not None:
        typed["target"] = f"{row['target']}:{row['targetId']}"
    return Row(key, part, typed)


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def begun(name: str, part_id: str, **typed: str) -> Row | None:
    """A new row as it starts."""
    part = rule_parts.TABLES[name].get(part_id)
    if part is None:
        return None
    usual = {
        each.name: _text(each.default if each.default is not None else each.assumed) for each in part.fields
    }
    return Row(new_key(), part, {**usual, **typed})


def of_form(form: MultiDict[str, str]) -> Draft:
    """Rows stand in the order in which the browser sends them."""
    return Draft(
        texts={name: _line(form.get(name, "")) for name in TEXTS},
        boxes=frozenset(name for name in BOXES if name in form),
        rows={name: list(_rows_typed(name, form)) for name in LISTS},
        version=int(text) if (text := form.get("version", "")).isdecimal() and len(text) < 9 else 0,
        destination=form.get("destination", ""),
    )


def _rows_typed(name: str, form: MultiDict[str, str]) -> Iterable[Row]:
    keys = [each.split("-")[1] for each in form if each.startswith(f"{name}-") and each.endswith("-id")]
    for key in keys[:MOST_ROWS]:
        part = rule_parts.TABLES[name].get(form[field_id(name, key, "id")])
        if part and key.isalnum():
            typed = {each.name: _line(form.get(field_id(name, key, each.name), "")) for each in part.fields}
            yield Row(key, part, typed)


def _line(text: str) -> str:
    return text.replace("\x00", "").strip()


def _data(row: Row) -> dict[str, Any]:
    """The row as JSON: fields that are not asked for are left out, whatever was typed in them before."""
    typed: dict[str, Any] = dict(row.typed)
    if joins_target(row.part):
        typed["target"], _, typed["targetId"] = typed.get("target", "").partition(":")
    data: dict[str, Any] = {"id": row.part.id}
    for each in row.part.fields:
        value = typed.get(each.name, "")
        if value and rule_parts.is_asked(each, typed):
            data[each.name] = value
    return data


# What buttons do


def added(draft: Draft, name: str, row: Row) -> Draft:
    return replace(draft, rows={**draft.rows, name: [*draft.rows[name], row]}, fresh=row.key)


def removed(draft: Draft, name: str, key: str) -> Draft:
    rows = [row for row in draft.rows[name] if row.key != key]
    return replace(draft, rows={**draft.rows, name: rows}, fresh=name)


def moved(draft: Draft, name: str, key: str, by: int) -> Draft:
    rows = list(draft.rows[name])
    here = next((at for at, row in enumerate(rows) if row.key == key), None)
    if here is None or not 0 <= here + by < len(rows):
        return draft
    rows[here], rows[here + by] = rows[here + by], rows[here]
    return replace(draft, rows={**draft.rows, name: rows})


def acted(draft: Draft, do: str, chosen: Callable[[str], str]) -> Draft:
    """What a button says: "add:conditions", "remove:filters:3f", "up:actions:3f"; else nothing is done."""
    act, _, rest = do.partition(":")
    name, _, key = rest.partition(":")
    if name not in LISTS:
        return draft
    if act == "add":
        row = begun(name, chosen(name))
        return added(draft, name, row) if row else draft
    if act == "remove":
        return removed(draft, name, key)
    return moved(draft, name, key, {"up": -1, "down": 1}.get(act, 0))


# A rule to begin with


def blank() -> Draft:
    usual = {"name": "", "environment": "", "actionMatch": "any", "filterMatch": "all"}
    texts = {**dict.fromkeys(TEXTS, ""), **usual, "frequency": str(rule_parts.USUAL)}
    return Draft(
        texts=texts, rows={name: [row] if (row := begun(name, first)) else [] for name, first in _FIRST}
    )


_FIRST = (("conditions", "first_seen"), ("filters", ""), ("actions", "mail"))
# What a link may fill in → the filter that it becomes, and which of its fields.
PREFILLS: Mapping[str, tuple[str, Typed]] = {
    "path": ("attribute", {"attribute": "stacktrace.filename", "match": "eq"}),
    "module": ("attribute", {"attribute": "stacktrace.module", "match": "eq"}),
    "url": ("attribute", {"attribute": "http.url", "match": "sw"}),
    "type": ("attribute", {"attribute": "exception.type", "match": "eq"}),
    "message": ("attribute", {"attribute": "message", "match": "co"}),
    "level": ("level", {"match": "gte"}),
    "tag": ("tag", {"match": "eq"}),
}


def prefilled(arguments: Mapping[str, str]) -> Draft:
    """A new rule with what a link says: `?path=src/cart.py&level=error&tag=browser:Firefox`."""
    draft = blank()
    for name, (part_id, typed) in PREFILLS.items():
        value = _line(arguments.get(name, ""))
        row = begun("filters", part_id, **typed, **_given(name, value)) if value else None
        if row:
            draft = added(draft, "filters", row)
    texts = {each: _line(arguments.get(each, "")) or draft.texts[each] for each in ("name", "environment")}
    return replace(draft, texts={**draft.texts, **texts}, fresh="")


def _given(name: str, value: str) -> dict[str, str]:
    if name == "level":
        return {"level": value}
    if name == "tag":
        key, _, content = value.partition(":")
        return {"key": key, "value": content}
    return {"value": value}
