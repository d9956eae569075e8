"""The message of an event: its template, its arguments, and the text that they make."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from app.domain.shapes import Invalid, Reading, Rule, cut, members, message_text
from app.domain.trimming import as_json

MAX_LENGTH = 8192

# Widths of more than three digits are not meant: they would fill the memory.
_PERCENT = re.compile(
    r"%(?:%|(?:\((?P<name>[^()]{1,200})\))?(?P<flags>[-+ #0]*)(?P<width>\d{1,3})?"
    r"(?:\.(?P<precision>\d{1,3}))?[hlL]?(?P<kind>[a-zA-Z]))"
)
_BRACES = re.compile(r"\{(?P<name>[\w.]{0,200})(?:![rsa])?(?::[^{}]{0,40})?\}")


def logentry(value: Any, reading: Reading) -> dict[str, Any] | None:
    """`formatted` always; `message` and `params` too where a template made it."""
    if not isinstance(value, dict):
        return logentry({"formatted": value}, reading)
    entry = members(value, _LOGENTRY, reading)
    template = entry.get("message")
    if template is not None and "formatted" not in entry:
        entry["formatted"] = cut(
            reading.scrubber.prose(interpolated(template, value.get("params"))), MAX_LENGTH
        )
    if template == entry.get("formatted"):
        entry.pop("message", None)
    return entry if "formatted" in entry else None


def interpolated(template: str, params: Any) -> str:
    """The template with its arguments put in, or the template when they do not fit."""
    if not params or not isinstance(params, (list, dict)):
        return template
    fill = _percent if "%" in template else _braces
    for convert in (_converted, _as_text):
        try:
            return fill(template, params, convert)
        except (LookupError, TypeError, ValueError, OverflowError):
            continue
    return template


Convert = Callable[[re.Match[str], Any], str]


def _percent(template: str, params: list[Any] | dict[str, Any], convert: Convert) -> str:
    arguments = iter(params) if isinstance(params, list) else iter(())

    def replace(match: re.Match[str]) -> str:
        if match[0] == "%%":
            return "%"
        value = _named(params, match["name"]) if match["name"] else next(arguments)
        return convert(match, value)

    try:
        filled = _PERCENT.sub(replace, template)
    except StopIteration:
        raise LookupError("more conversions than arguments") from None
    if next(arguments, None) is not None:
        raise LookupError("more arguments than conversions")
    return filled


def _braces(template: str, params: list[Any] | dict[str, Any], _convert: Convert) -> str:
    position = 0

    def replace(match: re.Match[str]) -> str:
        nonlocal position
        name = match["name"]
        if not name:
            name, position = str(position), position + 1
        return _text_of(_named(params, name))

    return _BRACES.sub(replace, template)


def _named(params: list[Any] | dict[str, Any], name: str) -> Any:
    return params[int(name)] if isinstance(params, list) else params[name]


def _converted(match: re.Match[str], value: Any) -> str:
    precision = f".{match['precision']}" if match["precision"] else ""
    conversion = f"%{match['flags']}{match['width'] or ''}{precision}{match['kind']}"
    if isinstance(value, (dict, list)):
        value = as_json(value)
    result: str = conversion % (value,)
    return result


def _as_text(_match: re.Match[str], value: Any) -> str:
    return _text_of(value)


def _text_of(value: Any) -> str:
    return as_json(value) if isinstance(value, (dict, list)) else str(value)


def _params(value: Any, reading: Reading) -> Any:
    if not isinstance(value, (list, dict)):
        raise Invalid
    return reading.scrubber.clean(value, MAX_LENGTH) if value else None


_LOGENTRY: dict[str, Rule] = {
    "message": message_text(MAX_LENGTH),
    "params": _params,
    "formatted": message_text(MAX_LENGTH),
}
