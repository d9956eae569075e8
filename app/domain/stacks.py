"""Questions that pages, mails, titles and grouping ask of the stack traces in regular event data."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Frame = dict[str, Any]
Data = dict[str, Any]

NATIVE = frozenset({"native", "c", "cocoa", "objc", "swift", "rust"})
JAVASCRIPT = frozenset({"javascript", "node"})


def mechanism(exception: Data) -> Data:
    return exception.get("mechanism") or {}


def is_group(exception: Data) -> bool:
    return mechanism(exception).get("is_exception_group") is True


def is_synthetic(exception: Data) -> bool:
    return mechanism(exception).get("synthetic") is True


def frames_of(holder: Data | None) -> list[Frame]:
    """The frames of an exception, a thread or an event itself, oldest first."""
    trace = (holder or {}).get("stacktrace") or {}
    frames: list[Frame] = trace.get("frames") or []
    return frames


def event_frames(data: Data) -> list[Frame]:
    """The stack of an event without exceptions: its own, or that of its only thread with one."""
    if own := frames_of(data):
        return own
    stacks = [frames for thread in data.get("threads", ()) if (frames := frames_of(thread))]
    return stacks[0] if len(stacks) == 1 else []


def top_frames(data: Data) -> list[Frame]:
    """The stack to show first: that of the last exception that has one, else the event's."""
    raised = data.get("exception") or ()
    for exception in reversed(raised):
        if frames := frames_of(exception):
            return frames
    return [] if raised else event_frames(data)


def in_app(frames: Iterable[Frame]) -> list[Frame]:
    """The application's own frames, or all of them when none is said to be."""
    frames = list(frames)
    own = [frame for frame in frames if frame.get("in_app") is True]
    return own or frames


def gathered(exceptions: list[Data]) -> list[Data]:
    """What an exception group holds, if the last exception is one: the members that are no groups themselves.

    The causes of a member belong to it and are not members.
    """
    if not exceptions or not is_group(exceptions[-1]):
        return []
    groups = {mechanism(each).get("exception_id") for each in exceptions if is_group(each)}
    members = [each for each in exceptions if not is_group(each)]
    return [each for each in members if mechanism(each).get("parent_id") in groups - {None}] or members
