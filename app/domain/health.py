"""How an integration is doing, and when it is switched off: only where it will not mend itself.

A fault of our own payload never switches anything off. One unmistakable answer does; a doubtful one needs
five in a row over an hour; and where a channel says so, nothing but failures for days (`integrations.md` 1.4,
12.4).
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

DOUBTS, DOUBTED_FOR = 5, timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Health:
    """`failing_since` is None while it works; `failures` are those in a row."""

    failing_since: datetime | None = None
    failures: int = 0
    is_off: bool = False

    def failed(
        self, now: datetime, *, is_broken: bool, is_doubtful: bool, patience: timedelta | None
    ) -> "Health":
        """After one more failure. `patience` is how long nothing but failures are borne."""
        since = self.failing_since or now
        failures = self.failures + 1
        lasted = now - since
        is_off = (
            is_broken
            or (is_doubtful and failures >= DOUBTS and lasted >= DOUBTED_FOR)
            or (patience is not None and lasted >= patience)
        )
        return replace(self, failing_since=since, failures=failures, is_off=is_off)
