"""Issues that a person keeps within reach. Bookmarking one subscribes to it; ending that leaves it so."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.domain.routing import Reason
from app.models import Bookmark, Issue, User
from app.services import access
from app.services.preferences import subscribing
from app.services.upserting import insert_missing


def add(session: Session, issue: Issue, *, user: User, now: datetime) -> bool:
    """False if it was bookmarked already. Who unsubscribed from the issue stays so."""
    access.hold(session, issue)
    if issue.id in among(session, [issue.id], user=user):
        return False
    row = {"issue_id": issue.id, "user_id": user.id, "created_at": now}
    insert_missing(session, Bookmark, [row], "issue_id", "user_id")
    subscribing.follow(session, issue, [user.id], why=Reason.BOOKMARKED, now=now)
    return True


def remove(session: Session, issue: Issue, *, user: User) -> bool:
    """False if it was not bookmarked."""
    mine = (Bookmark.issue_id == issue.id) & (Bookmark.user_id == user.id)
    return session.scalar(delete(Bookmark).where(mine).returning(Bookmark.issue_id)) is not None


def among(session: Session, issue_ids: Collection[int], *, user: User) -> set[int]:
    """Those of the issues that this person bookmarked."""
    found = select(Bookmark.issue_id).where(Bookmark.user_id == user.id, Bookmark.issue_id.in_(issue_ids))
    return set(session.scalars(found))
