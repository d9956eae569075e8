"""The log of who changed what about whose notifications: the one door into it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.models import SettingAudit

# Scope and id: ("issue", 7), ("account", 0).
Place = tuple[str, int]


def note(
    session: Session,
    user_id: int,
    category: str,
    *,
    by_id: int | None,
    at: datetime,
    via: str,
    place: Place,
    kind: str = "",
    old: str | None = None,
    new: str | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Write a line of the person's log, with the caller's transaction.

    `by_id` is whoever changed it, None for Tocsin itself; `via` the way: "web", "mail", "api"…; `old` and
    `new` are values of at most 16 characters: what takes more words stands in `detail`.
    """
    session.add(
        SettingAudit(
            at=at,
            user_id=user_id,
            actor_id=by_id,
            category=category,
            kind=kind,
            scope=place[0],
            scope_id=place[1],
            old=old,
            new=new,
            via=via,
            detail=dict(detail or {}),
        )
    )
