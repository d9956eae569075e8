"""What stands in the form of the editor, and what its buttons do to the text without saving it."""

from dataclasses import dataclass, replace

from werkzeug.datastructures import MultiDict

from app.domain.ownership_lines import LONGEST
from app.models import Ownership
from app.services.owners.entrusting import Wishes
from app.services.owners.owner_checks import Draft

LONGEST_TRIED = 400


@dataclass(frozen=True, slots=True)
class Typed:
    """The form as it is filled in; `version` is the one that it began with."""

    raw: str
    fallthrough: bool
    auto_assign: bool
    only_assignee: bool
    version: int
    move: int = 1
    tried: str = ""
    path: str = ""
    url: str = ""
    tag: str = ""

    @property
    def draft(self) -> Draft:
        return Draft(self.raw, self.fallthrough, self.auto_assign)

    @property
    def wishes(self) -> Wishes:
        return Wishes(
            raw=self.raw,
            fallthrough=self.fallthrough,
            auto_assign=self.auto_assign,
            only_assignee=self.only_assignee,
            seen=self.version,
        )

    @property
    def rows(self) -> int:
        return min(max(self.raw.count("\n") + 3, 10), 2000)


def stored(row: Ownership) -> Typed:
    return Typed(row.raw, row.fallthrough, row.auto_assign, row.only_assignee, row.version)


def of_form(form: MultiDict[str, str]) -> Typed:
    return Typed(
        raw=form.get("raw", "").replace("\r\n", "\n"),
        fallthrough=form.get("fallthrough") != "nobody",
        auto_assign="auto_assign" in form,
        only_assignee="only_assignee" in form,
        version=_number(form.get("version", "")),
        move=_number(form.get("move", "")) or 1,
        tried=form.get("tried", "").strip()[:LONGEST_TRIED],
        path=form.get("path", "").strip()[:LONGEST_TRIED],
        url=form.get("url", "").strip()[:LONGEST_TRIED],
        tag=form.get("tag", "").strip()[:LONGEST_TRIED],
    )


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else 0


def with_line(typed: Typed, pattern: str) -> Typed:
    """A line begun at the end: whose it is remains to be written."""
    begun = pattern.replace("\n", " ").replace("\r", " ").strip()
    text = f"{typed.raw}\n" if typed.raw and not typed.raw.endswith("\n") else typed.raw
    fits = begun and len(text) + len(begun) < LONGEST
    return replace(typed, raw=f"{text}{begun} ") if fits else typed


def moved(typed: Typed, by: int) -> Typed:
    """The line with the number that was typed, one place up or down."""
    lines = typed.raw.split("\n")
    here, there = typed.move - 1, typed.move - 1 + by
    if not (0 <= here < len(lines) and 0 <= there < len(lines)):
        return typed
    lines[here], lines[there] = lines[there], lines[here]
    return replace(typed, raw="\n".join(lines), move=there + 1)


def with_text(typed: Typed, raw: str) -> Typed:
    return replace(typed, raw=raw)
