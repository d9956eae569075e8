"""Which issues a commit message says that it fixes: "Fixes SHOP-1, SHOP-2 and SHOP-3".

A list ends with its line. An issue's address on this instance counts as well, a Markdown link by its text.
"""

import re
from dataclasses import dataclass

from app.domain import short_id
from app.domain.ids import parse_id

_WORDS = r"(?:fix(?:es|ed)?|closed?|closes|resolved?|resolves)"
_BEGINS = re.compile(rf"(?<![\w-]){_WORDS}(?:[ \t]*:[ \t]*|[ \t]+)", re.IGNORECASE)
_SHORT_ID = re.compile(r"#?(?P<short>[A-Z0-9][A-Z0-9_-]*-[0-9A-Z]+)(?![\w-])", re.IGNORECASE | re.ASCII)
_BETWEEN = re.compile(r"(?:[ \t]|,|&|\band\b)+", re.IGNORECASE)
_LINK = re.compile(r"\[([^\[\]\n]*)\]\([^()\s]*\)")


@dataclass(frozen=True, slots=True)
class Named:
    """The issues that a message names, each once: by short id, or by the id in an address."""

    short_ids: tuple[str, ...] = ()
    ids: tuple[int, ...] = ()


def find(message: str, *, base_url: str = "") -> Named:
    """Names that *may* be issues; whether there are any is for the caller to find out."""
    text = _LINK.sub(r"\1", message)
    address = _address(base_url)
    short_ids: dict[str, None] = {}
    ids: dict[int, None] = {}
    for begin in _BEGINS.finditer(text):
        at: int | None = begin.end()
        while at is not None:
            match = _SHORT_ID.match(text, at) or (address.match(text, at) if address else None)
            if match is None:
                break
            _keep(match.groupdict(), short_ids, ids)
            between = _BETWEEN.match(text, match.end())
            at = between.end() if between else None
    return Named(tuple(short_ids), tuple(ids))


def _keep(found: dict[str, str | None], short_ids: dict[str, None], ids: dict[int, None]) -> None:
    parsed = short_id.parse(found.get("short") or found.get("named") or "")
    if parsed:
        short_ids[short_id.encode(*parsed)] = None
    number = parse_id(found.get("id") or "")
    if number is not None:
        ids[number] = None


def _address(base_url: str) -> re.Pattern[str] | None:
    """`…/acme/shop/issues/7/`, `…/issues/7` or `…/i/SHOP-1/`, with whatever follows."""
    if not base_url:
        return None
    where = r"/(?:(?:[\w-]+/[\w-]+/)?issues/(?P<id>\d+)|i/(?P<named>[\w-]+))\b"
    return re.compile(re.escape(base_url.rstrip("/")) + where + r"[^\s,;)\]]*", re.IGNORECASE | re.ASCII)
