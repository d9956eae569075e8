"""Which of two releases is newer: by semantic version where both have one, else by date.

A version may name its package: `shop@4.2.1`. Two to four numbers count, for people also write 4.2.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

_SEMANTIC = re.compile(
    r"(?:(?P<package>.+)@)?v?(?P<numbers>\d{1,18}(?:\.\d{1,18}){1,3})"
    r"(?:-(?P<pre>[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?"
    r"(?:\+[0-9A-Za-z.-]+)?",
    re.ASCII | re.DOTALL,
)
_PARTS = 4
LONGEST = 200
# Names that mean something else, and what cannot stand in one line or in an address.
_RESERVED = ("", ".", "..", "latest")
_BREAKS_AN_ADDRESS = re.compile(r"[/\\]")
_HASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")

# A number comes before a word, and a version that is out after all that led up to it.
_NUMBER, _WORD, _OUT = 0, 1, 2
Mark = tuple[int, int, str]


class Release(Protocol):
    """What is asked of a release."""

    @property
    def version(self) -> str: ...

    @property
    def order_date(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class Version:
    """A semantic version; `marks` is its pre-release part, fit for comparing. Build metadata do not count."""

    package: str
    numbers: tuple[int, ...]
    marks: tuple[Mark, ...]

    @property
    def rank(self) -> tuple[tuple[int, ...], tuple[Mark, ...]]:
        return self.numbers, self.marks


def parse(text: str) -> Version | None:
    """The semantic version, or None for what is none, such as a commit's hash."""
    match = _SEMANTIC.fullmatch(text)
    if match is None:
        return None
    numbers = [int(number) for number in match["numbers"].split(".")]
    numbers += [0] * (_PARTS - len(numbers))
    return Version(match["package"] or "", tuple(numbers), _marks(match["pre"]))


def is_possible(name: str) -> bool:
    """Whether a release may be called so by those who make one; what events name is taken as it is."""
    is_line = len(name) <= LONGEST and name.isprintable()
    return is_line and name not in _RESERVED and not _BREAKS_AN_ADDRESS.search(name)


def short(text: str) -> str:
    """A version as people say it: without its package, and of a commit's hash only the beginning."""
    bare = text.rpartition("@")[2] or text
    return bare[:12] if _HASH.fullmatch(bare) else bare


def newer(release: Release, than: Release) -> bool:
    """Whether `release` comes after `than`. Of two with one date, neither does."""
    ours, theirs = parse(release.version), parse(than.version)
    if ours and theirs and ours.package == theirs.package:
        return ours.rank > theirs.rank
    return release.order_date > than.order_date


def _marks(pre: str | None) -> tuple[Mark, ...]:
    if pre is None:
        return ((_OUT, 0, ""),)
    return tuple(
        (_NUMBER, int(each), "") if each.isdecimal() and len(each) < 19 else (_WORD, 0, each)
        for each in pre.split(".")
    )
