"""What SDKs report that they did not send: what it was and why, in words that are known (`ingest.md` 6)."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from app.domain import tolerant_json
from app.domain.rejections import Malformed

MOST_BYTES = 100 << 10
MOST_ENTRIES = 200
MOST_AT_ONCE = 1_000_000
OTHER = "other"
# Reason → what happened, for people. Whatever an SDK makes up beyond these is counted as one.
REASONS: Mapping[str, str] = {
    "ratelimit_backoff": "held back: the server had said that its limit was reached",
    "network_error": "the server could not be reached",
    "send_error": "the server refused it",
    "queue_overflow": "more at once than the SDK’s queue takes",
    "cache_overflow": "more than the SDK’s offline store takes",
    "buffer_overflow": "more at once than the SDK’s buffer takes",
    "backpressure": "the SDK slowed itself down",
    "sample_rate": "left out by the configured sample rate",
    "before_send": "dropped by before_send",
    "event_processor": "dropped by an integration or event processor",
    "ignored": "on the SDK’s list of what to ignore",
    "invalid": "not valid",
    "insufficient_data": "too little in it",
    "no_parent_span": "a span without a parent",
    "internal_sdk_error": "an error in the SDK itself",
    OTHER: "another reason",
}
# What SDKs call it → under what it is counted here; a message is an error as well. Of what is not kept here
# anyway it does not matter how much an SDK left out.
CATEGORIES: Mapping[str, str] = {
    "default": "error",
    "error": "error",
    "attachment": "attachment",
    "feedback": "feedback",
    "user_report_v2": "feedback",
    "monitor": "monitor",
}

Losses = Counter[tuple[str, str]]


def read(payload: bytes) -> Losses | None:
    """How much was lost of each category for each reason; None for what is no such report."""
    if len(payload) > MOST_BYTES:
        return None
    try:
        entries = tolerant_json.read_object(payload, "the client report").get("discarded_events")
    except Malformed:
        return None
    if not isinstance(entries, list):
        return None
    losses: Losses = Counter()
    for entry in entries[:MOST_ENTRIES]:
        if not isinstance(entry, dict):
            continue
        category, quantity = _category(entry.get("category")), _quantity(entry.get("quantity"))
        if category and quantity:
            losses[category, _reason(entry.get("reason"))] += quantity
    return losses


def _quantity(value: Any) -> int:
    """Nobody loses more at once than can be believed."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return min(value, MOST_AT_ONCE) if is_number and value > 0 else 0


def _category(value: Any) -> str:
    return CATEGORIES.get(value, "") if isinstance(value, str) else ""


def _reason(value: Any) -> str:
    return value if isinstance(value, str) and value in REASONS else OTHER
