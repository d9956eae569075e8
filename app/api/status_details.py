"""`statusDetails`: in what issues are resolved, and until when they are ignored (`web-api.md` 4)."""

from collections.abc import Mapping, Sequence

from app.api import shapes
from app.api.types.issues import ResolvingCommitJson, StatusDetailsJson
from app.db import db
from app.domain.lifecycle import IGNORED, RESOLVED
from app.domain.resolutions import IN_NEXT_RELEASE, SETTLED
from app.models import Commit, IgnoreCondition, Issue, Resolution
from app.services.issues import ignoring, resolving


def of(rows: Sequence[Issue]) -> Mapping[int, StatusDetailsJson]:
    """By the id of the issue; those that were resolved or ignored plainly have none."""
    resolved = _resolved([row.id for row in rows if row.status == RESOLVED])
    return resolved | _ignored([row.id for row in rows if row.status == IGNORED])


def _resolved(issue_ids: Sequence[int]) -> dict[int, StatusDetailsJson]:
    found = resolving.rows_of(db.session, issue_ids) if issue_ids else {}
    return {issue_id: _resolution(row) for issue_id, row in found.items()}


def _ignored(issue_ids: Sequence[int]) -> dict[int, StatusDetailsJson]:
    found = ignoring.rows_of(db.session, issue_ids) if issue_ids else {}
    return {issue_id: _condition(row) for issue_id, row in found.items()}


def _condition(row: IgnoreCondition) -> StatusDetailsJson:
    said: StatusDetailsJson = {}
    if row.until is not None:
        said["ignoreUntil"] = shapes.moment(row.until)
    if row.event_count is not None:
        said["ignoreCount"] = row.event_count
    if row.event_window is not None:
        said["ignoreWindow"] = row.event_window
    if row.user_count is not None:
        said["ignoreUserCount"] = row.user_count
    if row.user_window is not None:
        said["ignoreUserWindow"] = row.user_window
    if row.worse_than is not None:
        said["ignoreUntilEscalating"] = True
    return said


def _resolution(row: Resolution) -> StatusDetailsJson:
    if row.kind == IN_NEXT_RELEASE:
        return {"inNextRelease": True}
    said: StatusDetailsJson = {}
    if row.release and row.state == SETTLED:
        said["inRelease"] = row.release.version
    if row.commit:
        said["inCommit"] = _commit(row.commit)
    return said


def _commit(row: Commit) -> ResolvingCommitJson:
    return {"id": row.key, "repository": {"name": row.repository.name}}
