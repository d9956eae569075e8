"""Who has seen an issue. One that becomes unresolved again is to be seen anew."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session, joinedload

from app.models import Issue, IssueSight, Membership, User
from app.services.upserting import insert_into

# How seldom a sight is noted anew, of what goes on happening and of what is quiet: not each reader writes.
NOTED_EVERY, NOTED_IF_QUIET = timedelta(minutes=5), timedelta(days=1)
# A condition on `IssueSight` joined with its `Issue`, as `is_seen` says of one.
IS_SEEN: ColumnElement[bool] = IssueSight.seen_at >= Issue.active_at


def is_seen(issue: Issue, seen_at: datetime | None) -> bool:
    """Whether somebody who last looked then has seen it."""
    return seen_at is not None and seen_at >= issue.active_at


def is_to_be_noted(issue: Issue, seen_at: datetime | None, *, now: datetime) -> bool:
    """Whether a sight now says anything that is not written yet."""
    if seen_at is None or not is_seen(issue, seen_at):
        return True
    return now - seen_at >= (NOTED_EVERY if seen_at < issue.last_seen else NOTED_IF_QUIET)


def moment_of(issue: Issue, *, now: datetime) -> datetime:
    """What a sight now counts as: clocks of events may be ahead of ours, and it is seen all the same."""
    return max(now, issue.active_at)


def note(session: Session, issue_id: int, user_id: int, *, seen_at: datetime) -> None:
    row = {"issue_id": issue_id, "user_id": user_id, "seen_at": seen_at}
    statement = insert_into(session, IssueSight).values(row)
    statement = statement.on_conflict_do_update(
        index_elements=["issue_id", "user_id"], set_={"seen_at": statement.excluded.seen_at}
    )
    session.connection().execute(statement)


def forget(session: Session, issue: Issue, *, user: User) -> None:
    """The person has not seen it."""
    mine = (IssueSight.issue_id == issue.id) & (IssueSight.user_id == user.id)
    session.execute(delete(IssueSight).where(mine).execution_options(synchronize_session=False))


def by(session: Session, issue: Issue, *, limit: int) -> Sequence[IssueSight]:
    """Who looked at it, the last one first, with their addresses; one query."""
    found = select(IssueSight).where(by_members(issue))
    found = found.options(joinedload(IssueSight.user).joinedload(User.addresses))
    newest_first = found.order_by(IssueSight.seen_at.desc(), IssueSight.user_id)
    return session.scalars(newest_first.limit(limit)).unique().all()


def by_members(issue: Issue) -> ColumnElement[bool]:
    """A condition on `IssueSight`: those of the issue, of who belongs to its organization now."""
    members = select(Membership.user_id).where(Membership.organization_id == issue.project.organization_id)
    return (IssueSight.issue_id == issue.id) & IssueSight.user_id.in_(members)
