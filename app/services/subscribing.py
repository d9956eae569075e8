"""Who follows an issue, and why; and who asked to be left alone."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.domain.routing import Reason
from app.models import Issue, SettingAudit, Subscription, User

SUBSCRIBED, UNSUBSCRIBED = "subscribed", "unsubscribed"
# These reach a person even after an explicit unsubscribe, and say so; nothing else does.
OVERRIDES = frozenset({Reason.ASSIGNED, Reason.TEAM_ASSIGNED, Reason.MENTION, Reason.TEAM_MENTION})


def follow(
    session: Session, issue: Issue, user_ids: Iterable[int], *, why: Reason, now: datetime
) -> set[int]:
    """Add a reason to these people's subscriptions; those who are subscribed *again* by it are returned.

    Somebody who unsubscribed stays so, unless assigned or mentioned.
    """
    again = set()
    for user_id in sorted(set(user_ids)):
        row = _locked_row(session, issue, user_id, now)
        if row.state == UNSUBSCRIBED:
            if why not in OVERRIDES:
                continue
            again.add(user_id)
            row.reasons = []
            row.state, row.via, row.updated_at = SUBSCRIBED, "system", now
        if why not in row.reasons:
            row.reasons = [*row.reasons, str(why)]
    session.flush()
    return again


def release(
    session: Session, issue: Issue, user_ids: Iterable[int], *, why: Iterable[Reason], now: datetime
) -> None:
    """Take reasons away; a subscription with none left ends."""
    lost = {str(reason) for reason in why}
    rows = session.scalars(
        select(Subscription).where(
            Subscription.issue_id == issue.id,
            Subscription.user_id.in_(list(user_ids)),
            Subscription.state == SUBSCRIBED,
        )
    )
    for row in rows:
        row.reasons = [reason for reason in row.reasons if reason not in lost]
        row.updated_at = now
        if not row.reasons:
            session.delete(row)
    session.flush()


def subscribe(session: Session, issue: Issue, *, user: User, now: datetime, via: str) -> bool:
    """Follow the issue by one's own wish; False if that was so already."""
    row = _locked_row(session, issue, user.id, now)
    if row.state == SUBSCRIBED and Reason.SUBSCRIBED in row.reasons:
        return False
    reasons = row.reasons if row.state == SUBSCRIBED else []
    _audit(session, issue, user, old=row.state if reasons else None, new=SUBSCRIBED, now=now, via=via)
    row.state, row.reasons = SUBSCRIBED, [*reasons, str(Reason.SUBSCRIBED)]
    row.via, row.updated_at = via, now
    session.flush()
    return True


def unsubscribe(session: Session, issue: Issue, *, user: User, now: datetime, via: str) -> bool:
    """Stop alerts and workflow messages about the issue for this person; False if that was so already."""
    row = _locked_row(session, issue, user.id, now)
    if row.state == UNSUBSCRIBED:
        return False
    _audit(session, issue, user, old=row.state if row.reasons else None, new=UNSUBSCRIBED, now=now, via=via)
    row.state, row.reasons = UNSUBSCRIBED, []
    row.via, row.updated_at = via, now
    session.flush()
    return True


def restore(session: Session, issue: Issue, *, user: User, now: datetime, via: str) -> bool:
    """Undo an unsubscribe: back to what the settings say, without a row of one's own."""
    row = of(session, issue, user)
    if row is None or row.state != UNSUBSCRIBED:
        return False
    _audit(session, issue, user, old=UNSUBSCRIBED, new=None, now=now, via=via)
    session.delete(row)
    session.flush()
    return True


def of(session: Session, issue: Issue, user: User) -> Subscription | None:
    """This person's own row for the issue, if there is one."""
    return session.scalar(
        select(Subscription).where(Subscription.issue_id == issue.id, Subscription.user_id == user.id)
    )


def _locked_row(session: Session, issue: Issue, user_id: int, now: datetime) -> Subscription:
    """The row, made if missing. Two at once make one: the unique key decides, and the loser reads it."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    session.execute(
        insert(Subscription)
        .values(
            issue_id=issue.id, user_id=user_id, state=SUBSCRIBED, reasons=[], updated_at=now, via="system"
        )
        .on_conflict_do_nothing(index_elements=["issue_id", "user_id"])
    )
    return session.scalars(
        select(Subscription)
        .where(Subscription.issue_id == issue.id, Subscription.user_id == user_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def _audit(
    session: Session, issue: Issue, user: User, *, old: str | None, new: str | None, now: datetime, via: str
) -> None:
    session.add(
        SettingAudit(
            at=now,
            user_id=user.id,
            actor_id=user.id,
            category="subscription",
            scope="issue",
            scope_id=issue.id,
            old=old,
            new=new,
            via=via,
            detail={"issue": issue.short_id},
        )
    )
