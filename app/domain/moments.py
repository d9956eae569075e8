"""Times as a mail writes them: in its reader's zone, and seen from what the mail is about."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SPANS = ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute"))


@dataclass(frozen=True, slots=True)
class Moments:
    """`at` is when it happened; "2 hours ago" means before that, for nobody knows when a mail is read."""

    zone: str
    at: datetime

    def local(self, at: datetime) -> datetime:
        return at.astimezone(ZoneInfo(self.zone))

    def when(self, at: datetime) -> str:
        """To the second, with the zone: "Mon 23 Nov 2026 09:14:03 CET"."""
        return exact(at, self.zone)

    def minute(self, at: datetime) -> str:
        """ "09:14" on the day itself, else "9 Nov 17:40"."""
        local = self.local(at)
        if local.date() == self.local(self.at).date():
            return f"{local:%H:%M}"
        return f"{self.day(at)} {local:%H:%M}"

    def day(self, at: datetime) -> str:
        """ "9 Nov", or "9 Nov 2025" of another year."""
        local = self.local(at)
        year = "" if local.year == self.local(self.at).year else f" {local.year}"
        return f"{local.day} {local:%b}{year}"

    def weekday(self, at: datetime) -> str:
        """ "Sun 22 Nov"."""
        return f"{self.local(at):%a} {self.day(at)}"

    def hour_of_week(self, at: datetime) -> str:
        """ "Sat 18:00"."""
        return f"{self.local(at):%a %H:%M}"

    def days(self, first: datetime, last: datetime) -> str:
        """ "2 to 11 Nov", "30 Oct to 2 Nov", "on 2 Nov"."""
        start, end = self.local(first), self.local(last)
        if start.date() == end.date():
            return f"on {self.day(last)}"
        if (start.year, start.month) == (end.year, end.month):
            return f"{start.day} to {self.day(last)}"
        return f"{self.day(first)} to {self.day(last)}"

    def ago(self, at: datetime) -> str:
        """ "4 minutes before" what the mail is about, or "just now"."""
        words = span(self.at - at)
        return f"{words} ago" if words else "just now"


def exact(at: datetime, zone: str) -> str:
    """A moment to the second, with the zone: "Mon 23 Nov 2026 09:14:03 CET"."""
    local = at.astimezone(ZoneInfo(zone))
    return f"{local:%a} {local.day} {local:%b %Y %H:%M:%S} {_zone(local)}"


def span(length: timedelta) -> str:
    """ "11 days", "2 hours": whole ones of the largest unit; nothing below a minute."""
    for unit, name in SPANS:
        if length >= unit:
            number = length // unit
            return f"{number:,} {name}" if number == 1 else f"{number:,} {name}s"
    return ""


def _zone(local: datetime) -> str:
    """Zones without letters of their own are named by their distance from UTC."""
    name = f"{local:%Z}"
    return f"UTC{name}" if name[:1] in "+-" else name
