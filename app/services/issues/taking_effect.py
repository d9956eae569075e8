"""What was resolved "in the next release" is resolved in that one once it is there; nobody is told anew."""

from collections.abc import Iterable, Sequence
from functools import cmp_to_key
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session, selectinload

from app.domain import versions
from app.domain.resolutions import IN_NEXT_RELEASE, IN_RELEASE, PENDING, SETTLED
from app.models import Activity, Issue, Release, Resolution

IN_A_RELEASE = "set_resolved_in_release"


def take_effect(session: Session, made: Iterable[tuple[int, int]]) -> None:
    """`made` are (release id, project id): releases that a project has had only just now.

    A constant number of statements; next to none while nothing waits for them.
    """
    of_project: dict[int, list[int]] = {}
    for release_id, project_id in made:
        of_project.setdefault(project_id, []).append(release_id)
    waiting = _waiting(session, of_project)
    if not waiting:
        return
    found = select(Release).where(Release.id.in_({each for ids in of_project.values() for each in ids}))
    releases = {release.id: release for release in session.scalars(found)}
    settled: dict[int, Release] = {}
    for resolution, project_id in waiting:
        first = _first_after(resolution, [releases[each] for each in of_project[project_id]])
        if first:
            settled[resolution.issue_id] = first
            session.expire(resolution)
    _settle(session, settled)
    complete(session, {issue_id: release.version for issue_id, release in settled.items()})


def complete(session: Session, versions_of: dict[int, str]) -> None:
    """Write the version into the timeline's entry that was waiting for it, of each issue."""
    if not versions_of:
        return
    found = (
        select(Activity)
        .where(Activity.issue_id.in_(versions_of), Activity.type == IN_A_RELEASE)
        .order_by(Activity.id)
    )
    latest = {activity.issue_id: activity for activity in session.scalars(found)}
    rows = [
        {"the_id": activity.id, "the_data": {**activity.data, "version": versions_of[issue_id]}}
        for issue_id, activity in latest.items()
        if issue_id is not None and not activity.data.get("version")
    ]
    if rows:
        table: Any = Activity.__table__
        statement = update(table).where(table.c.id == bindparam("the_id")).values(data=bindparam("the_data"))
        session.connection().execute(statement, rows)
        for activity in latest.values():
            session.expire(activity)


def _waiting(session: Session, projects: Iterable[int]) -> Sequence[tuple[Resolution, int]]:
    """The issues are locked before what belongs to them is changed, as by everybody else."""
    found = (
        select(Resolution, Issue.project_id)
        .join(Issue, Issue.id == Resolution.issue_id)
        .where(
            Issue.project_id.in_(list(projects)),
            Resolution.kind == IN_NEXT_RELEASE,
            Resolution.state == PENDING,
        )
        .order_by(Issue.id)
        .with_for_update(of=Issue)
        .options(selectinload(Resolution.release))
        .execution_options(populate_existing=True)
    )
    return [(resolution, project_id) for resolution, project_id in session.execute(found)]


def _first_after(resolution: Resolution, made: Sequence[Release]) -> Release | None:
    """The oldest of the new releases that come after the one that was newest then."""
    than = resolution.release
    later = [release for release in made if than is None or versions.newer(release, than)]
    return min(later, key=cmp_to_key(_in_order), default=None)


def _in_order(one: Release, other: Release) -> int:
    return versions.newer(one, other) - versions.newer(other, one)


def _settle(session: Session, releases: dict[int, Release]) -> None:
    """Not through the session: a resolution may be gone by now, and that is no error."""
    table: Any = Resolution.__table__
    rows = [{"the_id": issue_id, "the_release": release.id} for issue_id, release in releases.items()]
    if rows:
        session.connection().execute(
            update(table)
            .where(table.c.issue_id == bindparam("the_id"), table.c.state == PENDING)
            .values(kind=IN_RELEASE, state=SETTLED, release_id=bindparam("the_release")),
            rows,
        )
