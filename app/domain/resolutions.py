"""Into what an issue can be resolved beyond "now", and which events show it to be back."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.domain import versions
from app.domain.versions import Release

IN_NEXT_RELEASE, IN_RELEASE, IN_COMMIT = "in_next_release", "in_release", "in_commit"
# Pending: the release that settles it is not there yet.
PENDING, SETTLED = "pending", "resolved"
# In place of a version: the newest release there is.
LATEST = "latest"
# How a commit is tied to an issue: it settles it with its release, or somebody said that it does not fix it.
RESOLVES, REFUTED = "resolves", "refuted"


@dataclass(frozen=True, slots=True)
class Target:
    """What somebody wants an issue to be resolved in."""

    kind: str
    version: str = ""
    repository: str = ""
    commit: str = ""


def in_next_release() -> Target:
    return Target(IN_NEXT_RELEASE)


def in_release(version: str) -> Target:
    """`latest` is the newest release of the project."""
    return Target(IN_RELEASE, version=version)


def in_commit(repository: str, sha: str) -> Target:
    return Target(IN_COMMIT, repository=repository, commit=sha)


class Resolution(Protocol):
    """How an issue was resolved. `release` is the one it is resolved in; pending, the newest at the time."""

    @property
    def kind(self) -> str: ...

    @property
    def state(self) -> str: ...

    @property
    def release(self) -> Release | None: ...

    @property
    def created_at(self) -> datetime: ...


def is_back(resolution: Resolution | None, release: Release | None) -> bool:
    """Whether an event of this release, received after the issue was resolved, reopens it.

    Resolved plainly, any does. Else one without a release proves nothing, nor does one from before the fix.
    """
    if resolution is None:
        return True
    if release is None or (resolution.kind == IN_COMMIT and resolution.state == PENDING):
        return False
    than = resolution.release
    if than is None:  # it was deleted since
        return release.order_date > resolution.created_at
    fixed_here = resolution.state == SETTLED and release.version == than.version
    return fixed_here or versions.newer(release, than)
