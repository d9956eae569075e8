"""What Pushover's answers mean (`integrations.md` 8.4): what it refused is never asked again unchanged."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from app.channels import meanings
from app.channels.base import Answer, Outcome
from app.channels.http import Reply

USUAL_LIMIT = 10_000
# Of the messages of a month: when so little is left, somebody should know.
WARN_AT = 0.1
UNKNOWN_RESET = timedelta(hours=1)
USED_UP = "The application's messages of this month are used up"
INVALID = {
    "token": "Pushover does not know the application token. Enter it anew.",
    "user": "Pushover does not know a user or group key, or the device. Check them.",
}


def meaning_of(reply: Reply, *, now: datetime) -> Answer:
    data = reply.data
    if reply.status == 429:
        return _used_up(reply, now)
    if reply.status >= 300 and not 400 <= reply.status < 500:
        return meanings.usual(reply, now=now)
    if reply.status in meanings.AGAIN:
        return Answer(Outcome.RETRY)
    if reply.status < 300 and data.get("status") == 1:
        return Answer(Outcome.DELIVERED, references=_references(data), advice=_quota(reply))
    for name, advice in INVALID.items():
        if data.get(name) == "invalid":
            return Answer(Outcome.BROKEN, advice=advice)
    return Answer(Outcome.BAD_MESSAGE, advice=_errors(data))


def _references(data: Mapping[str, Any]) -> dict[str, str]:
    receipt = data.get("receipt")
    return {"receipt": receipt} if isinstance(receipt, str) else {}


def _errors(data: Mapping[str, Any]) -> str:
    errors = data.get("errors")
    said = "; ".join(map(str, errors)) if isinstance(errors, list) else ""
    return f"Pushover refused it: {said or 'it does not say why'}."


def _used_up(reply: Reply, now: datetime) -> Answer:
    """Not a matter of pace: the messages of a month are gone, and come back at a known moment."""
    reset = _number(reply, "x-limit-app-reset")
    if reset is None:
        return Answer(Outcome.RETRY_AT, retry_after=UNKNOWN_RESET, advice=f"{USED_UP}.")
    at = datetime.fromtimestamp(reset, UTC)
    wait = max(at - now, timedelta(minutes=1))
    words = f"{USED_UP}. The next ones go out from {at:%d %B %Y, %H:%M} UTC on."
    return Answer(Outcome.RETRY_AT, retry_after=wait, advice=words)


def _quota(reply: Reply) -> str:
    left = _number(reply, "x-limit-app-remaining")
    limit = _number(reply, "x-limit-app-limit") or USUAL_LIMIT
    if left is None or left > limit * WARN_AT:
        return ""
    return f"{left} of this month's {limit} messages are left."


def _number(reply: Reply, name: str) -> int | None:
    found = reply.header(name).strip()
    return int(found) if found.isascii() and found.isdigit() and len(found) < 12 else None
