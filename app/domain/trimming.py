"""Cuts data of any shape down to a size, keeping as much of its front as fits."""

from __future__ import annotations

from typing import Any

import msgspec

ELLIPSIS = "..."

_encode = msgspec.json.Encoder().encode


def as_json(value: Any) -> str:
    return _encode(value).decode()


def fit(value: Any, limit: int) -> Any:
    """The value itself when its JSON has at most `limit` bytes, else its front."""
    if isinstance(value, str) and len(value) * 6 <= limit:
        return value
    return value if len(_encode(value)) <= limit else _shrunk(value, _Room(limit))


class _Room:
    """The bytes still to be spent."""

    __slots__ = ("left",)

    def __init__(self, left: int) -> None:
        self.left = left

    def take(self, size: int) -> bool:
        self.left -= size
        return self.left >= 0


def _shrunk(value: Any, room: _Room) -> Any:
    if isinstance(value, str):
        return _shrunk_text(value, room)
    if isinstance(value, dict):
        return _shrunk_object(value, room)
    if isinstance(value, list):
        return _shrunk_list(value, room)
    room.take(len(_encode(value)))
    return value


def _shrunk_text(value: str, room: _Room) -> str:
    room.take(2)
    # A character takes one to twelve bytes in JSON: only a front that may fit is worth measuring.
    kept = value[: max(room.left, 0)]
    while kept and len(_encode(kept)) - 2 > room.left - (0 if kept == value else len(ELLIPSIS)):
        kept = kept[: len(kept) * 3 // 4]
    room.take(len(_encode(kept)))
    return kept if kept == value else kept + ELLIPSIS


def _shrunk_object(value: dict[str, Any], room: _Room) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    room.take(2)
    for key, member in value.items():
        if not room.take(len(_encode(key)) + 2):
            break
        kept[key] = _shrunk(member, room)
    return kept


def _shrunk_list(value: list[Any], room: _Room) -> list[Any]:
    kept: list[Any] = []
    room.take(2)
    for member in value:
        if not room.take(1):
            break
        kept.append(_shrunk(member, room))
    return kept
