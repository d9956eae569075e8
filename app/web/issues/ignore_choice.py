"""Until when something is to be silent, as the menus of an issue and of a list ask it."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from app.clock import now
from app.db import db
from app.domain import ignoring
from app.domain.errors import Refused
from app.domain.ignoring import Condition
from app.models import Issue, User
from app.services.issues import ignoring as service

TOMORROW, YEARS = "tomorrow", 10


def read(form: Mapping[str, str], user: User, issue: Issue) -> Condition | None:
    """What ends the ignore; None where nothing was chosen, which is "until I say so". `Refused` for nonsense.

    `minutes`, `until` (a date), `event_count` with `event_window`, `user_count` with `user_window`, or
    `worse_than`; with `worse` and no number the limit is what counts as worse for this issue.
    """
    at = now()
    limit = number(form, "worse_than")
    if limit is None and "worse" in form:
        limit = service.until_worse(db.session, issue, now=at).worse_than
    if limit is not None:
        return ignoring.checked(ignoring.getting_worse(limit), now=at)
    condition = Condition(
        until=end(form, user, at),
        event_count=number(form, "event_count"),
        event_window=number(form, "event_window"),
        user_count=number(form, "user_count"),
        user_window=number(form, "user_window"),
    )
    return ignoring.checked(condition, now=at) if any(form.get(name) for name in CHOICES) else None


CHOICES = ("minutes", "until", "event_count", "event_window", "user_count", "user_window")


def end(form: Mapping[str, str], user: User, at: datetime, *, field: str = "until") -> datetime | None:
    """A moment: so many `minutes` from now, or nine in the morning, on the reader's clock, of a date."""
    minutes = number(form, "minutes")
    if minutes is not None:
        return at + timedelta(minutes=minutes)
    text = form.get(field, "").strip()
    if not text:
        return None
    return ignoring.morning_of(_day(text, user, at, field), user.timezone)


def _day(text: str, user: User, at: datetime, field: str) -> date:
    if text == TOMORROW:
        return at.astimezone(ZoneInfo(user.timezone)).date() + timedelta(days=1)
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Refused("A date looks like 2026-11-30.", field=field) from None
    if not at.year <= day.year <= at.year + YEARS:
        raise Refused(f"Choose a date within the next {YEARS} years.", field=field)
    return day


def number(form: Mapping[str, str], name: str) -> int | None:
    text = form.get(name, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdecimal()) or len(text) > 9:
        raise Refused("Write a whole number.", field=name)
    return int(text)
