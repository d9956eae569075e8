"""Changes of alert rules as news: a notice in the transaction of the change, held back for some minutes.

What one person saves one after the other is one change: from what the rule was first to what it is at last.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain import rule_content
from app.domain.kinds import RULE_CHANGED
from app.domain.rule_lines import ACTIVE
from app.domain.rule_news import State
from app.models import AlertRule, Notice, User
from app.services.issues import timeline

# How long to wait for another save, and how long at most since the first.
SETTLES, LONGEST = timedelta(minutes=3), timedelta(minutes=15)


def state(rule: AlertRule) -> dict[str, Any]:
    """The rule as it is now, as versions keep it."""
    return {**rule_content.of(rule).as_data(), ACTIVE: rule.is_active}


def tell(
    session: Session,
    rule: AlertRule,
    was: State,
    *,
    by: User,
    now: datetime,
    is_restored: bool = False,
    is_gone: bool = False,
) -> None:
    """`was` is what it was before this change; with `is_gone` it is about to be deleted."""
    notice = _waiting(session, rule, by, now)
    if notice is None:
        row = timeline.project_notice_row(RULE_CHANGED, rule.project_id, now=now, activity=None)
        notice = Notice(**row | {"actor_id": by.id, "data": {"was": dict(was)}})
        session.add(notice)
    notice.data = {
        "change": rule.id,
        "author": rule.created_by_id,
        "was": notice.data["was"],
        "now": None if is_gone else state(rule),
        "restored": is_restored,
    }
    notice.plan_after = min(now + SETTLES, notice.occurred_at + LONGEST)
    session.flush()


def is_undone(data: Mapping[str, Any]) -> bool:
    """Whether the rule is again as it was."""
    return bool(data["was"] == data["now"])


def _waiting(session: Session, rule: AlertRule, by: User, now: datetime) -> Notice | None:
    """The notice of a change that this person made just now; nobody plans it until the transaction ends."""
    found = (
        select(Notice)
        .where(
            Notice.kind == RULE_CHANGED,
            Notice.project_id == rule.project_id,
            Notice.actor_id == by.id,
            Notice.planned_at.is_(None),
            Notice.plan_after > now,
        )
        .order_by(Notice.id.desc())
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return next((each for each in session.scalars(found) if each.data["change"] == rule.id), None)
