"""What the API's body for an update of issues asks for, read and checked (`web-api.md` 4)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# What clients write → what we call it. `muted` is sentry-cli's word.
STATUSES = {"resolved": "resolve", "unresolved": "reopen", "ignored": "ignore", "muted": "ignore"}
# Accepted because clients send them along; there is nothing of the kind to change here.
WITHOUT_EFFECT = frozenset({"hasSeen", "isPublic", "inbox", "priority", "substatus", "isBookmarked"})
_CONDITIONS = (
    "ignoreDuration",
    "ignoreCount",
    "ignoreWindow",
    "ignoreUserCount",
    "ignoreUserWindow",
    "snoozeDuration",
)


class BadUpdate(ValueError):
    """A member that cannot be understood; `member` names it."""

    def __init__(self, member: str, message: str) -> None:
        super().__init__(message)
        self.member = member
        self.message = message


@dataclass(frozen=True, slots=True)
class Assignment:
    """`who` is "user", "team", "name" (an address, handle or id) or "nobody"."""

    who: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Update:
    """The changes asked for; None leaves things as they are."""

    move: str | None = None
    assignment: Assignment | None = None
    subscribed: bool | None = None

    @property
    def is_empty(self) -> bool:
        return self.move is None and self.assignment is None and self.subscribed is None


def read(body: Mapping[str, Any]) -> Update:
    """The update; `BadUpdate` names what is wrong with which member."""
    for member in body:
        if member not in _KNOWN:
            raise BadUpdate(member, f"Unknown. There are: {', '.join(sorted(_KNOWN))}.")
    if any(_conditions(body)) or any(_conditions(body.get("statusDetails") or {})):
        raise BadUpdate("statusDetails", "Only plain resolving and ignoring is possible.")
    return Update(_move(body), _assignment(body), _subscribed(body))


_KNOWN = WITHOUT_EFFECT | {"status", "statusDetails", "assignedTo", "isSubscribed", *_CONDITIONS}


def _conditions(given: Any) -> list[Any]:
    if not isinstance(given, Mapping):
        raise BadUpdate("statusDetails", "Must be an object.")
    members = (*_CONDITIONS, "inRelease", "inNextRelease", "inCommit")
    return [given[member] for member in members if given.get(member)]


def _move(body: Mapping[str, Any]) -> str | None:
    status = body.get("status")
    if status is None:
        return None
    if not isinstance(status, str) or status not in STATUSES:
        raise BadUpdate("status", f'"{status}" is not a valid choice.')
    return STATUSES[status]


def _assignment(body: Mapping[str, Any]) -> Assignment | None:
    if "assignedTo" not in body:
        return None
    value = str(body["assignedTo"] or "").strip()
    if not value:
        return Assignment("nobody")
    kind, _, name = value.partition(":")
    return Assignment(kind, name) if kind in ("user", "team") and name else Assignment("name", value)


def _subscribed(body: Mapping[str, Any]) -> bool | None:
    value = body.get("isSubscribed")
    if not isinstance(value, bool | None):
        raise BadUpdate("isSubscribed", "Must be true or false.")
    return value
