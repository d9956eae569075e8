"""How many events and users an issue had in a stretch of time that is open at its end: the queries.

Whole minutes and hours are counted beforehand, as `IssueCount`; people have one row each, with when they
were last seen. So a window costs a few dozen rows, whatever came in; only its first minute is looked at
event by event, and only where that decides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, literal, select
from sqlalchemy.orm import Session

from app.domain.alerting import EVENTS, Window
from app.models import Event, IssueCount, IssueEnvironmentUser, IssueUser
from app.models.base import UtcDateTime

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
COUNTS: Any = IssueCount.__table__
EVENT: Any = Event.__table__
PEOPLE: Any = IssueUser.__table__
PEOPLE_HERE: Any = IssueEnvironmentUser.__table__


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is certainly in a window, and what its first minute may add."""

    certain: int
    perhaps: int


def minute_of(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def bounds(
    session: Session, issue_id: int, minute: datetime, limits: Mapping[Window, int]
) -> Mapping[Window, Bounds]:
    """Of windows that end within that minute, in one query. Users are counted up to the limit."""
    shape = tuple(limits)
    values: dict[str, Any] = {"issue": issue_id}
    for number, (window, limit) in enumerate(limits.items()):
        if f"edge{window.minutes}" not in values:
            values |= _moments(window.minutes, minute - timedelta(minutes=window.minutes))
        if window.noun != EVENTS:
            values[f"limit{number}"] = limit
    row = session.connection().execute(_bounds(shape), values).one()
    return {window: Bounds(row[2 * n], row[2 * n + 1]) for n, window in enumerate(shape)}


def _moments(name: int, edge: datetime) -> dict[str, datetime]:
    """The window's first minute, and where its whole minutes and whole hours begin."""
    minute = edge + MINUTE
    hour = minute.replace(minute=0)
    return {
        f"edge{name}": edge,
        f"minute{name}": minute,
        f"hour{name}": hour if hour == minute else hour + HOUR,
    }


@lru_cache(maxsize=256)
def _bounds(shape: Sequence[Window]) -> Select[*tuple[Any, ...]]:
    """The same statement object each time: its making costs more than its running."""
    columns: list[ColumnElement[Any]] = []
    for number, window in enumerate(shape):
        columns += (
            _event_bounds(window) if window.noun == EVENTS else _people_bounds(window, f"limit{number}")
        )
    return select(*columns)


def _event_bounds(window: Window) -> list[ColumnElement[Any]]:
    edge, minute, hour = (_at(f"{name}{window.minutes}") for name in ("edge", "minute", "hour"))
    hours = _sum(window, 60, COUNTS.c.start >= hour)
    minutes = _sum(window, 1, COUNTS.c.start >= minute, COUNTS.c.start < hour)
    return [hours + minutes, _sum(window, 1, COUNTS.c.start == edge)]


def _sum(window: Window, minutes: int, *within: ColumnElement[bool]) -> ColumnElement[Any]:
    of_issue = and_(COUNTS.c.issue_id == bindparam("issue"), COUNTS.c.minutes == minutes, *within)
    total = select(func.coalesce(func.sum(COUNTS.c.count), 0)).where(of_issue)
    if window.environment is not None:
        total = total.where(COUNTS.c.environment == window.environment)
    return total.scalar_subquery()


def _people_bounds(window: Window, limit: str) -> list[ColumnElement[Any]]:
    edge, minute = _at(f"edge{window.minutes}"), _at(f"minute{window.minutes}")
    seen = _people(window).c.last_seen
    return [
        _up_to(window, limit, seen >= minute),
        _up_to(window, limit, seen >= edge, seen < minute),
    ]


def _people(window: Window) -> Any:
    return PEOPLE if window.environment is None else PEOPLE_HERE


def _up_to(window: Window, limit: str, *within: ColumnElement[bool]) -> ColumnElement[Any]:
    table = _people(window)
    found = select(literal(1)).where(table.c.issue_id == bindparam("issue"), *within)
    if window.environment is not None:
        found = found.where(table.c.environment == window.environment)
    found = found.limit(bindparam(limit))
    return select(func.count()).select_from(found.subquery()).scalar_subquery()


def _at(name: str) -> ColumnElement[Any]:
    return bindparam(name, type_=UtcDateTime())


def events_since(session: Session, issue_id: int, since: datetime, environment: str | None) -> int:
    """Exactly: whole hours, whole minutes, and the events of the first minute."""
    values = {"issue": issue_id, "since": since, **_moments(0, minute_of(since))}
    return int(session.connection().execute(_events_since(environment), values).scalar_one())


@lru_cache(maxsize=256)
def _events_since(environment: str | None) -> Select[*tuple[Any, ...]]:
    certain, _ = _event_bounds(Window(EVENTS, 0, environment))
    first = select(func.count()).where(
        EVENT.c.issue_id == bindparam("issue"),
        EVENT.c.received_at >= _at("since"),
        EVENT.c.received_at < _at("minute0"),
    )
    if environment is not None:
        first = first.where(EVENT.c.environment == environment)
    return select(certain + first.scalar_subquery())


def people_since(
    session: Session, issue_id: int, since: datetime, environment: str | None, *, limit: int | None = None
) -> int:
    """How many people were last seen since then, counted up to the limit."""
    table = PEOPLE_HERE if environment is not None else PEOPLE
    found = select(literal(1)).where(table.c.issue_id == issue_id, table.c.last_seen >= since)
    if environment is not None:
        found = found.where(table.c.environment == environment)
    if limit is not None:
        found = found.limit(limit)
    return session.scalar(select(func.count()).select_from(found.subquery())) or 0


def people_between(
    session: Session,
    issue_id: int,
    since: datetime,
    until: datetime,
    environment: str | None,
    *,
    limit: int | None = None,
    without: Sequence[str] = (),
) -> int:
    """How many people had an event in that time, counted up to the limit; some events are left out."""
    found = select(EVENT.c.user_ident).distinct()
    found = found.where(
        EVENT.c.issue_id == issue_id, EVENT.c.received_at >= since, EVENT.c.received_at < until
    )
    found = found.where(EVENT.c.user_ident.is_not(None))
    if environment is not None:
        found = found.where(EVENT.c.environment == environment)
    if without:
        found = found.where(EVENT.c.event_id.not_in(without))
    if limit is not None:
        found = found.limit(limit)
    return session.scalar(select(func.count()).select_from(found.subquery())) or 0


def is_void(
    session: Session, issue_id: int, environment: str | None, since: datetime, until: datetime
) -> bool:
    """Whether no event came in during that time."""
    found = select(EVENT.c.id).where(
        EVENT.c.issue_id == issue_id, EVENT.c.received_at >= since, EVENT.c.received_at < until
    )
    if environment is not None:
        found = found.where(EVENT.c.environment == environment)
    return session.scalar(found.limit(1)) is None
