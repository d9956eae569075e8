"""Handles: the short names by which people are mentioned (`@priya`)."""

import re
import unicodedata
from collections.abc import Iterator
from itertools import count

from app.domain.errors import Refused

LONGEST = 64
_HANDLE = re.compile(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?", re.ASCII)


def checked(text: str) -> str:
    """The handle as it is stored; `Refused` when it is not one. A leading @ is taken for politeness."""
    handle = text.strip().removeprefix("@").lower()
    if len(handle) > LONGEST or not _HANDLE.fullmatch(handle):
        raise Refused(
            f"A handle has up to {LONGEST} letters a–z, digits, dots, hyphens or underscores, "
            "and begins and ends with a letter or digit.",
            field="handle",
        )
    return handle


def candidates(address: str) -> Iterator[str]:
    """Handles for the owner of this address, best first, without end: ana, ana2, ana3…

    What follows a plus sign in the local part sorts mail, it does not name a person.
    """
    local = address.partition("@")[0].partition("+")[0]
    plain = unicodedata.normalize("NFKD", local).encode("ascii", "ignore").decode().lower()
    base = re.sub(r"[^a-z0-9._-]+", "-", plain).strip("._-")[: LONGEST - 8].strip("._-") or "someone"
    yield base
    for number in count(2):
        yield f"{base}{number}"
