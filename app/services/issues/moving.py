"""Moving an issue from state to state: one conditional update, so that of two who race one wins."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from app.domain.lifecycle import MOVES, RESOLVED, UNRESOLVED, Move
from app.domain.routing import Reason
from app.models import Activity, IgnoreCondition, Issue, Resolution, User
from app.services.issues import snapshots, timeline
from app.services.issues.timeline import Batch
from app.services.preferences import subscribing


def move(
    session: Session,
    issue: Issue,
    name: str,
    *,
    by: User | None,
    now: datetime,
    data: dict[str, Any] | None = None,
    activity: str | None = None,
    event_id: str | None = None,
    columns: Mapping[str, Any] = MappingProxyType({}),
    batch: Batch | None = None,
    follows: bool = True,
    why: Reason = Reason.PARTICIPATED,
) -> Activity | None:
    """Make the move; None, and nothing written, when the issue is no longer in a state that it leaves.

    `activity` is what the timeline calls it, where that is more special than the move's own word; `event_id`
    the event that did it; `columns` what else of the issue it changes. Who makes it `follows` the issue,
    and `why`.
    """
    way = MOVES[name]
    was = issue.status
    kept = {"before": snapshots.take(session, issue.id)} if batch and batch.plan_after else {}
    moved = session.scalar(
        update(Issue)
        .where(Issue.id == issue.id, Issue.status.in_(way.leaves))
        .values({**columns_of(way, now), **columns})
        .returning(Issue.id)
        .execution_options(synchronize_session=False)
    )
    if moved is None:
        return None
    session.refresh(issue)
    if by and follows:
        subscribing.follow(session, issue, [by.id], why=why, now=now)
    forget_details(session, issue)
    said = {"was": was, **(data or {}), **kept}
    return timeline.record(
        session,
        issue,
        activity or way.activity,
        by=by,
        now=now,
        data=said,
        event_id=event_id,
        batch=batch,
    )


def columns_of(way: Move, now: datetime) -> dict[str, Any]:
    """What the issue's row says after the move."""
    values: dict[str, Any] = {
        "status": way.to,
        "resolved_at": now if way.to == RESOLVED else None,
        "regressed_at": None,
        "escalated_at": None,
        "reappears": False,
    }
    if way.to == RESOLVED:
        values["last_resolved_at"] = now
    return {**values, "active_at": now} if way.to == UNRESOLVED else values


def forget_details(session: Session, issue: Issue) -> None:
    """What belonged to the state that was left: how it was resolved, until when it was ignored."""
    session.execute(delete(Resolution).where(Resolution.issue_id == issue.id))
    session.execute(delete(IgnoreCondition).where(IgnoreCondition.issue_id == issue.id))
