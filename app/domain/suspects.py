"""Whose commits probably caused an error: files that were changed, held against the frames of its stack.

`notifications.md` 11.4. A changed file fits a frame by how many segments at the ends of both paths are equal.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.domain.stacks import frames_of

MOST_FRAMES = 25
# What the nearest frame with a change is worth to the change's author; the next is worth one less.
NEAREST = 5


@dataclass(frozen=True, slots=True)
class Change:
    """A file that a commit changed. Commits are numbered from the newest."""

    commit: int
    author: str
    path: str


@dataclass(frozen=True, slots=True)
class Suspect:
    """An author, with the commits that fit, the nearest first, and the file of the first of them."""

    author: str
    points: int
    commits: tuple[int, ...]
    path: str


def paths(data: Mapping[str, Any]) -> list[str]:
    """The files of the stack, from the error outwards: the application's own, if it says which those are."""
    found = [frame for holder in _holders(data) for frame in reversed(frames_of(holder))]
    own = [frame for frame in found if frame.get("in_app")]
    named = (frame.get("filename") or frame.get("abs_path") for frame in own or found)
    return [path for path in named if isinstance(path, str) and path][:MOST_FRAMES]


def _holders(data: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    """The error itself, before its causes; without one, the event."""
    return list(reversed(data.get("exception") or ())) or [dict(data)]


def segments(path: str) -> list[str]:
    return [part for part in path.replace("\\", "/").lower().split("/") if part not in ("", ".")]


def score(changed: str, frame: str) -> int:
    """How many segments agree, from the end. A name alone proves nothing where the change has a folder."""
    ours, theirs = segments(changed), segments(frame)
    same = 0
    while same < min(len(ours), len(theirs)) and ours[-1 - same] == theirs[-1 - same]:
        same += 1
    return 0 if same == 1 and len(ours) > 1 else same


def rank(frames: Sequence[str], changes: Sequence[Change]) -> list[Suspect]:
    """The authors, the most suspicious first."""
    points: dict[str, int] = {}
    commits: dict[str, dict[int, str]] = {}
    worth = NEAREST
    for frame in frames:
        fitting = _best(frame, changes)
        if not fitting or not worth:
            continue
        for author in dict.fromkeys(change.author for change in fitting):
            points[author] = points.get(author, 0) + worth
        for change in fitting:
            commits.setdefault(change.author, {}).setdefault(change.commit, change.path)
        worth -= 1
    made = [
        Suspect(author, points[author], tuple(theirs), next(iter(theirs.values())))
        for author, theirs in commits.items()
    ]
    return sorted(made, key=lambda suspect: (-suspect.points, min(suspect.commits)))


def _best(frame: str, changes: Sequence[Change]) -> list[Change]:
    """The changes that fit it best."""
    scored = [(score(change.path, frame), change) for change in changes]
    most = max((points for points, _ in scored), default=0)
    return [change for points, change in scored if points == most] if most else []
