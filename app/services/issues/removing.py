"""Deleting issues, and discarding them: a discarded one does not come back, whatever is sent."""

import logging
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import delete as deleting
from sqlalchemy import select, update
from sqlalchemy.orm import Session, joinedload

from app.domain.errors import NotFound, Refused
from app.domain.lifecycle import PENDING_DELETION, PENDING_MERGE
from app.models import (
    IgnoreCondition,
    Issue,
    IssueHash,
    IssueRedirect,
    Notice,
    Project,
    Resolution,
    Tombstone,
    User,
)
from app.services import access
from app.services.access import IS_THERE
from app.services.issues import timeline

log = logging.getLogger(__name__)


def delete(session: Session, issues: Collection[Issue], *, by: User, now: datetime) -> list[int]:
    """Delete issues for everybody at once; their data goes in the background (`clearing`).

    Their fingerprints are free: the same error makes a new issue. Returns the ids of those that were there.
    """
    ids = _take(session, issues)
    session.execute(deleting(IssueHash).where(IssueHash.issue_id.in_(ids)))
    _note(session, issues, ids, "deleted", by, now)
    return ids


def discard(session: Session, issues: Collection[Issue], *, by: User, now: datetime) -> list[int]:
    """Delete issues, and drop every later event like theirs. Returns the ids of those that were there.

    Raises `Refused` unless the person is an admin of each project.
    """
    if not may_discard(session, by, issues):
        raise Refused("Only admins of a project can discard its issues.")
    ids = _take(session, issues)
    for issue in issues:
        if issue.id in ids:
            _bury(session, issue, by, now)
    _note(session, issues, ids, "discarded", by, now)
    return ids


def may_discard(session: Session, person: User, issues: Collection[Issue]) -> bool:
    projects = {issue.project_id: issue.project for issue in issues}
    return all(access.can(session, person, project, "discard") for project in projects.values())


def tombstones(session: Session, project: Project) -> Sequence[Tombstone]:
    """What is discarded in a project, the newest first."""
    found = select(Tombstone).where(Tombstone.project_id == project.id).options(joinedload(Tombstone.actor))
    return session.scalars(found.order_by(Tombstone.id.desc())).all()


def restore_tombstone(session: Session, project: Project, tombstone_id: int, *, by: User) -> str:
    """Take events like those of a discarded issue again, as a new issue; the short id that it had."""
    row = session.get(Tombstone, tombstone_id)
    if row is None or row.project_id != project.id:
        raise NotFound
    session.execute(deleting(IssueHash).where(IssueHash.tombstone_id == row.id))
    session.delete(row)
    session.flush()
    log.info("issue no longer discarded", extra={"issue": row.short_id, "by": by.id})
    return row.short_id


def _take(session: Session, issues: Collection[Issue]) -> list[int]:
    """Hide issues, and cut the ties by which they could still be met; the ids of those that were there."""
    ids = hide(session, issues, PENDING_DELETION)
    merging_into_them = select(IssueRedirect.from_id).where(IssueRedirect.to_id.in_(ids))
    session.execute(
        update(Issue)
        .where(Issue.id.in_(merging_into_them), Issue.status == PENDING_MERGE)
        .values(status=PENDING_DELETION)
        .execution_options(synchronize_session=False)
    )
    session.execute(deleting(IssueRedirect).where(IssueRedirect.to_id.in_(ids)))
    # A notice outlives its issue: without one, no message of it goes out any more.
    session.execute(
        update(Notice)
        .where(Notice.issue_id.in_(ids))
        .values(issue_id=None)
        .execution_options(synchronize_session=False)
    )
    return ids


def hide(session: Session, issues: Collection[Issue], status: str) -> list[int]:
    """Let issues be gone for everybody: of two who do it at once one wins each.

    They are locked in one order, in which digesters lock them too, so that nobody waits for ever.
    """
    ids = [issue.id for issue in issues]
    held = select(Issue.id).where(Issue.id.in_(ids), IS_THERE).order_by(Issue.id).with_for_update()
    there = set(session.scalars(held))
    for issue in issues:
        if issue.id in there:
            issue.status = status
    session.flush()
    for model in (Resolution, IgnoreCondition):
        session.execute(deleting(model).where(model.issue_id.in_(there)))
    return sorted(there)


def _bury(session: Session, issue: Issue, by: User, now: datetime) -> None:
    stone = Tombstone(
        project_id=issue.project_id,
        short_id=issue.short_id,
        title=issue.title,
        culprit=issue.culprit,
        message=issue.message,
        level=issue.level,
        actor_id=by.id,
        created_at=now,
    )
    session.add(stone)
    session.flush()
    session.execute(
        update(IssueHash)
        .where(IssueHash.issue_id == issue.id)
        .values(issue_id=None, tombstone_id=stone.id)
        .execution_options(synchronize_session=False)
    )


def _note(
    session: Session, issues: Collection[Issue], ids: Collection[int], what: str, by: User, now: datetime
) -> None:
    for issue in issues:
        if issue.id in ids:
            timeline.record_gone(session, issue, by=by, now=now)
            log.info(
                f"issue {what}", extra={"issue": issue.short_id, "by": by.id, "events": issue.times_seen}
            )
