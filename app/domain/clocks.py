"""A reader's clock: moments in their own time zone, as short as they can be without being mistaken."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

DAY, WEEK = timedelta(days=1), timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Clock:
    """`now` is what the reader's clock shows at this moment, in any zone."""

    now: datetime
    zone: str = "UTC"

    def local(self, at: datetime) -> datetime:
        return at.astimezone(ZoneInfo(self.zone))

    def short(self, at: datetime) -> str:
        """The next time it is so late: "08:00"; "Tue 08:00" within a week; else "24 Nov 08:00"."""
        local, ahead = self.local(at), at - self.now
        same_day = local.date() == self.local(self.now).date()
        if same_day or timedelta(0) <= ahead < DAY:
            return f"{local:%H:%M}"
        if abs(ahead) < WEEK:
            return f"{local:%a %H:%M}"
        return f"{local.day} {local:%b %H:%M}"

    def full(self, at: datetime) -> str:
        """For a record that is read long afterwards: "Tue 24 Nov 2026 08:00 CET"."""
        local = self.local(at)
        return f"{local:%a} {local.day} {local:%b %Y %H:%M %Z}"

    def second(self, at: datetime) -> str:
        """For what machines answered: "Tue 24 Nov 2026 08:00:00 CET"."""
        local = self.local(at)
        return f"{local:%a} {local.day} {local:%b %Y %H:%M:%S %Z}"
