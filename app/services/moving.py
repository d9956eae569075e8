"""Moving an issue from state to state: one conditional update, so that of two who race one wins."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from app.domain.lifecycle import MOVES, RESOLVED, UNRESOLVED
from app.domain.routing import Reason
from app.models import Activity, IgnoreCondition, Issue, Resolution, User
from app.services import subscribing, timeline
from app.services.timeline import Batch


def move(
    session: Session,
    issue: Issue,
    name: str,
    *,
    by: User | None,
    now: datetime,
    data: dict[str, Any] | None = None,
    activity: str | None = None,
    batch: Batch | None = None,
) -> Activity | None:
    """Make the move; None, and nothing written, when the issue is no longer in a state that it leaves.

    `activity` is what the timeline calls it, where that is more special than the move's own word.
    """
    way = MOVES[name]
    was = issue.status
    values: dict[str, Any] = {
        "status": way.to,
        "resolved_at": now if way.to == RESOLVED else None,
        "regressed_at": None,
        "escalated_at": None,
        "reappears": False,
    }
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
    forget_details(session, issue)
    said = {"was": was, **(data or {})}
    return timeline.record(session, issue, activity or way.activity, by=by, now=now, data=said, batch=batch)


def forget_details(session: Session, issue: Issue) -> None:
    """What belonged to the state that was left: how it was resolved, until when it was ignored."""
    session.execute(delete(Resolution).where(Resolution.issue_id == issue.id))
    session.execute(delete(IgnoreCondition).where(IgnoreCondition.issue_id == issue.id))
