"""What the API's body for an update of issues asks for, read and checked (`web-api.md` 4)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.domain import assignees
from app.domain.assignees import NOBODY, Assignment
from app.domain.lifecycle import IGNORED, MOVES, RESOLVED, UNRESOLVED

# What clients write → our status. `muted` is sentry-cli's word.
STATUSES: Mapping[str, str] = {
    RESOLVED: RESOLVED,
    UNRESOLVED: UNRESOLVED,
    IGNORED: IGNORED,
    "muted": IGNORED,
}
IN_NEXT_RELEASE = "resolvedInNextRelease"
_MOVE_TO: Mapping[str, str] = {RESOLVED: "resolve", UNRESOLVED: "reopen", IGNORED: "ignore"}
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
_DETAILS = (*_CONDITIONS, "inRelease", "inNextRelease", "inCommit")
_KNOWN = WITHOUT_EFFECT | {"status", "statusDetails", "assignedTo", "isSubscribed", *_CONDITIONS}


class BadUpdate(ValueError):
    """A member that cannot be understood; `member` names it."""

    def __init__(self, member: str, message: str) -> None:
        super().__init__(message)
        self.member = member
        self.message = message


@dataclass(frozen=True, slots=True)
class Update:
    """The changes asked for; None leaves things as they are."""

    move: str | None = None
    assignment: Assignment | None = None
    subscribed: bool | None = None

    @property
    def status(self) -> str | None:
        """The status that issues have after it."""
        return MOVES[self.move].to if self.move else None


def read(body: Mapping[str, Any]) -> Update:
    """The update; `BadUpdate` names what is wrong with which member."""
    for member in body:
        if member not in _KNOWN:
            raise BadUpdate(member, f"Unknown. There are: {', '.join(sorted(_KNOWN))}.")
    _refuse_conditions(body)
    return Update(_move(body), _assignment(body), _subscribed(body))


def _refuse_conditions(body: Mapping[str, Any]) -> None:
    details = body.get("statusDetails")
    if not isinstance(details, Mapping | None):
        raise BadUpdate("statusDetails", "Must be an object.")
    asked = [name for given in (body, details or {}) for name in _DETAILS if given.get(name)]
    if asked or body.get("status") == IN_NEXT_RELEASE:
        name = asked[0] if asked else IN_NEXT_RELEASE
        raise BadUpdate("detail", f"{name}: issues can be resolved and ignored, but not on conditions.")


def _move(body: Mapping[str, Any]) -> str | None:
    status = body.get("status")
    if status is None:
        return None
    if not isinstance(status, str) or status not in STATUSES:
        raise BadUpdate("status", f'"{status}" is not a valid choice.')
    return _MOVE_TO[STATUSES[status]]


def _assignment(body: Mapping[str, Any]) -> Assignment | None:
    if "assignedTo" not in body:
        return None
    value = body["assignedTo"]
    if isinstance(value, bool) or not isinstance(value, str | int | None):
        raise BadUpdate("assignedTo", "Must be text, such as user:5, team:3, an address or a user name.")
    return assignees.read(str(value)) if value else NOBODY


def _subscribed(body: Mapping[str, Any]) -> bool | None:
    value = body.get("isSubscribed")
    if not isinstance(value, bool | None):
        raise BadUpdate("isSubscribed", "Must be true or false.")
    return value
