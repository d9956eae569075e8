"""Whether the latest notice of an issue was told to anybody, kept with the issue: `Issue.told`.

Lists that ask for what reached nobody look no further at an issue that says so. What it says stands from when
a message was accepted until the next notice is planned. It may come late, for it is noted in a transaction of
its own: whoever changes issues and notices locks the issues first, and a delivery is held long before that.
"""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, select, union_all, update
from sqlalchemy.orm import Session

from app.domain.delivery_states import ACCEPTED
from app.domain.routing import Outcome
from app.models import Delivery, Issue, Notice, Verdict
from app.services.issues import undoing
from app.services.notices import verdicts


def _is_told() -> ColumnElement[bool]:
    """As `UNREACHED` asks it of notices, of the latest one that was planned."""
    accepted = verdicts.with_deliveries(select(Verdict.id)).where(
        Verdict.notice_id == undoing.latest_notice(Notice.planned_at.is_not(None)),
        Verdict.outcome.in_((Outcome.SEND, Outcome.DEFER)),
        verdicts.STATE == ACCEPTED,
    )
    return accepted.correlate(Issue).exists()


TOLD = _is_told()


def lock(session: Session, issue_ids: Collection[int] | Select[Any]) -> Sequence[int]:
    """In the order of everybody; those that are there."""
    found = select(Issue.id).where(Issue.id.in_(issue_ids)).order_by(Issue.id)
    return session.scalars(found.with_for_update()).all()


def begin_anew(session: Session, issue_ids: Collection[int]) -> None:
    """A notice of these issues, which are locked, is planned: nobody was told of it yet."""
    _say(session, Issue.id.in_(issue_ids) & Issue.told, False)


def untold(session: Session, delivery_ids: Collection[int]) -> Sequence[int]:
    """The issues that were told of by these deliveries, and do not say so."""
    told = select(Notice.issue_id).join(Verdict, Verdict.notice_id == Notice.id)
    ways = (Delivery.verdict_id == Verdict.id, verdicts.is_carried_by(Delivery))
    issues = union_all(*(told.join(Delivery, way).where(Delivery.id.in_(delivery_ids)) for way in ways))
    return session.scalars(select(Issue.id).where(Issue.id.in_(issues), ~Issue.told, TOLD)).all()


def note(session: Session, issue_ids: Collection[int]) -> None:
    """Somebody was told of these issues, unless another notice came meanwhile."""
    _say(session, Issue.id.in_(lock(session, issue_ids)) & TOLD, True)


def look_again(session: Session, issue_ids: Collection[int]) -> None:
    """Notices of these issues, which are locked, came or went."""
    _say(session, Issue.id.in_(issue_ids), TOLD)


def _say(session: Session, which: ColumnElement[bool], told: bool | ColumnElement[bool]) -> None:
    change = update(Issue).where(which).values(told=told)
    session.execute(change.execution_options(synchronize_session=False))
