"""`statusDetails`: in what issues are resolved, and until when they are ignored (`web-api.md` 4)."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.api import shapes
from app.db import db
from app.domain.lifecycle import IGNORED, RESOLVED
from app.domain.resolutions import IN_NEXT_RELEASE, SETTLED
from app.models import Commit, IgnoreCondition, Issue, Resolution
from app.services import ignoring

Json = dict[str, Any]


def of(rows: Sequence[Issue]) -> Mapping[int, Json]:
    """By the id of the issue; those that were resolved or ignored plainly have none."""
    resolved = _resolved([row.id for row in rows if row.status == RESOLVED])
    return resolved | _ignored([row.id for row in rows if row.status == IGNORED])


def _resolved(issue_ids: Sequence[int]) -> dict[int, Json]:
    if not issue_ids:
        return {}
    found = (
        select(Resolution)
        .where(Resolution.issue_id.in_(issue_ids))
        .options(joinedload(Resolution.release), joinedload(Resolution.commit))
        .execution_options(populate_existing=True)
    )
    return {row.issue_id: _resolution(row) for row in db.session.scalars(found)}


def _ignored(issue_ids: Sequence[int]) -> dict[int, Json]:
    found = ignoring.rows_of(db.session, issue_ids) if issue_ids else {}
    return {issue_id: _condition(row) for issue_id, row in found.items()}


def _condition(row: IgnoreCondition) -> Json:
    said = {
        "ignoreUntil": shapes.moment(row.until),
        "ignoreCount": row.event_count,
        "ignoreWindow": row.event_window,
        "ignoreUserCount": row.user_count,
        "ignoreUserWindow": row.user_window,
        "ignoreUntilEscalating": True if row.worse_than is not None else None,
    }
    return {name: value for name, value in said.items() if value is not None}


def _resolution(row: Resolution) -> Json:
    if row.kind == IN_NEXT_RELEASE:
        return {"inNextRelease": True}
    said: Json = {}
    if row.release and row.state == SETTLED:
        said["inRelease"] = row.release.version
    if row.commit:
        said["inCommit"] = _commit(row.commit)
    return said


def _commit(row: Commit) -> Json:
    return {"id": row.key, "repository": {"name": row.repository.name}}
