"""Who follows an issue, and why; and who asked to be left alone."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.routing import Reason
from app.models import Issue, SettingAudit, Subscription, User
from app.services import auditing
from app.services.upserting import insert_missing

SUBSCRIBED, UNSUBSCRIBED = "subscribed", "unsubscribed"
CATEGORY = "subscription"  # in the log of changes
# These reach a person even after an explicit unsubscribe, and say so; nothing else does.
OVERRIDES = frozenset({Reason.ASSIGNED, Reason.TEAM_ASSIGNED, Reason.MENTION, Reason.TEAM_MENTION})


def follow(
    session: Session,
    issue: Issue,
    user_ids: Iterable[int],
    *,
    why: Reason,
    now: datetime,
    may_override: bool = True,
) -> set[int]:
    """Add a reason to these people's subscriptions; those who are subscribed *again* by it are returned.

    Somebody who unsubscribed stays so, unless a person assigned or mentioned them.
    """
    again = set()
    for row in _locked_rows(session, issue, set(user_ids), now):
        if row.state == UNSUBSCRIBED:
            if why not in OVERRIDES or not may_override:
                continue
            again.add(row.user_id)
            row.reasons = []
            row.state, row.via, row.updated_at = SUBSCRIBED, "system", now
        if why not in row.reasons:
            row.reasons = [*row.reasons, str(why)]
    session.flush()
    return again


def holders(session: Session, issue: Issue, why: Iterable[Reason]) -> set[int]:
    """Who is subscribed for one of these reasons, whatever became of them since."""
    wanted = {str(reason) for reason in why}
    found = select(Subscription.user_id, Subscription.reasons).where(
        Subscription.issue_id == issue.id, Subscription.state == SUBSCRIBED
    )
    return {user_id for user_id, reasons in session.execute(found) if wanted & set(reasons)}


def release(
    session: Session, issue: Issue, user_ids: Iterable[int], *, why: Iterable[Reason], now: datetime
) -> None:
    """Take reasons away; a subscription with none left ends."""
    lost = {str(reason) for reason in why}
    for row in _locked(session, issue, list(user_ids)):
        if row.state != SUBSCRIBED:
            continue
        row.reasons = [reason for reason in row.reasons if reason not in lost]
        row.updated_at = now
        if not row.reasons:
            session.delete(row)
    session.flush()


def release_all(session: Session, rows: Iterable[Subscription], *, why: Reason, now: datetime) -> None:
    """The same for rows of several issues, each of which has something of it."""
    for row in rows:
        row.reasons = [reason for reason in row.reasons if reason != why]
        row.updated_at = now
        if not row.reasons:
            session.delete(row)
    session.flush()


def fresh(issue: Issue, user_id: int, why: Reason, *, now: datetime) -> dict[str, Any]:
    """A subscription to an issue that nobody can have known before."""
    row = {"issue_id": issue.id, "user_id": user_id, "state": SUBSCRIBED, "reasons": [str(why)]}
    return {**row, "updated_at": now, "via": "system"}


def subscribe(session: Session, issue: Issue, *, user: User, now: datetime, via: str) -> bool:
    """Follow the issue by one's own wish; False if that was so already."""
    [row] = _locked_rows(session, issue, [user.id], now)
    if row.state == SUBSCRIBED and Reason.SUBSCRIBED in row.reasons:
        return False
    _audit(session, issue, user, old=_was(row), new=SUBSCRIBED, now=now, via=via)
    row.state, row.reasons = SUBSCRIBED, [*row.reasons, str(Reason.SUBSCRIBED)]
    row.via, row.updated_at = via, now
    session.flush()
    return True


def unsubscribe(session: Session, issue: Issue, *, user: User, now: datetime, via: str) -> bool:
    """Stop alerts and workflow messages about the issue for this person; False if that was so already."""
    [row] = _locked_rows(session, issue, [user.id], now)
    if row.state == UNSUBSCRIBED:
        return False
    _audit(session, issue, user, old=_was(row), new=UNSUBSCRIBED, now=now, via=via, before=_before(row))
    row.state, row.reasons = UNSUBSCRIBED, []
    row.via, row.updated_at = via, now
    session.flush()
    return True


def restore(session: Session, issue: Issue, *, user: User, now: datetime, via: str) -> bool:
    """Undo an unsubscribe: the row as it was before, or none where there was none."""
    found = _locked(session, issue, [user.id])
    if not found or found[0].state != UNSUBSCRIBED:
        return False
    [row] = found
    before = _remembered(session, issue, user)
    _audit(session, issue, user, old=UNSUBSCRIBED, new=SUBSCRIBED if before else None, now=now, via=via)
    if before:
        row.state, row.reasons, row.via = SUBSCRIBED, before["reasons"], before["via"]
        row.updated_at = datetime.fromisoformat(before["at"])
    else:
        session.delete(row)
    session.flush()
    return True


def of(session: Session, issue: Issue, user: User) -> Subscription | None:
    """This person's own row for the issue, if there is one."""
    return session.scalar(
        select(Subscription).where(Subscription.issue_id == issue.id, Subscription.user_id == user.id)
    )


def _locked_rows(
    session: Session, issue: Issue, user_ids: Collection[int], now: datetime
) -> Sequence[Subscription]:
    """The row of each person, made if missing, with two statements however many they are.

    Two at once make one: the unique key decides, and the loser reads it.
    """
    new = {"issue_id": issue.id, "state": SUBSCRIBED, "reasons": [], "updated_at": now, "via": "system"}
    rows = [{**new, "user_id": user_id} for user_id in user_ids]
    insert_missing(session, Subscription, rows, "issue_id", "user_id")
    return _locked(session, issue, user_ids)


def _locked(session: Session, issue: Issue, user_ids: Collection[int]) -> Sequence[Subscription]:
    """Those of the rows that exist, as they are now: always in one order, so that nobody waits for ever."""
    return session.scalars(
        select(Subscription)
        .where(Subscription.issue_id == issue.id, Subscription.user_id.in_(user_ids))
        .order_by(Subscription.user_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def _was(row: Subscription) -> str | None:
    """What the log says was there before: nothing, where the row was made just now."""
    return row.state if row.reasons or row.state == UNSUBSCRIBED else None


def _before(row: Subscription) -> dict[str, Any] | None:
    """A subscription as the log keeps it, so that leaving can be undone."""
    if _was(row) is None:
        return None
    return {"reasons": row.reasons, "via": row.via, "at": row.updated_at.isoformat()}


def _remembered(session: Session, issue: Issue, user: User) -> dict[str, Any] | None:
    """What the last unsubscribe ended."""
    last = (
        select(SettingAudit.detail)
        .where(
            SettingAudit.user_id == user.id,
            SettingAudit.category == CATEGORY,
            SettingAudit.scope_id == issue.id,
            SettingAudit.new == UNSUBSCRIBED,
        )
        .order_by(SettingAudit.id.desc())
        .limit(1)
    )
    return (session.scalar(last) or {}).get("before")


def _audit(
    session: Session,
    issue: Issue,
    user: User,
    *,
    old: str | None,
    new: str | None,
    now: datetime,
    via: str,
    before: dict[str, Any] | None = None,
) -> None:
    detail = {"issue": issue.short_id, **({"before": before} if before else {})}
    place = ("issue", issue.id)
    auditing.note(
        session,
        user.id,
        CATEGORY,
        by_id=user.id,
        place=place,
        at=now,
        via=via,
        old=old,
        new=new,
        detail=detail,
    )
