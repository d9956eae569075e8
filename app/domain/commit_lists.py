"""Commits and refs as programs send them: read, checked, and put into an order (`notifications.md` 11.1)."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from app.domain import timestamps
from app.domain.errors import Refused

# A message with this in it is nobody's business here.
LEFT_OUT = "#skiptracker"
MOST = 5000
MOST_REFS = 500
MOST_FILES = 3000
LONGEST_KEY, LONGEST_NAME, LONGEST_EMAIL, LONGEST_PATH = 64, 200, 254, 500
LONGEST_MESSAGE = 64 * 1024
_KEY = re.compile(r"[0-9A-Za-z][0-9A-Za-z._:-]*", re.ASCII)
_NOT_OF_A_MAILBOX = re.compile(r"[^0-9a-z]+")
CHANGES = ("A", "M", "D")


@dataclass(frozen=True, slots=True)
class File:
    path: str
    change: str


@dataclass(frozen=True, slots=True)
class Given:
    """A commit as it was sent. Without a repository it belongs to one that stands for none."""

    key: str
    message: str = ""
    author_name: str = ""
    author_email: str = ""
    at: datetime | None = None
    repository: str = ""
    files: tuple[File, ...] | None = None


@dataclass(frozen=True, slots=True)
class Ref:
    """Where a release stands in a repository; `previous` is where the one before it did, if that was said."""

    repository: str
    sha: str
    previous: str = ""


def read(rows: object) -> list[Given]:
    """The commits of a list, without those that are to be left out; `Refused` says what is wrong."""
    if not isinstance(rows, list) or len(rows) > MOST:
        raise Refused(f"commits must be a list of at most {MOST} commits.")
    given = [_commit(row, number) for number, row in enumerate(rows, 1)]
    return [each for each in given if LEFT_OUT not in each.message]


def is_key(text: str) -> bool:
    """Whether it may be a commit’s hash."""
    return len(text) <= LONGEST_KEY and _KEY.fullmatch(text) is not None


def _commit(row: object, number: int) -> Given:
    if not isinstance(row, dict):
        raise Refused(f"commits: number {number} is no object.")
    key = _text(row, "id", number)
    if not is_key(key):
        raise Refused(f"commits: number {number} needs an id, the commit’s hash.")
    at = row.get("timestamp")
    moment = timestamps.parse(at) if at else None
    if at and moment is None:
        raise Refused(f"commits: the timestamp of number {number} is no time.")
    return Given(
        key=key.lower(),
        message=_text(row, "message", number)[:LONGEST_MESSAGE],
        author_name=_line(row, "author_name", number)[:LONGEST_NAME],
        author_email=_line(row, "author_email", number)[:LONGEST_EMAIL],
        at=moment,
        repository=_line(row, "repository", number)[:LONGEST_NAME],
        files=_files(row.get("patch_set"), number),
    )


def _files(rows: object, number: int) -> tuple[File, ...] | None:
    if rows is None:
        return None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Refused(f"commits: the patch_set of number {number} must be a list of objects.")
    return files((row.get("path"), row.get("type")) for row in rows)


def files(rows: Iterable[tuple[Any, Any]]) -> tuple[File, ...]:
    """Each path once; what has none, or a change that is none, is passed over."""
    found = {
        path: File(path, change)
        for path, change in rows
        if isinstance(path, str) and 0 < len(path) <= LONGEST_PATH and change in CHANGES
    }
    return tuple(found.values())[:MOST_FILES]


def refs(rows: object) -> list[Ref]:
    """`commit` may be a range `a..b`: its end, and where the release before it stood."""
    if not isinstance(rows, list) or len(rows) > MOST_REFS or not all(isinstance(row, dict) for row in rows):
        raise Refused(f"refs must be a list of at most {MOST_REFS} objects.")
    return [_ref(row, number) for number, row in enumerate(rows, 1)]


def _ref(row: dict[str, Any], number: int) -> Ref:
    repository, commit = _line(row, "repository", number), _text(row, "commit", number)
    before, dots, sha = commit.rpartition("..")
    previous = _text(row, "previousCommit", number) or before.rstrip(".")
    sha = sha if dots else commit
    if not 0 < len(repository) <= LONGEST_NAME or not sha:
        raise Refused(f"refs: number {number} needs a repository and a commit.")
    if not (is_key(sha) and is_key(previous or sha)):
        raise Refused(f"refs: number {number} names no commit.")
    return Ref(repository, sha.lower(), previous.lower())


def _text(row: dict[str, Any], member: str, number: int) -> str:
    value = row.get(member)
    if not isinstance(value, str | None):
        raise Refused(f"{member} of number {number} must be text.")
    return (value or "").replace("\x00", "").strip()


def _line(row: dict[str, Any], member: str, number: int) -> str:
    """Text that is shown within a line, and can neither end it nor turn it round."""
    value = _text(row, member, number)
    return " ".join("".join(each if each.isprintable() else " " for each in value).split())


def newest_first(given: Sequence[Given]) -> list[Given]:
    """By time, if all have one; else as they were given. Each once."""
    once = list({(each.repository, each.key): each for each in reversed(given)}.values())[::-1]
    times = [each.at for each in once if each.at]
    if len(times) < len(once):
        return once
    return [once[place] for place in sorted(range(len(once)), key=times.__getitem__, reverse=True)]


def dated(given: Sequence[Given], *, now: datetime) -> list[Given]:
    """The same, newest first, each with a time later than that of the one after it: history is read by it."""
    found: list[Given] = []
    before: datetime | None = None
    for each in reversed(given):
        at = min(each.at or before or now, now)
        if before is not None and at <= before:
            at = before + timedelta(microseconds=1)
        found.append(replace(each, at=at))
        before = at
    return found[::-1]


def address_of(given: Given) -> str:
    """An author without an address gets one that no mail can go to, so that they can be told apart."""
    if given.author_email or not given.author_name:
        return given.author_email.lower()
    local = _NOT_OF_A_MAILBOX.sub("-", given.author_name.lower()).strip("-")
    return f"{local or 'somebody'}@localhost"
