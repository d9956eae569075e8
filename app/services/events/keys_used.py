"""When each key was last used, noted by the digester, and for each key at most once a minute."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, or_, update
from sqlalchemy.orm import Session

from app.models import ProjectKey
from app.services.events.reading import Read

NOTED = timedelta(minutes=1)


def note(session: Session, reads: Sequence[Read]) -> None:
    used: dict[int, datetime] = {}
    for each in reads:
        key_id, at = each.entry.key_id, each.entry.received_at
        if key_id:
            used[key_id] = max(used.get(key_id, at), at)
    table: Any = ProjectKey.__table__
    noted = table.c.last_used_at
    is_old = or_(noted.is_(None), noted <= bindparam("before", type_=noted.type))
    rows = [{"the_id": key, "at": at, "before": at - NOTED} for key, at in sorted(used.items())]
    if rows:
        statement = update(table).where(table.c.id == bindparam("the_id"), is_old)
        session.connection().execute(statement.values(last_used_at=bindparam("at")), rows)
