"""The events of an issue, one at a time, each with its neighbours."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ScalarSelect, Select, select, tuple_
from sqlalchemy.orm import Session, aliased, lazyload, undefer

from app.domain.errors import NotFound
from app.models import Event, Issue
from app.services.events import event_body
from app.services.owners import owning
from app.services.owners.owning import OwnersInForce

LATEST, OLDEST = "latest", "oldest"


@dataclass(frozen=True, slots=True)
class Shown:
    """An event in full, and the ids of those just before and after it in the same issue."""

    event: Event
    data: dict[str, Any]
    older: str | None
    newer: str | None


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
