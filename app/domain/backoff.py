"""When to try again, and when to give up.

Mail (`experience.md` 1.8): 1, 5, 15, 60 minutes, then hourly to 24 h. Integrations: a ladder each.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

STEPS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(minutes=60))
GIVE_UP_AFTER = timedelta(hours=24)


def next_try(
    attempts: int, *, due_since: datetime, now: datetime, lasts: timedelta = GIVE_UP_AFTER
) -> datetime | None:
    """The time of the next try after this many failed ones, or None when it has been long enough.

    `lasts` is how long the message is worth anything, once it was due.
    """
    at = now + STEPS[min(attempts, len(STEPS)) - 1]
    return at if at - due_since <= min(lasts, GIVE_UP_AFTER) else None


# Integrations (`integrations.md` 1.5 and 12.4)


@dataclass(frozen=True, slots=True)
class Ladder:
    """The delays after the first, second, … failed try; the last one holds from then on.

    `jitter` is the share of a delay that chance may take off it: tries of many messages spread out. `most` is
    how often one message is tried again, where each try costs.
    """

    steps: Sequence[timedelta]
    lasts: timedelta
    jitter: float = 1.0
    most: int | None = None

    def next_try(
        self, attempts: int, *, due_since: datetime, now: datetime, chance: float
    ) -> datetime | None:
        """When to try again, or None once the message is no longer worth it; `chance` is from 0 to 1."""
        if self.most is not None and attempts > self.most:
            return None
        step = self.steps[min(attempts, len(self.steps)) - 1]
        at = now + step * (1 - self.jitter * chance)
        return at if at - due_since <= self.lasts else None


_PAGING = tuple(timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 1800, 3600, 2 * 3600, 4 * 3600))
_STANDARD = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 300, 1800, 2 * 3600, *(hours * 3600 for hours in (5, 10, 14, 20, 24)))
)
LADDERS: Mapping[str, Ladder] = {
    "paging": Ladder(_PAGING, timedelta(hours=24)),
    "chat": Ladder(_PAGING[:5], timedelta(hours=6)),
    "short": Ladder(_PAGING[:5], timedelta(hours=1)),  # text messages, and what rings a phone
    "sms": Ladder(_PAGING[:3], timedelta(hours=1), most=3),
    # The ten tries of the standard: three days, and what its delays are longer than that.
    "webhook": Ladder(_STANDARD, timedelta(days=3, hours=6), jitter=0.1),
}
# While a destination does not answer, its other messages are tried no more often than this.
COOLING, LONGEST_COOLING = timedelta(seconds=30), timedelta(minutes=5)


def cooling(failures: int) -> timedelta:
    """How long a destination is left alone after so many failures in a row."""
    return min(COOLING * failures, LONGEST_COOLING)
