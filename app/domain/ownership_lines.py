"""What the owners of a project are made of: owners, lines, what is wrong with them, and what they match."""

from collections.abc import Sequence
from dataclasses import dataclass, field

LONGEST = 100_000
PATH, URL, MODULE, TAGS, CODEOWNERS = "path", "url", "module", "tags.", "codeowners"
TYPES = (PATH, URL, MODULE)


@dataclass(frozen=True, slots=True)
class Owner:
    """`name` is a team's slug or an address, both in lower case."""

    is_team: bool
    name: str
    column: int = field(default=1, compare=False)

    @property
    def written(self) -> str:
        return f"#{self.name}" if self.is_team else self.name


@dataclass(frozen=True, slots=True)
class Line:
    """One rule. `type` is path, url, module, `tags.` with its key, or codeowners for an imported line."""

    number: int
    text: str
    type: str
    pattern: str
    owners: tuple[Owner, ...]

    @property
    def is_imported(self) -> bool:
        return self.type == CODEOWNERS

    @property
    def called(self) -> str:
        """The line as it is shown where it stands alone."""
        return f"CODEOWNERS: {self.text}" if self.is_imported else self.text


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a line, and where; lines and columns count from 1."""

    line: int
    column: int
    message: str
    text: str

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.message}"


class OwnershipErrors(ValueError):
    """All that is wrong with a text, in its order."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Match:
    """A line that an event matches, and what of the event it was: a value, and where that stands."""

    line: Line
    value: str
    where: str

    @property
    def number(self) -> int:
        return self.line.number

    @property
    def text(self) -> str:
        return self.line.text

    @property
    def pattern(self) -> str:
        return self.line.pattern

    @property
    def owners(self) -> Sequence[str]:
        return [owner.written for owner in self.line.owners]

    @property
    def what(self) -> str:
        return f"{self.value}, {self.where}"


@dataclass(frozen=True, slots=True)
class Roots:
    """Where a repository's root is found in stack traces: what is `stack` there is `source` here."""

    stack: str = ""
    source: str = ""
