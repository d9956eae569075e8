"""What `docs/issue-owners.md` claims, run."""

import re
from pathlib import Path

import pytest

from app.domain import codeowners, ownership
from app.domain.ownership import Rules
from app.domain.ownership_lines import OwnershipErrors

PAGE = (Path(__file__).parents[2] / "docs/issue-owners.md").read_text()


def table(heading: str) -> list[tuple[str, ...]]:
    """The rows below the heading, without the marks around code."""
    rows = PAGE[PAGE.index(heading) :].split("\n\n")[0].splitlines()[2:]
    return [tuple(cell.strip().strip("`") for cell in row.strip("|").split(" | ")) for row in rows]


def event(kind: str, value: str) -> tuple[dict, list]:
    if kind.startswith("tags."):
        return {}, [(kind.removeprefix("tags."), value)]
    if kind == "url":
        return {"request": {"url": value}}, []
    frame = {"module" if kind == "module" else "filename": value, "in_app": True}
    return {"stacktrace": {"frames": [frame]}}, []


@pytest.mark.parametrize(("text", "place", "said"), table("| Text |"))
def test_what_is_wrong_is_told_as_the_page_says(text, place, said):
    with pytest.raises(OwnershipErrors) as raised:
        ownership.parse(text)
    assert str(raised.value).startswith(f"{place}: ")
    assert said in str(raised.value)


@pytest.mark.parametrize(("pattern", "value", "matches"), table("| Pattern |"))
def test_what_matches_is_as_the_page_says(pattern, value, matches):
    found = ownership.match(ownership.parse(f"{pattern} #a"), *event(pattern.split(":")[0], value))
    assert ("yes" if found else "no") == matches


@pytest.mark.parametrize(("pattern", "path", "matches"), table("| CODEOWNERS path |"))
def test_what_a_codeowners_path_matches_is_as_the_page_says(pattern, path, matches):
    lines = codeowners.read(f"{pattern} @a", {"@a": ownership.owner_of("#a")}).lines
    found = ownership.match(Rules(lines), *event("path", path))
    assert ("yes" if found else "no") == matches


def test_the_example_can_be_read():
    [example] = re.findall(r"```\n(.*?)```", PAGE, re.DOTALL)
    assert len(ownership.parse(example).lines) == 4
