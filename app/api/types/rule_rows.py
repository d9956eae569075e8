"""Conditions, filters and actions of a rule, as the table of its parts has them."""

from collections.abc import Mapping
from typing import Any

from msgspec import Meta

from app.domain import rule_parts
from app.domain.rule_parts import Field, Part
from app.domain.rule_rows import ALL, LONGEST_TEXT, MOST

Json = dict[str, Any]

_TYPES: Mapping[str, Json] = {
    rule_parts.NUMBER: {"type": "integer", "minimum": 1, "maximum": MOST},
    rule_parts.TEXT: {"type": "string", "minLength": 1, "maxLength": LONGEST_TEXT},
    rule_parts.KEY: {"type": "string"},
    rule_parts.ATTRIBUTE: {"type": "string"},
    rule_parts.TARGET: {"type": "integer", "minimum": 1},
    rule_parts.INTEGRATION: {"anyOf": [{"type": "integer", "minimum": 1}, {"const": ALL}]},
    rule_parts.TAGS: {"type": "array", "items": {"type": "string"}},
}


def row(table: str, *, is_sent: bool = False) -> Meta:
    """One of a table. In what is sent, members that mean nothing there may be null."""
    parts = [_part(part, is_sent=is_sent) for part in rule_parts.TABLES[table].values()]
    return Meta(extra_json_schema={"anyOf": parts})


def _part(part: Part, *, is_sent: bool) -> Json:
    members = {
        field.name: _member(field, may_be_null=is_sent and not _is_needed(field)) for field in part.fields
    }
    return {
        "type": "object",
        "description": part.label.removesuffix("…"),
        "properties": {"id": {"const": part.id}, **members},
        "required": ["id", *(field.name for field in part.fields if _is_needed(field))],
        "additionalProperties": False,
    }


def _is_needed(field: Field) -> bool:
    return field.only_if is None and not field.is_optional and field.assumed is None


def _member(field: Field, *, may_be_null: bool) -> Json:
    shape = _TYPES[field.type] if field.type in _TYPES else {"enum": list(field.choices or ())}
    return {
        "description": f"{field.label}.",
        **({"anyOf": [shape, {"type": "null"}]} if may_be_null else shape),
    }
