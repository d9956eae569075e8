"""Ids as they stand in addresses, forms and queries."""

LONGEST = 18  # digits; databases count to 2⁶³


def parse_id(text: str) -> int | None:
    """The number, if the text is one that a database can look for."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= LONGEST else None
