"""The issues that a person follows, left or muted: what was chosen issue by issue."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session, contains_eager

from app.domain import lifecycle, wording
from app.models import Issue, IssueMute, Subscription, User
from app.services import access
from app.services.preferences import subscribing

FOLLOWED, UNSUBSCRIBED, MUTED = "followed", "unsubscribed", "muted"
PAGE = 25


@dataclass(frozen=True, slots=True)
class Followed:
    """An issue, and how it came to stand here."""

    issue: Issue
    because: str
    since: datetime
    until: datetime | None = None


def counts(session: Session, user: User, *, now: datetime) -> dict[str, int]:
    """How many there are of each; one query."""
    each = {
        FOLLOWED: _subscriptions(user, FOLLOWED).with_only_columns(func.count()),
        UNSUBSCRIBED: _subscriptions(user, UNSUBSCRIBED).with_only_columns(func.count()),
        MUTED: _mutes(user, now).with_only_columns(func.count()),
    }
    counted = session.execute(select(*(one.scalar_subquery() for one in each.values()))).one()
    return dict(zip(each, counted, strict=True))


def listed(session: Session, user: User, what: str, *, page: int, now: datetime) -> Sequence[Followed]:
    """A page of them, the latest first."""
    offset = (page - 1) * PAGE
    if what == MUTED:
        newest = _mutes(user, now).order_by(IssueMute.created_at.desc(), Issue.id.desc())
        mutes = newest.limit(PAGE).offset(offset).options(contains_eager(Issue.project))
        return [Followed(issue, "", mute.created_at, mute.until) for issue, mute in session.execute(mutes)]
    latest = _subscriptions(user, what).order_by(Subscription.updated_at.desc(), Issue.id.desc())
    found = latest.limit(PAGE).offset(offset).options(contains_eager(Issue.project))
    return [
        Followed(issue, wording.reason_sentence(row.reasons, {}), row.updated_at)
        for issue, row in session.execute(found)
    ]


def _subscriptions(user: User, what: str) -> Select[Issue, Subscription]:
    state = subscribing.SUBSCRIBED if what == FOLLOWED else subscribing.UNSUBSCRIBED
    mine = and_(Subscription.issue_id == Issue.id, Subscription.user_id == user.id)
    return (
        select(Issue, Subscription)
        .join(Subscription, mine)
        .join(Issue.project)
        .where(Subscription.state == state, _reachable(user))
    )


def _mutes(user: User, now: datetime) -> Select[Issue, IssueMute]:
    mine = and_(IssueMute.issue_id == Issue.id, IssueMute.user_id == user.id)
    holds = or_(IssueMute.until.is_(None), IssueMute.until > now)
    return select(Issue, IssueMute).join(IssueMute, mine).join(Issue.project).where(holds, _reachable(user))


def _reachable(user: User) -> ColumnElement[bool]:
    """What one may not see, or is being deleted, is on no list."""
    return and_(access.sees_project(user), Issue.status.not_in(lifecycle.HIDDEN))
