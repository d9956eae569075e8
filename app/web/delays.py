"""What administrators are told on every page while notifications are late."""

import time
from dataclasses import dataclass

from flask import current_app

from app.clock import now
from app.db import db
from app.services.notices import punctuality
from app.web.filters import plural
from app.web.identity import me_or_none

KNOWN_FOR_SECONDS = 10.0


@dataclass(slots=True)
class _Known:
    """What was found last, so that not every page asks the database."""

    words: str | None = None
    until: float = 0.0


def delay() -> str | None:
    """How late notifications are, in words; None while they are on time, and for everybody else."""
    person = me_or_none()
    if person is None or not person.is_superuser:
        return None
    known: _Known = current_app.extensions.setdefault("tocsin_delay", _Known())
    if time.monotonic() >= known.until:
        known.words, known.until = _look(), time.monotonic() + KNOWN_FOR_SECONDS
    return known.words


def _look() -> str | None:
    waits = punctuality.waits(db.session, now=now())
    if not waits.is_late:
        return None
    minutes = max(waits.notice_seconds, waits.delivery_seconds) // 60
    return (
        f"Notifications are delayed: the oldest has waited {plural(minutes, 'minute')}. Is a worker running?"
    )
