"""What was sent along: the JSON body and its members, checked one by one."""

from datetime import UTC, datetime
from typing import Any

from flask import request

from app.api.blueprint import Invalid
from app.domain import tolerant_json
from app.domain.rejections import Malformed

Json = dict[str, Any]


def body() -> Json:
    """The JSON object that was sent."""
    try:
        value = tolerant_json.read(request.get_data())
    except Malformed:
        value = None
    if not isinstance(value, dict):
        raise Invalid("The body must be a JSON object.")
    return value


def known_members(given: Json, *names: str) -> None:
    """Refuse members that mean nothing here: a misspelt one would be lost in silence."""
    unknown = sorted(set(given) - set(names))
    if unknown:
        raise Invalid(f"Unknown. There are: {', '.join(names)}.", unknown[0])


def text(given: Json, member: str) -> str:
    """A member that must be text; null and absence are empty."""
    value = given.get(member)
    if not isinstance(value, str | None):
        raise Invalid("Must be text.", member)
    return (value or "").strip()


def lines(given: Json, member: str) -> str:
    """A member that must be a list of texts, as the lines of one text; null and absence are empty."""
    value = given.get(member) or []
    if not isinstance(value, list) or not all(isinstance(each, str) and "\n" not in each for each in value):
        raise Invalid("Must be a list of texts.", member)
    return "\n".join(value)


def flag(given: Json, member: str) -> bool:
    value = given[member]
    if not isinstance(value, bool):
        raise Invalid("Must be true or false.", member)
    return value


def member_object(given: Json, member: str) -> Json:
    """A member that must be an object; null and absence are empty."""
    value = given.get(member)
    if not isinstance(value, dict | None):
        raise Invalid("Must be an object.", member)
    return value or {}


def whole_number(given: Json, member: str) -> int | None:
    value = given.get(member)
    if isinstance(value, bool) or not isinstance(value, int | None):
        raise Invalid("Must be a whole number.", member)
    return value


def moment(given: Json, member: str) -> datetime | None:
    """A member that must be a time with its zone, or null."""
    if given.get(member) is None:
        return None
    try:
        at = datetime.fromisoformat(text(given, member))
        if at.tzinfo is not None:
            return at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid("Must be a time such as 2026-11-23T15:00:00Z, or null.", member) from None
    raise Invalid("Name its time zone: 2026-11-23T15:00:00Z.", member)
