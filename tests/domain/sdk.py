"""What SDKs send, in the fewest words: frames, exceptions and whole events made regular."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from app.domain import event

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
RECEIPT = event.Receipt("a" * 32, NOW)


def regular(receipt: event.Receipt = RECEIPT, **payload: Any) -> event.Event:
    return event.regular({"timestamp": NOW.timestamp(), **payload}, receipt)


def noted(made: event.Event) -> list[str]:
    return [each["name"] for each in made.data.get("errors", ()) if each["type"] == "invalid_data"]


def frame(function: str = "pay", **members: Any) -> dict[str, Any]:
    return {
        "module": "shop.cart",
        "filename": "shop/cart.py",
        "function": function,
        "in_app": True,
        **members,
    }


def stack(*frames: dict[str, Any]) -> dict[str, Any]:
    return {"frames": list(frames)}


def raised(
    kind: str | None = "KeyError", value: Any = "'CH'", *frames: dict[str, Any], **members: Any
) -> dict:
    exception = {"type": kind, "value": value, **members}
    return exception | ({"stacktrace": stack(*frames)} if frames else {})
