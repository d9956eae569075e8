"""How a rate limit is told to an SDK: the value of X-Sentry-Rate-Limits, and that of Retry-After."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

# A message and an exception are the same thing to a person, so what stops one stops the other; attachments
# travel with their event.
EVENT_CATEGORIES = ("default", "error", "security", "attachment")
SCOPES = ("organization", "project", "key")


@dataclass(frozen=True, slots=True)
class RateLimit:
    """Nothing of these categories until `seconds` have passed; no category means everything."""

    seconds: float
    window: int
    scope: str
    reason: str
    categories: tuple[str, ...] = EVENT_CATEGORIES

    @property
    def retry_after(self) -> int:
        """Whole seconds, never less than is left, at least one and at most the window."""
        return max(1, min(math.ceil(self.seconds), self.window))


def header(limits: Iterable[RateLimit]) -> str:
    return ", ".join(
        f"{limit.retry_after}:{';'.join(limit.categories)}:{limit.scope}:{limit.reason}" for limit in limits
    )
