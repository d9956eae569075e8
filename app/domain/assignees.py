"""Whom somebody typed in as the one to have an issue: one grammar for pages and programs."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Assignment:
    """`who` is "user", "team", "name" (an address, handle or id) or "nobody"."""

    who: str
    value: str = ""


NOBODY = Assignment("nobody")


def read(text: str) -> Assignment:
    """`user:7`, `team:3`, `team:payments`, `#payments`, an id, a handle with or without @, an address."""
    text = text.strip()
    if text.startswith("#"):
        return Assignment("team", text[1:])
    kind, _, name = text.partition(":")
    if kind in ("user", "team") and name:
        return Assignment(kind, name)
    return Assignment("name", text) if text else NOBODY
