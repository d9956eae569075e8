"""Numbers in addresses and forms."""

from werkzeug.exceptions import BadRequest

from app.domain.ids import parse_id


def number(text: str) -> int:
    """The number; anything else is answered with 400."""
    found = parse_id(text)
    if found is None:
        raise BadRequest
    return found
