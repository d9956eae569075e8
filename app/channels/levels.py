"""The field with which channels that know urgency give an environment levels of its own."""

from typing import Any

from app.channels.base import HEADERS, setting
from app.domain import incident


def levels_setting() -> Any:
    """Environment → level, or by how much it is shifted: what `incident.level` reads."""
    return setting(
        "Levels by environment",
        default=dict,
        kind=HEADERS,
        between="=",
        check=incident.wrong_with_levels,
        hint=incident.LEVELS_HINT,
    )
