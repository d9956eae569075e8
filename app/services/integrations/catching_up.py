"""What a service that pages missed while it was off: what is open there, and settled here, is closed."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from app.channels import is_paging
from app.domain.delivery_states import QUEUED, UNFINISHED
from app.domain.kinds import CLOSING, KINDS
from app.domain.lifecycle import UNRESOLVED
from app.models import Destination, DestinationIssue, Issue, Notice, Verdict
from app.services.integrations import destinations

GONE = "deleted"
CLOSING_KINDS = tuple(name for name, kind in KINDS.items() if kind.integration in CLOSING)


def close_settled(session: Session, destination: Destination, *, now: datetime) -> None:
    """Send the latest of what should have closed each incident."""
    if not is_paging(destination.channel):
        return
    is_here = DestinationIssue.destination_id == destination.id
    open_there = set(session.scalars(select(DestinationIssue.lane).where(is_here, DestinationIssue.is_open)))
    troubled = select(Issue.id).where(Issue.id.in_(open_there), Issue.status == UNRESOLVED)
    settled = open_there - set(session.scalars(troubled)) if open_there else set()
    for verdict in _closings(session, destination, settled) if settled else ():
        _send(session, verdict, now)
    session.flush()


def _closings(session: Session, destination: Destination, lanes: Collection[int]) -> Collection[Verdict]:
    found = (
        select(Verdict)
        .join(Verdict.notice)
        .where(
            Verdict.subject == destinations.SUBJECT,
            Verdict.subject_id == destination.id,
            Notice.kind.in_(CLOSING_KINDS),
            or_(Notice.issue_id.in_(lanes), Notice.kind == GONE),
        )
        .order_by(Verdict.id)
        .options(contains_eager(Verdict.notice), joinedload(Verdict.delivery))
    )
    latest = {destinations.lane_of(verdict.notice): verdict for verdict in session.scalars(found)}
    return [verdict for lane, verdict in latest.items() if lane in lanes]


def _send(session: Session, verdict: Verdict, now: datetime) -> None:
    """It was decided on and called off, or not even decided on."""
    delivery = verdict.delivery
    if delivery is None:
        destinations.let_go(session, verdict, now=now)
    elif delivery.state not in UNFINISHED:
        verdict.code = "send"
        delivery.state, delivery.send_at, delivery.put_off_until = QUEUED, now, now
        delivery.attempt_count, delivery.finished_at, delivery.data = 0, None, {}
