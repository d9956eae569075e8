"""What a project's owners were at every moment, and what each version changed."""

import difflib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from app.domain.errors import NotFound
from app.models import Codeowners, Ownership, OwnershipVersion, Project

MOST_VERSIONS = 30
# Changes of one version that a page shows.
MOST_CHANGES = 60
# What changed of longer texts is told without regard to where a line stood: that takes too long for a page.
MOST_COMPARED = 2000
EMPTY: Mapping[str, Any] = {
    "raw": "",
    "fallthrough": True,
    "autoAssignment": False,
    "onlyAssignee": False,
    "codeowners": None,
}
_SWITCHES = {
    "fallthrough": ("when no line matches: all members are told", "when no line matches: nobody is told"),
    "autoAssignment": ("also assign automatically", "assign nothing automatically"),
    "onlyAssignee": ("after assignment, alert only the assignee", "after assignment, alert owners too"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A CODEOWNERS file; `names`: whom its names stand for, as #team or an address."""

    raw: str
    names: Mapping[str, str]
    stack_root: str = ""
    source_root: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """Something that a version added (`+`) or took away (`-`), and the line it is on."""

    sign: str
    text: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """`more` counts the changes that are not among `changes`."""

    row: OwnershipVersion
    changes: Sequence[Change]
    more: int


def content(row: Ownership, file: Codeowners | None) -> dict[str, Any]:
    """The owners as a version keeps them."""
    return {
        "raw": row.raw,
        "fallthrough": row.fallthrough,
        "autoAssignment": row.auto_assign,
        "onlyAssignee": row.only_assignee,
        "codeowners": _kept(file) if file else None,
    }


def _kept(file: Codeowners) -> dict[str, Any]:
    return {
        "raw": file.raw,
        "names": dict(file.names),
        "stackRoot": file.stack_root,
        "sourceRoot": file.source_root,
    }


def file(kept: Mapping[str, Any]) -> File:
    return File(
        raw=kept["raw"],
        names=kept["names"],
        stack_root=kept["stackRoot"],
        source_root=kept["sourceRoot"],
    )


def find(session: Session, project: Project, version: int) -> OwnershipVersion:
    here = (OwnershipVersion.project_id == project.id) & (OwnershipVersion.version == version)
    found = session.scalar(select(OwnershipVersion).where(here))
    if found is None:
        raise NotFound
    return found


def of(session: Session, project: Project) -> list[Version]:
    """The newest first, each with what it changed."""
    found = (
        select(OwnershipVersion)
        .where(OwnershipVersion.project_id == project.id)
        .order_by(OwnershipVersion.version.desc())
        .limit(MOST_VERSIONS + 1)
        .options(joinedload(OwnershipVersion.by))
    )
    rows = list(session.scalars(found))
    earlier = [*(row.content for row in rows[1:]), EMPTY]
    return [_version(row, was) for row, was in zip(rows, earlier, strict=False)][:MOST_VERSIONS]


def _version(row: OwnershipVersion, was: Mapping[str, Any]) -> Version:
    found = changes(was, row.content)
    shown = list(islice(found, MOST_CHANGES))
    return Version(row, shown, sum(1 for _ in found))


def changes(was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Change]:
    """What is different: lines first, then switches, then the imported file."""
    yield from lines(was["raw"], now["raw"])
    for name, (on, off) in _SWITCHES.items():
        if was[name] != now[name]:
            yield Change("+", on if now[name] else off)
    yield from _of_file(was["codeowners"], now["codeowners"])


def _of_file(was: Mapping[str, Any] | None, now: Mapping[str, Any] | None) -> Iterator[Change]:
    if was == now:
        return
    if now is None:
        yield Change("-", "CODEOWNERS")
        return
    for change in lines(was["raw"] if was else "", now["raw"]):
        yield Change(change.sign, f"CODEOWNERS: {change.text}", change.line)
    if was and was["raw"] == now["raw"]:
        yield Change("+", "CODEOWNERS: whom its names stand for, or where its root is")


def lines(was: str, now: str) -> Iterator[Change]:
    """The lines taken away, by their number then, and those added, by their number now."""
    old, new = was.split("\n"), now.split("\n")
    if len(old) + len(new) > MOST_COMPARED:
        yield from _only_in(old, new, "-")
        yield from _only_in(new, old, "+")
        return
    for tag, old_from, old_to, new_from, new_to in difflib.SequenceMatcher(None, old, new).get_opcodes():
        if tag != "equal":
            yield from (Change("-", old[at], at + 1) for at in range(old_from, old_to) if old[at])
            yield from (Change("+", new[at], at + 1) for at in range(new_from, new_to) if new[at])


def _only_in(these: Sequence[str], others: Sequence[str], sign: str) -> Iterator[Change]:
    """The lines that are not among the others, or not so often."""
    left = Counter(others)
    for number, line in enumerate(these, 1):
        left[line] -= 1
        if line and left[line] < 0:
            yield Change(sign, line, number)
