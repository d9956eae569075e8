"""The events of an issue: one at a time, each with its neighbours, or a page of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ScalarSelect, Select, select, tuple_
from sqlalchemy.orm import Session, aliased, lazyload, undefer

from app.domain import cursor as cursors
from app.domain.cursor import Cursor
from app.domain.errors import NotFound
from app.domain.shapes import cut
from app.models import Event, Issue
from app.services import keyset
from app.services.events import event_body
from app.services.owners import owning
from app.services.owners.owning import OwnersInForce

LATEST, OLDEST = "latest", "oldest"
PER_PAGE = 25
# By what people know a user, best first, and how much of it a list has room for.
_KNOWN_BY = ("email", "username", "name", "id", "ip_address")
_MOST_OF_USER = 100


@dataclass(frozen=True, slots=True)
class Shown:
    """An event in full, and the ids of those just before and after it in the same issue."""

    event: Event
    data: dict[str, Any]
    older: str | None
    newer: str | None


@dataclass(frozen=True, slots=True)
class Row:
    """An event in a list, and whom it happened to; nothing where that is not known."""

    event: Event
    user: str


@dataclass(frozen=True, slots=True)
class Found:
    """A page of an issue's, newest first."""

    rows: Sequence[Row]
    previous: str | None
    following: str | None


def listed(session: Session, issue: Issue, *, cursor: Cursor | None = None) -> Found:
    """A page of them, with one query. Users stand in the bodies, which are read for these rows alone."""
    found = select(Event).where(Event.issue_id == issue.id).options(undefer(Event.body), lazyload("*"))
    found = keyset.from_place(found, Event.timestamp, Event.id, cursor)
    rows = session.scalars(found.limit(PER_PAGE + 1)).all()
    shown = rows[:PER_PAGE]
    if cursor and cursor.backward:
        shown = shown[::-1]
    places = [(cursors.value_of(each.timestamp), each.id) for each in shown]
    ends = cursors.ends(cursor, places, has_more=len(rows) > PER_PAGE)
    return Found([Row(each, called(event_body.outline(each.body))) for each in shown], *ends)


def called(data: Mapping[str, Any]) -> str:
    """The event's user, by the best of their names."""
    person = data.get("user") or {}
    return cut(next((str(person[name]) for name in _KNOWN_BY if person.get(name)), ""), _MOST_OF_USER)


def show_owned(session: Session, issue: Issue, which: str) -> tuple[Shown | None, OwnersInForce]:
    """The same as `show`, with the project's owners, for no query more."""
    found = owning.beside(_chosen(issue, which), Event.project_id)
    row = session.execute(found).first()
    owners = owning.in_force(row.Ownership, row.Codeowners) if row and row.Ownership else OwnersInForce()
    return _shown(row, which), owners


def show(session: Session, issue: Issue, which: str) -> Shown | None:
    """The event with this id, or the latest or oldest one; None when the issue has no events left.

    Raises `NotFound` for an id that is not of this issue.
    """
    return _shown(session.execute(_chosen(issue, which)).first(), which)


def _shown(row: Any, which: str) -> Shown | None:
    if row is None and which not in (LATEST, OLDEST):
        raise NotFound
    return Shown(row[0], event_body.unpack(row[0].body), row[1], row[2]) if row else None


def _chosen(issue: Issue, which: str) -> Select[Event, str, str]:
    found = (
        select(Event, _neighbour(older=True), _neighbour(older=False))
        .where(Event.issue_id == issue.id)
        .options(undefer(Event.body), lazyload(Event.issue))
    )
    if which == LATEST:
        return found.order_by(Event.timestamp.desc(), Event.id.desc()).limit(1)
    if which == OLDEST:
        return found.order_by(Event.timestamp, Event.id).limit(1)
    return found.where(Event.project_id == issue.project_id, Event.event_id == which)


def _neighbour(*, older: bool) -> ScalarSelect[str]:
    other = aliased(Event)
    here, there = tuple_(Event.timestamp, Event.id), tuple_(other.timestamp, other.id)
    found = select(other.event_id).where(other.issue_id == Event.issue_id)
    if older:
        found = found.where(there < here).order_by(other.timestamp.desc(), other.id.desc())
    else:
        found = found.where(there > here).order_by(other.timestamp, other.id)
    return found.limit(1).correlate(Event).scalar_subquery()
