"""Moving an issue from state to state: one conditional update, so that of two who race one wins."""

from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from app.domain.lifecycle import MOVES, RESOLVED, UNRESOLVED
from app.domain.routing import Reason
from app.models import Activity, Issue, User
from app.services import subscribing, timeline


def move(
    session: Session,
    issue: Issue,
    name: str,
    *,
    by: User | None,
    now: datetime,
    data: dict[str, Any] | None = None,
) -> Activity | None:
    """Make the move; None, and nothing written, when the issue is no longer in a state that it leaves."""
    way = MOVES[name]
    was = issue.status
    values = {"status": way.to, "resolved_at": now if way.to == RESOLVED else None, "regressed_at": None}
    if way.to == UNRESOLVED:
        values["active_at"] = now
    moved = session.scalar(
        update(Issue)
        .where(Issue.id == issue.id, Issue.status.in_(way.leaves))
        .values(values)
        .returning(Issue.id)
        .execution_options(synchronize_session=False)
    )
    if moved is None:
        return None
    session.refresh(issue)
    if by:
        subscribing.follow(session, issue, [by.id], why=Reason.PARTICIPATED, now=now)
    return timeline.record(session, issue, way.activity, by=by, now=now, data={"was": was, **(data or {})})
