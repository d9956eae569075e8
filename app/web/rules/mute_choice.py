"""For how long a rule is to be silent, as its menus ask it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.clock import now
from app.domain.errors import Refused
from app.models import RuleMute
from app.services.rules import rule_muting
from app.web.identity import me
from app.web.issues.ignore_choice import end

DATE, OPEN = "date", "open"
LENGTHS = (
    ("60", "1 hour"),
    ("480", "8 hours"),
    ("1440", "24 hours"),
    ("10080", "1 week"),
    (DATE, "until the date"),
    (OPEN, "until somebody ends it"),
)


def read(form: Mapping[str, str], at: datetime) -> datetime | None:
    """`length`: minutes, "date" with `until`, or "open". `Refused` for anything else."""
    length = form.get("length", "")
    if length == OPEN:
        return None
    if length == DATE:
        until = end({"until": form.get("until", "")}, me(), at)
        if until is None:
            raise Refused("Choose the date.", field="until")
        return until
    if length not in dict(LENGTHS):
        raise Refused("Say for how long.", field="length")
    return at + timedelta(minutes=int(length))


def context() -> dict[str, Any]:
    """What `rules/_mute.html` needs."""
    tomorrow = now().astimezone(ZoneInfo(me().timezone)).date() + timedelta(days=1)
    return {"mute_lengths": LENGTHS, "tomorrow": tomorrow.isoformat(), "until_words": until_words}


def until_words(mute: RuleMute) -> str:
    return rule_muting.until_words(mute.until, me())
