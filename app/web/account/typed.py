"""Numbers in addresses and forms: whole, and small enough for a database."""

from werkzeug.exceptions import BadRequest

DIGITS = 18


def number(text: str) -> int:
    """The number; anything else is answered with 400."""
    if not text.isascii() or not text.isdecimal() or len(text) > DIGITS:
        raise BadRequest
    return int(text)
