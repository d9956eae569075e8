"""Silence of a rule for a while: for one person, or for everyone, when it is not even evaluated."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, or_, select, text
from sqlalchemy.orm import Session, joinedload

from app.domain import ignoring
from app.domain.errors import Refused
from app.models import AlertRule, RuleMute, SettingAudit, User
from app.services.rules import ruling
from app.services.upserting import insert_into

CATEGORY = "rule_mute"  # in the log of changes
FOR_ME, FOR_EVERYONE = "me", "everyone"
REQUIRED = "This rule is required: nobody can mute it for themselves."


@dataclass(frozen=True, slots=True)
class Silence:
    """The mutes of one rule that hold now, as far as they concern one person."""

    mine: RuleMute | None = None
    everyone: RuleMute | None = None


def mute(
    session: Session,
    rule: AlertRule,
    *,
    user: User | None,
    until: datetime | None,
    by: User,
    via: str,
    now: datetime,
) -> None:
    """Mute it for this person, else for everyone; without `until`, until somebody ends it."""
    if until is not None and until <= now:
        raise Refused("Choose a time that is still to come.", field="until")
    if user is not None and rule.required_reason:
        raise Refused(REQUIRED, field="for")
    row = {"rule_id": rule.id, "user_id": user.id if user else None}
    ends = {"until": until, "by_id": by.id, "created_at": now}
    statement = insert_into(session, RuleMute).values({**row, **ends})
    session.execute(statement.on_conflict_do_update(**_key(user), set_=ends))
    _audit(session, rule, f"muted {until_words(until, by)}", user=user, by=by, via=via, now=now)


def _key(user: User | None) -> dict[str, Any]:
    """Null is no value: what is muted for everyone has an index of its own."""
    if user:
        return {"index_elements": ("rule_id", "user_id")}
    return {"index_elements": ("rule_id",), "index_where": text("user_id IS NULL")}


def unmute(
    session: Session, rule: AlertRule, *, user: User | None, by: User, via: str, now: datetime
) -> bool:
    """False if it was not muted."""
    was = session.scalar(
        delete(RuleMute).where(RuleMute.rule_id == rule.id, _of(user)).returning(RuleMute.id)
    )
    if was is not None:
        _audit(session, rule, "no longer muted", user=user, by=by, via=via, now=now)
    return was is not None


def _of(user: User | None) -> Any:
    return RuleMute.user_id == user.id if user else RuleMute.user_id.is_(None)


def silences(
    session: Session, rule_ids: Collection[int], *, user: User, now: datetime
) -> Mapping[int, Silence]:
    """What holds now, by rule; other people's own mutes are theirs to know."""
    concerns = or_(RuleMute.user_id == user.id, RuleMute.user_id.is_(None))
    holds = or_(RuleMute.until.is_(None), RuleMute.until > now)
    found = session.scalars(
        select(RuleMute)
        .where(RuleMute.rule_id.in_(rule_ids), concerns, holds)
        .options(joinedload(RuleMute.by))
    ).all()
    mine = {each.rule_id: each for each in found if each.user_id}
    everyone = {each.rule_id: each for each in found if each.user_id is None}
    return {rule_id: Silence(mine.get(rule_id), everyone.get(rule_id)) for rule_id in rule_ids}


def until_words(until: datetime | None, reader: User) -> str:
    """ "until Tue 24 Nov 08:00 CET", on the reader's clock."""
    return f"until {ignoring.moment(until, reader.timezone)}" if until else "until somebody ends it"


def _audit(
    session: Session, rule: AlertRule, words: str, *, user: User | None, by: User, via: str, now: datetime
) -> None:
    """What holds for everyone is in the log of whoever did it, and on the rule's page."""
    scope = {"for": FOR_ME if user else FOR_EVERYONE}
    said = words if user else f"{words} for everyone"
    ruling.audit(session, rule, said, user=user or by, by=by, via=via, now=now, category=CATEGORY, **scope)


def log(session: Session, rule: AlertRule, *, most: int = 20) -> list[tuple[SettingAudit, str]]:
    """Who muted it for everyone, newest first, with their names."""
    found = (
        select(SettingAudit, User.name)
        .outerjoin(User, User.id == SettingAudit.actor_id)
        .where(
            SettingAudit.category == CATEGORY,
            SettingAudit.scope == ruling.SCOPE,
            SettingAudit.scope_id == rule.id,
        )
        .order_by(SettingAudit.id.desc())
    )
    everyone = (
        (audit, name or "A former member")
        for audit, name in session.execute(found)
        if audit.detail.get("for") == FOR_EVERYONE
    )
    return [each for each, _ in zip(everyone, range(most), strict=False)]
