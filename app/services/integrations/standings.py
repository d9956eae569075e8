"""How issues stand with destinations: what was opened there, and so has to be closed; what never arrived."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, union
from sqlalchemy.orm import Session

from app.channels import is_paging, needs_open
from app.domain.delivery_states import UNFINISHED
from app.domain.kinds import CLOSING, KINDS, OPENING
from app.models import Delivery, Destination, DestinationIssue

OPENING_KINDS = tuple(name for name, kind in KINDS.items() if kind.integration in OPENING)
# In a delivery's data: it opens what was not open before.
OPENS, UNSURE = "opens", "unsure"


def of(session: Session, delivery: Delivery) -> DestinationIssue | None:
    if delivery.lane is None:
        return None
    return session.scalar(
        select(DestinationIssue).where(
            DestinationIssue.destination_id == delivery.destination_id,
            DestinationIssue.lane == delivery.lane,
        )
    )


def open_lanes(
    session: Session, project_ids: Iterable[int], issue_ids: Collection[int]
) -> set[tuple[int, int]]:
    """Destination and issue of what is open there, or is about to be opened."""
    if not issue_ids:
        return set()
    here = select(Destination.id).where(Destination.project_id.in_(list(project_ids)))
    opened = select(DestinationIssue.destination_id, DestinationIssue.lane).where(
        DestinationIssue.destination_id.in_(here),
        DestinationIssue.lane.in_(issue_ids),
        DestinationIssue.is_open,
    )
    opening = select(Delivery.destination_id, Delivery.lane).where(
        Delivery.destination_id.in_(here),
        Delivery.lane.in_(issue_ids),
        Delivery.kind.in_(OPENING_KINDS),
        Delivery.state.in_(UNFINISHED),
    )
    rows: Iterable[Any] = session.execute(union(opened, opening))
    return {(row[0], row[1]) for row in rows}


def opened_at(session: Session, lanes: Collection[tuple[int, int]]) -> dict[tuple[int, int], datetime]:
    """When it was last decided to open each of these, by destination and issue."""
    found = (
        select(Delivery.destination_id, Delivery.lane, func.max(Delivery.created_at))
        .where(
            Delivery.destination_id.in_({destination_id for destination_id, _ in lanes}),
            Delivery.lane.in_({lane for _, lane in lanes}),
            Delivery.kind.in_(OPENING_KINDS),
        )
        .group_by(Delivery.destination_id, Delivery.lane)
    )
    rows: Iterable[Any] = session.execute(found) if lanes else ()
    return {(row[0], row[1]): row[2] for row in rows}


def objection(session: Session, delivery: Delivery) -> str | None:
    """Why nothing is closed, or noted there: what would have opened it was dropped, so both are."""
    kind = KINDS[delivery.kind].integration
    is_note = needs_open(delivery.channel, kind)
    if kind not in CLOSING and not is_note:
        return None
    standing = of(session, delivery)
    if is_note or is_paging(delivery.channel):
        return None if standing and standing.is_open else "no_longer_open"
    return "no_longer_open" if standing and standing.is_dropped and not standing.is_open else None


def begun(session: Session, delivery: Delivery, *, now: datetime) -> None:
    """It is about to be sent: from here on it may be open, whoever is killed."""
    standing = _made(session, delivery, now)
    if standing is None or standing.is_open or KINDS[delivery.kind].integration not in OPENING:
        return
    standing.is_open = True
    delivery.data = {**delivery.data, OPENS: True}


def refer(session: Session, delivery: Delivery, references: Mapping[str, Any], *, now: datetime) -> None:
    """Keep what the other side calls things, also after a try of which only a part got through."""
    standing = _made(session, delivery, now) if references else None
    if standing is not None:
        standing.references = {**standing.references, **references}


def arrived(session: Session, delivery: Delivery, *, now: datetime) -> None:
    standing, kind = _made(session, delivery, now), KINDS[delivery.kind].integration
    if standing is None:
        return
    if kind in CLOSING:
        standing.is_open = standing.is_dropped = False
    elif kind in OPENING:
        standing.is_dropped = False


def given_up(session: Session, delivery: Delivery, *, is_certain: bool, now: datetime) -> None:
    """It will not arrive; `is_certain` if no try of it can have arrived unseen."""
    standing = _made(session, delivery, now)
    if standing is not None and delivery.data.get(OPENS) and is_certain:
        standing.is_open, standing.is_dropped = False, True


def _made(session: Session, delivery: Delivery, now: datetime) -> DestinationIssue | None:
    """Made with the first message about an issue."""
    if delivery.lane is None or delivery.destination_id is None:
        return None
    found = of(session, delivery)
    if found is None:
        found = DestinationIssue(
            destination_id=delivery.destination_id,
            lane=delivery.lane,
            is_open=False,
            is_dropped=False,
            references={},
            changed_at=now,
        )
        session.add(found)
    found.changed_at = now
    return found
