"""One choice for many projects at once, and taking it back as one."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.errors import Refused
from app.models import SettingAudit, User
from app.services.preferences import preferring, tuning
from app.services.preferences.preferring import Key, Place

UNDO_WITHIN = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Applied:
    """What the last such choice changed, as long as nothing else has changed since."""

    batch: str
    value: str | None
    count: int
    at: datetime


def apply(
    session: Session,
    user: User,
    category: str,
    value: str | None,
    places: Sequence[Place],
    *,
    via: str,
    now: datetime,
) -> int:
    """Choose the value for each of these places; how many were changed by it."""
    if category not in tuning.FINE_TUNED:
        raise Refused("That is not set project by project.")
    preferring.lock(session, user)
    batch = secrets.token_hex(8)
    changed = 0
    for place in places:
        project, organization = tuning.split(place)
        old = preferring.choose(
            session,
            user,
            category,
            value,
            project=project,
            organization=organization,
            via=via,
            now=now,
            batch=batch,
        )
        changed += old != value
    return changed


def last(session: Session, user: User, category: str, *, now: datetime) -> Applied | None:
    """The newest change of the category's places, if it was one of many at once and can be taken back."""
    rows = _newest(session, user, category, now)
    if not rows or "batch" not in rows[0].detail:
        return None
    batch = rows[0].detail["batch"]
    same = [row for row in rows if row.detail.get("batch") == batch]
    return Applied(batch, same[0].new, len(same), same[0].at)


def undo(session: Session, user: User, category: str, batch: str, *, via: str, now: datetime) -> int:
    """Put back what was chosen before; how many rows. What was changed since stays as it is."""
    preferring.lock(session, user)
    applied = [
        row for row in _newest(session, user, category, now) if batch and row.detail.get("batch") == batch
    ]
    places = {preferring.where(place): place for place in tuning.places(session, user, category)}
    restored = 0
    for row in applied:
        place = places.get((row.scope, row.scope_id))
        if place is None or _value(session, user, (category, "", row.scope, row.scope_id)) != row.new:
            continue
        project, organization = tuning.split(place)
        preferring.choose(
            session,
            user,
            category,
            row.old,
            project=project,
            organization=organization,
            via=via,
            now=now,
        )
        restored += 1
    return restored


def _newest(session: Session, user: User, category: str, now: datetime) -> Sequence[SettingAudit]:
    """The changes of single places, newest first."""
    found = select(SettingAudit).where(
        SettingAudit.user_id == user.id,
        SettingAudit.category == category,
        SettingAudit.scope.in_((preferring.PROJECT, preferring.ORGANIZATION)),
        SettingAudit.at > now - UNDO_WITHIN,
    )
    return session.scalars(found.order_by(SettingAudit.id.desc())).all()


def _value(session: Session, user: User, key: Key) -> str | None:
    setting = preferring.find(session, user, key)
    return setting.value if setting else None
