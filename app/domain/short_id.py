"""SHORT-IDs: the name of an issue that people can say, such as SHOP-3F."""

from __future__ import annotations

import re

# Crockford's digits: without I, L, O and U nothing is misread.
_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUES = {digit: value for value, digit in enumerate(_DIGITS)}
_VALUES |= {"I": 1, "L": 1, "O": 0}
_SHORT_ID = re.compile(r"([A-Z0-9][A-Z0-9_-]*)-([0-9A-TV-Z]{1,12})", re.ASCII)


def encode(project_slug: str, number: int) -> str:
    digits = ""
    while True:
        number, value = divmod(number, 32)
        digits = _DIGITS[value] + digits
        if not number:
            return f"{project_slug.upper()}-{digits}"


def parse(text: str) -> tuple[str, int] | None:
    """Project slug (lower case) and number, or None for what is no short id."""
    match = _SHORT_ID.fullmatch(text.strip().upper())
    if match is None:
        return None
    number = 0
    for digit in match[2]:
        number = number * 32 + _VALUES[digit]
    return match[1].lower(), number
