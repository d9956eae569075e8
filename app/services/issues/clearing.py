"""Taking away what is left of issues that were deleted or merged, a chunk a transaction.

Such issues are gone for everybody already. Whoever does this may be killed at any line: the row goes last,
and as long as it is there somebody goes on.
"""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from app.domain.lifecycle import PENDING_MERGE
from app.models import (
    Activity,
    Attachment,
    Base,
    Bookmark,
    Event,
    Feedback,
    Issue,
    IssueCommit,
    IssueCount,
    IssueEnvironmentUser,
    IssueHour,
    IssueMute,
    IssueRedirect,
    IssueSight,
    IssueTag,
    IssueText,
    IssueTrait,
    IssueUser,
    RuleFiring,
    Subscription,
)
from app.services import pruning
from app.services.access import IS_THERE

# All that belongs to an issue but its events, and grows with it.
PARTS: Sequence[tuple[type[Base], InstrumentedAttribute[Any]]] = (
    (IssueTag, IssueTag.issue_id),
    (IssueText, IssueText.issue_id),
    (IssueTrait, IssueTrait.issue_id),
    (IssueUser, IssueUser.issue_id),
    (IssueEnvironmentUser, IssueEnvironmentUser.issue_id),
    (IssueHour, IssueHour.issue_id),
    (IssueCount, IssueCount.issue_id),
    (Activity, Activity.issue_id),
    (Feedback, Feedback.issue_id),
    (Subscription, Subscription.issue_id),
    (Bookmark, Bookmark.issue_id),
    (IssueMute, IssueMute.issue_id),
    (IssueSight, IssueSight.issue_id),
    (IssueCommit, IssueCommit.issue_id),
    (RuleFiring, RuleFiring.issue_id),
)


def waiting(session: Session, *, limit: int) -> list[int]:
    """The issues of which something is left."""
    return list(session.scalars(select(Issue.id).where(~IS_THERE).order_by(Issue.id).limit(limit)))


def clear(session: Session, issue_id: int) -> bool:
    """Take a chunk of the issue away; whether there is more to do. Of two who do this at once one does it."""
    leaving = select(Issue.status, Issue.project_id).where(Issue.id == issue_id, ~IS_THERE)
    row = session.execute(leaving.with_for_update(skip_locked=True)).first()
    if row is None:
        return False
    into = session.get(IssueRedirect, issue_id) if row.status == PENDING_MERGE else None
    if into is not None:
        done = move_events(session, [issue_id], into.to_id)
    else:
        done = _forget_events(session, row.project_id, issue_id)
    for model, of_issue in PARTS:
        done += pruning.forget(session, model, of_issue == issue_id)
    if not done:
        _forget_issue(session, issue_id)
    return done > 0


def move_events(session: Session, from_ids: Collection[int], to_id: int) -> int:
    """Give a chunk of the events of some issues to another one; how many there were.

    What was written about them goes with the first chunk.
    """
    session.execute(
        update(Feedback)
        .where(Feedback.issue_id.in_(from_ids))
        .values(issue_id=to_id)
        .execution_options(synchronize_session=False)
    )
    chunk = select(Event.id).where(Event.issue_id.in_(from_ids)).limit(pruning.CHUNK)
    moved = session.scalars(
        update(Event)
        .where(Event.id.in_(chunk))
        .values(issue_id=to_id)
        .returning(Event.id)
        .execution_options(synchronize_session=False)
    )
    return len(moved.all())


def _forget_events(session: Session, project_id: int, issue_id: int) -> int:
    """Events with what was sent along with them."""
    chunk = select(Event.event_id).where(Event.issue_id == issue_id).limit(pruning.CHUNK)
    event_ids = session.scalars(chunk).all()
    for model in (Attachment, Feedback, Event):
        named = (model.project_id == project_id) & model.event_id.in_(event_ids)
        session.execute(delete(model).where(named).execution_options(synchronize_session=False))
    return len(event_ids)


def _forget_issue(session: Session, issue_id: int) -> None:
    """The row itself, once there is a newer one: SQLite gives the highest id anew when its row is gone, and
    links in mails would lead to a stranger."""
    newer = aliased(Issue)
    session.execute(
        delete(Issue)
        .where(Issue.id == issue_id, exists().where(newer.id > Issue.id))
        .execution_options(synchronize_session=False)
    )
