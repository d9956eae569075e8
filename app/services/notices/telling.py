"""Whether the latest notice of an issue was told to anybody, kept with the issue: `Issue.told`.

Lists that ask for what reached nobody look no further at an issue that says so. What it says stands from when
a message was accepted until the next notice is planned. It may come late, for it is noted in a transaction of
its own: whoever changes issues and notices locks the issues first, and a delivery is held long before that.
"""

from collections.abc import Collection

from sqlalchemy import ColumnElement, func, select, union_all, update
from sqlalchemy.orm import Session

from app.domain.delivery_states import ACCEPTED
from app.domain.routing import Outcome
from app.models import Delivery, Issue, Notice, Verdict
from app.services.issues.undoing import UNDONE
from app.services.notices import verdicts

IS_CARRIED = (Delivery.digest_id == Verdict.digest_id) & (Verdict.outcome == Outcome.DEFER)


def _is_told() -> ColumnElement[bool]:
    """As `UNREACHED` asks it of notices, of the latest one that was planned."""
    planned = (Notice.issue_id == Issue.id) & Notice.planned_at.is_not(None)
    stands = Notice.gate_code.is_distinct_from(UNDONE)
    latest = select(func.max(Notice.id)).where(planned, stands).correlate(Issue).scalar_subquery()
    accepted = verdicts.with_deliveries(select(Verdict.id)).where(
        Verdict.notice_id == latest,
        Verdict.outcome.in_((Outcome.SEND, Outcome.DEFER)),
        verdicts.STATE == ACCEPTED,
    )
    return accepted.correlate(Issue).exists()


TOLD = _is_told()


def lock(session: Session, issue_ids: Collection[int]) -> None:
    """In the order of everybody."""
    session.execute(select(Issue.id).where(Issue.id.in_(issue_ids)).order_by(Issue.id).with_for_update())


def begin_anew(session: Session, issue_ids: Collection[int]) -> None:
    """A notice of these issues, which are locked, is planned: nobody was told of it yet."""
    _say(session, Issue.id.in_(issue_ids) & Issue.told, False)


def note(session: Session, delivery_ids: Collection[int]) -> None:
    """Some of these deliveries were accepted."""
    told = select(Notice.issue_id).join(Verdict, Verdict.notice_id == Notice.id)
    ways = (Delivery.verdict_id == Verdict.id, IS_CARRIED)
    issues = union_all(*(told.join(Delivery, way).where(Delivery.id.in_(delivery_ids)) for way in ways))
    untold = select(Issue.id).where(Issue.id.in_(issues), ~Issue.told)
    found = session.scalars(untold).all()
    if found:
        lock(session, found)
        _say(session, Issue.id.in_(found) & TOLD, True)


def look_again(session: Session, issue_ids: Collection[int]) -> None:
    """Notices of these issues, which are locked, came or went."""
    _say(session, Issue.id.in_(issue_ids), TOLD)


def _say(session: Session, which: ColumnElement[bool], told: bool | ColumnElement[bool]) -> None:
    change = update(Issue).where(which).values(told=told)
    session.execute(change.execution_options(synchronize_session=False))
