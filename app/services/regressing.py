"""A resolved issue that happens again is unresolved again (`notifications.md` 2.4)."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from app.domain.lifecycle import MOVES, RESOLVED
from app.models import Issue
from app.services import timeline
from app.services.digest_issues import Seen


def regress(session: Session, seen: Sequence[Seen], *, now: datetime) -> list[int]:
    """Unresolve what the events of a batch show to be back; the ids of the activities written."""
    activity_ids = []
    for each in seen:
        if each.issue.status == RESOLVED and _won(session, each, now):
            each.is_regression = True
            session.refresh(each.issue)
            data = {"version": each.event.release, "event_id": each.event.event_id}
            activity = timeline.record(
                session,
                each.issue,
                MOVES["regress"].activity,
                by=None,
                now=now,
                data=data,
                event_id=each.event.event_id,
            )
            activity_ids.append(activity.id)
    return activity_ids


def _won(session: Session, seen: Seen, now: datetime) -> bool:
    """One conditional update is the referee between two events, and between an event and a person.

    What was on its way here before somebody clicked Resolve proves nothing.
    """
    way = MOVES["regress"]
    won = session.scalar(
        update(Issue)
        .where(
            Issue.id == seen.issue.id,
            Issue.status.in_(way.leaves),
            Issue.resolved_at < seen.event.received_at,
        )
        .values(
            status=way.to,
            resolved_at=None,
            regressed_at=now,
            active_at=max(seen.event.timestamp, seen.issue.last_seen),
        )
        .returning(Issue.id)
        .execution_options(synchronize_session=False)
    )
    return won is not None
