"""CODEOWNERS files: which lines can be taken over, whom their names stand for, and what their paths match.

Paths mean what they mean in `.gitignore`, except that `docs/*` holds for the files of that folder alone, as
the hosts of repositories have it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, product

from app.domain.globs import Piece, Wild
from app.domain.ownership_lines import CODEOWNERS, LONGEST, Line, Owner

# Each doubles the number of globs that a line becomes.
MOST_DOUBLE_STARS = 3
_DOUBLE_STARS = re.compile(r"(?:\*\*/)+")
_BLANKS = re.compile(r"[ \t]+")
_LONG_STARS = re.compile(r"\*{2,}")


@dataclass(frozen=True, slots=True)
class Skipped:
    """A line, or a name on it, that was not taken over, and why."""

    line: int
    text: str
    why: str


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file says once it is read. `names` are those that its lines mention, mapped or not."""

    lines: tuple[Line, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    names: tuple[str, ...] = ()


def read(raw: str, names: Mapping[str, Owner]) -> Imported:
    """Every line that can be taken over. `names`: whom the file's names stand for, in lower case."""
    lines, skipped, mentioned = [], [], dict[str, None]()
    for number, text in enumerate(raw[:LONGEST].split("\n"), 1):
        line = text.strip()
        if not line or line.startswith("#"):
            continue
        if why := _unfit(line):
            skipped.append(Skipped(number, line, why))
            continue
        pattern, *written = _BLANKS.split(line)
        mentioned |= dict.fromkeys(written)
        strangers = [name for name in written if name.lower() not in names]
        skipped += [Skipped(number, line, f"nobody is named for {name}") for name in strangers]
        owners = tuple(names[name.lower()] for name in written if name.lower() in names)
        if owners:
            lines.append(Line(number, line, CODEOWNERS, pattern, owners))
        elif not strangers:
            skipped.append(Skipped(number, line, "it names no owner"))
    return Imported(tuple(lines), tuple(skipped), tuple(mentioned))


def _unfit(line: str) -> str:
    """Why a line cannot be taken over, or nothing."""
    pattern, _, owners = line.partition(" ")
    reasons = {
        "a path with ! is not taken over": "!" in pattern,
        "a path with […], or the heading of a section, is not taken over": "[" in line or "]" in line,
        "a path with a space is not taken over": "\\ " in line or line.startswith('"'),
        "a line with # inside is not taken over": "#" in pattern or "#" in owners,
        "a path with so many ** is not taken over": len(_DOUBLE_STARS.findall(pattern)) > MOST_DOUBLE_STARS,
    }
    return next((why for why, holds in reasons.items() if holds), "")


def globs(pattern: str) -> list[list[Piece]]:
    """The globs that together match what the pattern does, for paths below the repository's root."""
    body, is_folder = pattern.strip("/"), pattern.endswith("/")
    if "/" not in body and not pattern.startswith("/"):
        body = f"**/{body}"
    begin, *rest = _DOUBLE_STARS.split(body)
    ways = [[_pieces(begin)], *([[Wild.STAR, "/", *_pieces(part)], _pieces(part)] for part in rest)]
    ends = list(_ends(body, is_folder=is_folder))
    return [[*chain.from_iterable(way), *end] for way in product(*ways) for end in ends]


def _ends(body: str, *, is_folder: bool) -> Iterator[Sequence[Piece]]:
    """A path is a file, or a folder with all that is below it."""
    if not is_folder:
        yield []
    if not body.endswith("/*"):
        yield ["/", Wild.STAR]


def _pieces(part: str) -> list[Piece]:
    if part == "**" or part.endswith("/**"):
        return [*_plain(part[:-2]), Wild.STAR]
    return _plain(_LONG_STARS.sub("*", part))


def _plain(part: str) -> list[Piece]:
    wild: Mapping[str, Piece] = {"*": Wild.RUN, "?": Wild.PART}
    return [wild.get(character, character) for character in part.replace("\\", "")]
