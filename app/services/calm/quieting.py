"""A person's quiet hours, and "on call now", which overrules them. A change takes effect on what is held."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.domain import quiet
from app.domain.clocks import Clock
from app.domain.errors import NotFound, Refused
from app.domain.quiet import Window
from app.models import Digest, OnCall, QuietHours, User
from app.services import auditing
from app.services.calm import pacing

# The open digest with this key takes in what quiet hours hold.
HELD = "quiet"
MOST_WINDOWS = 20
LONGEST_ON_CALL = timedelta(days=7)
NONE = "none"


def quiet_until(session: Session, user_ids: Collection[int], *, now: datetime) -> dict[int, datetime]:
    """Whose hours are quiet now, and until when; with one query. Who is on call is missing."""
    rows = session.execute(
        select(QuietHours, User.timezone)
        .join(User, User.id == QuietHours.user_id)
        .where(QuietHours.user_id.in_(user_ids), QuietHours.user_id.not_in(_on_call(now)))
    )
    of_person: dict[tuple[int, str], list[Window]] = defaultdict(list)
    for row, zone in rows:
        of_person[row.user_id, zone].append(window(row))
    ends = {
        user_id: quiet.quiet_until(windows, ZoneInfo(zone), now)
        for (user_id, zone), windows in of_person.items()
    }
    return {user_id: until for user_id, until in ends.items() if until}


def _on_call(now: datetime) -> Select[int]:
    return select(OnCall.user_id).where(OnCall.until > now)


def window(row: QuietHours) -> Window:
    """The hours of a row, as the domain reckons with them."""
    return Window(frozenset(row.days), row.start_minute, row.end_minute)


def hours(session: Session, user: User) -> Sequence[QuietHours]:
    """The person's quiet hours, in the order in which they were made."""
    return session.scalars(
        select(QuietHours).where(QuietHours.user_id == user.id).order_by(QuietHours.id)
    ).all()


def hours_of(session: Session, user: User, hours_id: int) -> QuietHours:
    """One of the person's own; else `NotFound`."""
    row = session.get(QuietHours, hours_id)
    if row is None or row.user_id != user.id:
        raise NotFound
    return row


def save(
    session: Session,
    user: User,
    chosen: Window,
    *,
    instead_of: QuietHours | None = None,
    now: datetime,
    via: str,
) -> QuietHours:
    """Further quiet hours, or others instead. `Refused` if no minute of the week is left."""
    _lock(session, user)
    before = _plain(session, user)
    others = [row for row in hours(session, user) if row is not instead_of]
    _check(chosen, others)
    row = instead_of or QuietHours(user_id=user.id)
    old = window(row).words if instead_of else NONE
    row.days, row.start_minute, row.end_minute = sorted(chosen.days), chosen.start, chosen.end
    session.add(row)
    _audit(session, user, "quiet_hours", old, chosen.words, now, via, before=before)
    retime(session, user, now=now)
    return row


def delete(session: Session, user: User, row: QuietHours, *, now: datetime, via: str) -> None:
    """Hours that are no longer quiet."""
    _lock(session, user)
    before = _plain(session, user)
    session.delete(row)
    _audit(session, user, "quiet_hours", window(row).words, NONE, now, via, before=before)
    retime(session, user, now=now)


def _check(chosen: Window, others: Iterable[QuietHours]) -> None:
    windows = [chosen, *map(window, others)]
    if not chosen.days:
        raise Refused("Choose at least one day.", field="days")
    if len(windows) > MOST_WINDOWS:
        raise Refused(f"{MOST_WINDOWS} quiet times are the most.", field="days")
    if quiet.never_ends(windows):
        raise Refused(
            "These would leave no minute of the week: what is held would never be sent. "
            "To hear nothing at all, switch alerts and workflow off.",
            field="end",
        )


def on_call(session: Session, user: User, until: datetime, *, now: datetime, via: str) -> None:
    """Nothing is held for the person until then, and what is held goes out now."""
    if until <= now:
        raise Refused("Choose a time that is still to come.", field="until")
    if until > now + LONGEST_ON_CALL:
        raise Refused(f"Choose a time within {LONGEST_ON_CALL.days} days.", field="until")
    _lock(session, user)
    was = on_call_until(session, user, now=now)
    row = session.get(OnCall, user.id)
    if row is None:
        row = OnCall(user_id=user.id)
        session.add(row)
    row.since, row.until = now, until
    said = _said(user, was, now), _said(user, until, now)
    _audit(session, user, "on_call", *said, now, via, until=until.isoformat())
    retime(session, user, now=now)
    pacing.end_windows(session, user, now=now)


def end_on_call(session: Session, user: User, *, now: datetime, via: str) -> None:
    """Quiet hours hold again, if there are any. Ended already: nothing happens."""
    _lock(session, user)
    was = on_call_until(session, user, now=now)
    row = session.get(OnCall, user.id)
    if row is None or was is None:
        return
    row.until = now
    _audit(session, user, "on_call", _said(user, was, now), NONE, now, via)
    retime(session, user, now=now)


def on_call_until(session: Session, user: User, *, now: datetime) -> datetime | None:
    """Until when the person said to be on call; None if they are not."""
    return session.scalar(select(OnCall.until).where(OnCall.user_id == user.id, OnCall.until > now))


def retime(session: Session, user: User, *, now: datetime) -> None:
    """What is held for the person goes out when their quiet ends now: at once, if it has ended."""
    session.flush()
    held = select(Digest).where(Digest.user_id == user.id, Digest.key == HELD, Digest.closed_at.is_(None))
    digest = session.scalar(held.with_for_update())
    if digest:
        digest.send_at = quiet_until(session, [user.id], now=now).get(user.id, now)
        session.flush()


def _lock(session: Session, user: User) -> None:
    """One change of a person's hours at a time: two at once could leave no minute of the week."""
    session.execute(select(User.id).where(User.id == user.id).with_for_update())


def _said(user: User, until: datetime | None, now: datetime) -> str:
    return f"until {Clock(now, user.timezone).full(until)}" if until else NONE


def _plain(session: Session, user: User) -> list[list[Any]]:
    """All quiet hours of the person, as the log keeps them: see `window_of`."""
    return [[list(row.days), row.start_minute, row.end_minute] for row in hours(session, user)]


def window_of(plain: Sequence[Any]) -> Window:
    days, start, end = plain
    return Window(frozenset(days), start, end)


def _audit(
    session: Session,
    user: User,
    category: str,
    old: str,
    new: str,
    now: datetime,
    via: str,
    **facts: Any,
) -> None:
    """`facts` are for those who ask later how it was then."""
    detail = {"old": old, "new": new, **facts}
    auditing.note(
        session, user.id, category, by_id=user.id, at=now, via=via, place=("account", 0), detail=detail
    )
