"""What the API's body for an update of issues asks for, read and checked (`web-api.md` 4)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.domain import assignees, importance
from app.domain.assignees import NOBODY, Assignment
from app.domain.ignoring import Condition
from app.domain.lifecycle import IGNORED, MOVES, RESOLVED, UNRESOLVED
from app.domain.resolutions import Target, in_commit, in_next_release, in_release

# What clients write → our status. `muted` is sentry-cli's word.
STATUSES: Mapping[str, str] = {
    RESOLVED: RESOLVED,
    UNRESOLVED: UNRESOLVED,
    IGNORED: IGNORED,
    "muted": IGNORED,
    "resolvedInNextRelease": RESOLVED,
}
IN_NEXT_RELEASE = "resolvedInNextRelease"
_MOVE_TO: Mapping[str, str] = {RESOLVED: "resolve", UNRESOLVED: "reopen", IGNORED: "ignore"}
# Accepted because clients send them along: no issue is public, and what is for review follows from its state.
WITHOUT_EFFECT = frozenset({"isPublic", "inbox", "substatus"})
# Members that end an ignore by themselves → what `IgnoreWish` calls them.
_CONDITIONS: Mapping[str, str] = {
    "ignoreDuration": "minutes",
    "snoozeDuration": "minutes",
    "ignoreCount": "event_count",
    "ignoreWindow": "event_window",
    "ignoreUserCount": "user_count",
    "ignoreUserWindow": "user_window",
}
UNTIL_WORSE = "archived_until_escalating"
BY_LEVEL = ""  # the priority that null asks for
_MOST = 10**9
MERGE, DISCARD = "merge", "discard"
FATES = (MERGE, DISCARD)
_TARGETS = ("inRelease", "inNextRelease", "inCommit")
_KNOWN = WITHOUT_EFFECT | {
    "status",
    "statusDetails",
    "assignedTo",
    "isSubscribed",
    "isBookmarked",
    "hasSeen",
    "priority",
    *FATES,
    *_CONDITIONS,
}


class BadUpdate(ValueError):
    """A member that cannot be understood; `member` names it."""

    def __init__(self, member: str, message: str) -> None:
        super().__init__(message)
        self.member = member
        self.message = message


@dataclass(frozen=True, slots=True)
class IgnoreWish:
    """What is to end an ignore, as the API asks for it: a time is so many minutes from whenever it is done.

    `until_worse`: the limit is what counts as worse for each issue.
    """

    minutes: int | None = None
    event_count: int | None = None
    event_window: int | None = None
    user_count: int | None = None
    user_window: int | None = None
    until_worse: bool = False

    def condition(self, now: datetime) -> Condition:
        return Condition(
            until=now + timedelta(minutes=self.minutes) if self.minutes else None,
            event_count=self.event_count,
            event_window=self.event_window,
            user_count=self.user_count,
            user_window=self.user_window,
        )


@dataclass(frozen=True, slots=True)
class Update:
    """The changes asked for; None leaves things as they are."""

    move: str | None = None
    into: Target | None = None
    until: IgnoreWish | None = None
    assignment: Assignment | None = None
    subscribed: bool | None = None
    bookmarked: bool | None = None
    seen: bool | None = None
    importance: str | None = None  # or BY_LEVEL
    fate: str | None = None  # merge or discard: with it, nothing else

    @property
    def status(self) -> str | None:
        """The status that issues have after it."""
        return MOVES[self.move].to if self.move else None


def read(body: Mapping[str, Any]) -> Update:
    """The update; `BadUpdate` names what is wrong with which member."""
    for member in body:
        if member not in _KNOWN:
            raise BadUpdate(member, f"Unknown. There are: {', '.join(sorted(_KNOWN))}.")
    if not isinstance(body.get("statusDetails"), Mapping | None):
        raise BadUpdate("statusDetails", "Must be an object.")
    if _flag(body, "isPublic"):
        raise BadUpdate("isPublic", "There are no public links to issues here.")
    fate = _fate(body)
    if fate:
        return Update(fate=fate)
    return Update(
        _move(body),
        _into(body),
        _until(body),
        _assignment(body),
        _own_flag(body, "isSubscribed"),
        _own_flag(body, "isBookmarked"),
        _own_flag(body, "hasSeen"),
        _importance(body),
    )


def _fate(body: Mapping[str, Any]) -> str | None:
    """What ends issues, if that is asked for; it goes with no other change."""
    asked = [name for name in FATES if _flag(body, name)]
    refused = {name for name in FATES if not body.get(name)}
    others = {name for name in body if body[name] is not None} - {*asked[:1], *refused, *WITHOUT_EFFECT}
    if asked and others:
        raise BadUpdate(asked[0], "Goes with no other change.")
    return asked[0] if asked else None


def _until(body: Mapping[str, Any]) -> IgnoreWish | None:
    """What ends the ignore; members of the body and of `statusDetails` mean the same."""
    given = {**body, **(body.get("statusDetails") or {})}
    asked = {name: _count(name, given[name]) for name in _CONDITIONS if given.get(name) not in (None, 0)}
    status = STATUSES.get(str(body.get("status")))
    if asked and status != IGNORED:
        raise BadUpdate(next(iter(asked)), 'Goes with the status "ignored".')
    numbers: dict[str, Any] = {_CONDITIONS[name]: number for name, number in asked.items()}
    if numbers:
        return IgnoreWish(**numbers)
    is_worse = status == IGNORED and body.get("substatus") == UNTIL_WORSE
    return IgnoreWish(until_worse=True) if is_worse else None


def _count(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _MOST:
        raise BadUpdate(name, "Must be a whole number, at least 1.")
    return value


def _move(body: Mapping[str, Any]) -> str | None:
    status = body.get("status")
    if status is None:
        return None
    if not isinstance(status, str) or status not in STATUSES:
        raise BadUpdate("status", f'"{status}" is not a valid choice.')
    return _MOVE_TO[STATUSES[status]]


def _into(body: Mapping[str, Any]) -> Target | None:
    """What it is to be resolved in; only one thing, and only with the status that goes with it."""
    details = body.get("statusDetails") or {}
    asked = [name for name in _TARGETS if details.get(name) not in (None, False)]
    if body.get("status") == IN_NEXT_RELEASE and "inNextRelease" not in asked:
        asked.append("inNextRelease")
    if not asked:
        return None
    if len(asked) > 1:
        raise BadUpdate("statusDetails", f"Only one of {', '.join(asked)} can be meant.")
    if STATUSES.get(str(body.get("status"))) != RESOLVED:
        raise BadUpdate("statusDetails", f'{asked[0]} goes with the status "resolved".')
    return _READ_TARGET[asked[0]](details.get(asked[0]))


def _in_next_release(value: Any) -> Target:
    if value not in (None, True):
        raise BadUpdate("inNextRelease", "Must be true or false.")
    return in_next_release()


def _in_release(value: Any) -> Target:
    if not isinstance(value, str) or not value.strip():
        raise BadUpdate("inRelease", 'Must be the version of a release, or "latest".')
    return in_release(value)


def _in_commit(value: Any) -> Target:
    if not isinstance(value, Mapping):
        raise BadUpdate("inCommit", "Must be an object with commit and repository.")
    repository, commit = value.get("repository"), value.get("commit")
    if not isinstance(repository, str) or not isinstance(commit, str):
        raise BadUpdate("inCommit", "commit must be a hash, and repository a name.")
    return in_commit(repository, commit)


_READ_TARGET: Mapping[str, Callable[[Any], Target]] = {
    "inNextRelease": _in_next_release,
    "inRelease": _in_release,
    "inCommit": _in_commit,
}


def _assignment(body: Mapping[str, Any]) -> Assignment | None:
    if "assignedTo" not in body:
        return None
    value = body["assignedTo"]
    if isinstance(value, bool) or not isinstance(value, str | int | None):
        raise BadUpdate("assignedTo", "Must be text, such as user:5, team:3, an address or a user name.")
    return assignees.read(str(value)) if value else NOBODY


def _importance(body: Mapping[str, Any]) -> str | None:
    if "priority" not in body:
        return None
    value = body["priority"]
    if value is None:
        return BY_LEVEL
    if value not in importance.CHOICES:
        raise BadUpdate("priority", f'"{value}" is not a valid choice.')
    return str(value)


def _own_flag(body: Mapping[str, Any], member: str) -> bool | None:
    """One of the person's own: it is so or not, and null is neither."""
    if member in body and body[member] is None:
        raise BadUpdate(member, "Must be true or false.")
    return _flag(body, member)


def _flag(body: Mapping[str, Any], member: str) -> bool | None:
    value = body.get(member)
    if not isinstance(value, bool | None):
        raise BadUpdate(member, "Must be true or false.")
    return value
