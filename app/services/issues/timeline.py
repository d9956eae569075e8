"""The one door into the timeline, and so into the outbox.

State, timeline and the promise to tell people are rows of one transaction: they commit together, or not.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from app.domain.kinds import KINDS, OUTWARD, notice_of
from app.models import Activity, Destination, Issue, Notice, User


@dataclass(frozen=True, slots=True)
class Batch:
    """One action on several issues: their notices are planned together, and not before `plan_after`."""

    name: str
    plan_after: datetime | None = None


GONE = "deleted"
# In the data of a resolution: whoever resolved the issue has it now, and the same message says so.
CLAIMED = "claimed"


def together(*, plan_after: datetime | None = None) -> Batch:
    """For changes that are told as one."""
    return Batch(f"b_{secrets.token_hex(8)}", plan_after)


def record(
    session: Session,
    issue: Issue,
    type: str,  # noqa: A002 - the field's own name
    *,
    by: User | None,
    now: datetime,
    data: dict[str, Any] | None = None,
    event_id: str | None = None,
    batch: Batch | None = None,
) -> Activity:
    """Write what happened to an issue, and the notice about it if this type makes one.

    `by` is None when Tocsin itself acted; `batch` ties together what one action did. Flushes, so that the
    activity has its id.
    """
    activity = Activity(
        project_id=issue.project_id,
        issue_id=issue.id,
        type=type,
        actor_id=by.id if by else None,
        data=data or {},
        created_at=now,
    )
    session.add(activity)
    session.flush()
    kind = notice_of(type, by_tocsin=by is None, was=activity.data.get("was"))
    if kind and _concerns_anybody(session, kind, issue.project_id):
        row = notice_row(kind, issue, now=now, activity=activity, event_id=event_id)
        session.add(Notice(**row, **_held(batch)))
        session.flush()
    return activity


def record_gone(
    session: Session, issue: Issue, *, by: User, now: datetime, into: Issue | None = None
) -> None:
    """Let integrations know that the issue is not there any more, and `into` which one it was merged.

    Its notices are without an issue, so the data say which one it was.
    """
    if not _concerns_anybody(session, GONE, issue.project_id):
        return
    data = {"issue": issue.id, "into": into.short_id if into else None}
    row = {**notice_row(GONE, issue, now=now, data=data), "issue_id": None, "actor_id": by.id}
    session.add(Notice(**row))
    session.flush()


def _concerns_anybody(session: Session, kind: str, project_id: int) -> bool:
    """What only integrations are told is no notice where there are none."""
    if KINDS[kind].category != OUTWARD:
        return True
    some = select(Destination.id).where(Destination.project_id == project_id).limit(1)
    return session.scalar(some) is not None


def record_all(
    session: Session,
    issues: Sequence[Issue],
    type: str,  # noqa: A002 - the field's own name
    *,
    now: datetime,
    data: dict[str, Any],
    batch: Batch,
) -> list[int]:
    """The same that Tocsin did to many issues, with two statements; the ids of the notices."""
    if not issues:
        return []
    own = {"type": type, "actor_id": None, "data": data, "created_at": now}
    rows = [{**own, "project_id": issue.project_id, "issue_id": issue.id} for issue in issues]
    made = {each.issue_id: each for each in session.scalars(insert(Activity).returning(Activity), rows)}
    kind = notice_of(type, by_tocsin=True, was=data.get("was"))
    if kind is None:
        return []
    notices = [
        {**notice_row(kind, issue, now=now, activity=made[issue.id]), **_held(batch)} for issue in issues
    ]
    return list(session.scalars(insert(Notice).returning(Notice.id), notices))


def _held(batch: Batch | None) -> dict[str, Any]:
    return {"batch": batch.name, "plan_after": batch.plan_after} if batch else {}


def notice_row(
    kind: str,
    issue: Issue,
    *,
    now: datetime,
    activity: Activity | None = None,
    event_id: str | None = None,
    rule_id: int | None = None,
    rule_version: int | None = None,
    data: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The columns of an unplanned notice about an issue, fit for a bulk insert."""
    return {
        **project_notice_row(kind, issue.project_id, now=now, activity=activity),
        "issue_id": issue.id,
        "issue_short_id": issue.short_id,
        "issue_title": issue.title,
        "event_id": event_id,
        "rule_id": rule_id,
        "rule_version": rule_version,
        "data": data or {},
    }


def project_notice_row(
    kind: str, project_id: int | None, *, now: datetime, activity: Activity | None
) -> dict[str, Any]:
    """The same of one about a project, or about nothing."""
    return {
        "public_id": f"n_{secrets.token_hex(8)}",
        "kind": kind,
        "project_id": project_id,
        "activity_id": activity.id if activity else None,
        "actor_id": activity.actor_id if activity else None,
        "data": {},
        "occurred_at": now,
        "planned_at": None,
    }
