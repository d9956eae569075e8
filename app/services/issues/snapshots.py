"""The state of an issue as it was before a change, kept with the change so that it can be taken back."""

from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.domain.lifecycle import IGNORED, RESOLVED
from app.models import Base, IgnoreCondition, Issue, Resolution
from app.models.base import UtcDateTime

Snapshot = dict[str, Any]  # fit for JSON

COLUMNS = (
    "status",
    "resolved_at",
    "last_resolved_at",
    "regressed_at",
    "escalated_at",
    "reappears",
    "active_at",
)
# A state that may have a row of its own → its model.
DETAILS: dict[str, type[Base]] = {RESOLVED: Resolution, IGNORED: IgnoreCondition}
DETAIL = "detail"


def take(session: Session, issue_id: int) -> Snapshot:
    """How the issue is now."""
    columns = (Issue.__table__.c[name] for name in COLUMNS)
    row = session.execute(select(*columns).where(Issue.id == issue_id)).mappings().one()
    taken = {name: _plain(value) for name, value in row.items()}
    if model := DETAILS.get(row["status"]):
        table = model.__table__
        detail = session.execute(select(table).where(table.c.issue_id == issue_id)).mappings().first()
        if detail is not None:
            taken[DETAIL] = {column: _plain(value) for column, value in detail.items()}
    return taken


def put_back(session: Session, issue: Issue, taken: Snapshot) -> None:
    """Make the issue what it was; what belongs to the state it has now must be gone already."""
    values = _read(Issue, {name: taken[name] for name in COLUMNS if name in taken})
    session.execute(
        update(Issue).where(Issue.id == issue.id).values(values).execution_options(synchronize_session=False)
    )
    if DETAIL in taken:
        model = DETAILS[taken["status"]]
        session.add(model(**_read(model, taken[DETAIL])))
        session.flush()
    session.refresh(issue)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _read(model: type[Base], data: Snapshot) -> dict[str, Any]:
    columns = model.__table__.c
    times = {name for name in data if isinstance(columns[name].type, UtcDateTime)}
    return {
        name: datetime.fromisoformat(value) if value and name in times else value
        for name, value in data.items()
    }
