"""Limits on how many rows somebody has: counted while nobody else can add one."""

from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app.domain.errors import Refused
from app.models.base import Keyed


def check_room(session: Session, owner: Keyed, rows: Select[Any], most: int, full: Refused) -> None:
    """Raises `full` if the owner has so many. Who adds one at the same time waits until this one is in."""
    model = type(owner)
    session.execute(select(model.id).where(model.id == owner.id).with_for_update(key_share=True))
    if (session.scalar(select(func.count()).select_from(rows.subquery())) or 0) >= most:
        raise full
