"""The time zones that forms offer."""

from functools import cache
from zoneinfo import available_timezones

AREAS = {"Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"}


@cache
def timezones() -> list[str]:
    """Places that people know; the hundreds of other names are accepted too."""
    return ["UTC", *sorted(zone for zone in available_timezones() if zone.partition("/")[0] in AREAS)]
