"""What the lists of releases show: their numbers, and who was told of their last deploys."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Select, and_, bindparam, func, select
from sqlalchemy.orm import Session

from app.domain import cursor as cursors
from app.domain import lifecycle
from app.domain.cursor import Cursor
from app.domain.resolutions import SETTLED
from app.models import (
    Activity,
    Deploy,
    Issue,
    Notice,
    Organization,
    Project,
    Release,
    ReleaseCommit,
    ReleaseProject,
    Resolution,
    User,
)
from app.services import access, keyset
from app.services.releases import deploying, release_owners, releases, releasing

PER_PAGE = 25
# The few issues that are on their way out. Literally as their index says it, or that is of no use.
_HIDDEN: BindParameter[Any] = bindparam("hidden", lifecycle.HIDDEN, expanding=True, literal_execute=True)
LEAVING = select(Issue.id).where(Issue.status.in_(_HIDDEN))


@dataclass(frozen=True, slots=True)
class Row:
    """A release in a list. `told` are the notices of its last deploy, by the name of their project.

    Of the issues that were resolved in it, those that came back later are counted as `undone` as well.
    """

    release: Release
    projects: Sequence[Project]
    commits: int
    deploys: int
    new: int
    resolved: int
    undone: int
    regressed: int
    last_deploy: Deploy | None
    told: Mapping[str, Notice]


@dataclass(frozen=True, slots=True)
class Found:
    rows: Sequence[Row]
    previous: str | None
    following: str | None

    @property
    def notices(self) -> Sequence[Notice]:
        return [notice for row in self.rows for notice in row.told.values()]


def listed(
    session: Session,
    organization: Organization,
    user: User,
    *,
    project: Project | None = None,
    beginning: str = "",
    status: str = releasing.OPEN,
    cursor: Cursor | None = None,
) -> Found:
    """A page of them, newest first, with four queries; numbers are of the projects that the person sees."""
    ids = [project.id] if project else None
    found = releasing.listed(organization, user, project_ids=ids, beginning=beginning, status=status)
    found = keyset.from_place(found, releases.order_date, Release.id, cursor)
    columns = [column.label(name) for name, column in _numbers(user, ids).items()]
    rows = session.execute(found.add_columns(*columns).limit(PER_PAGE + 1)).all()
    shown = rows[:PER_PAGE]
    if cursor and cursor.backward:
        shown = shown[::-1]
    projects = _projects(session, [row.Release.id for row in shown], user)
    deploys = _last_deploys(session, [row.last_deploy for row in shown if row.last_deploy], user, ids)
    back = _regressed(session, [row.Release.version for row in shown], _seen(user, ids))
    made = [
        _row(row, projects.get(row.Release.id, ()), deploys, back.get(row.Release.version, 0))
        for row in shown
    ]
    places = [(cursors.value_of(each.release.order_date), each.release.id) for each in made]
    return Found(made, *cursors.ends(cursor, places, has_more=len(rows) > PER_PAGE))


def _row(row: Any, projects: Sequence[Project], deploys: Mapping[int, Sequence[Any]], regressed: int) -> Row:
    told = deploys.get(row.last_deploy, ())
    return Row(
        release=row.Release,
        projects=projects,
        commits=row.commits,
        deploys=row.deploys,
        new=row.new,
        resolved=row.resolved + row.undone,
        undone=row.undone,
        regressed=regressed,
        last_deploy=told[0].Deploy if told else None,
        told={each.name: each.Notice for each in told if each.Notice},
    )


def _numbers(user: User, project_ids: Collection[int] | None) -> Mapping[str, ColumnElement[int]]:
    """Counted by the database, in the query of the list itself."""
    seen = _seen(user, project_ids)
    issues = select(func.count()).select_from(Issue).where(Issue.project_id.in_(seen), access.IS_THERE)
    new = issues.where(Issue.first_release == Release.version)
    resolved = issues.join(Resolution, Resolution.issue_id == Issue.id).where(resolved_in(Release.id))
    came_back = undone(seen, Release.version, Release.id)
    commits = select(func.count()).select_from(ReleaseCommit).where(release_owners.owned_by(user))
    deploys = (Deploy.release_id == Release.id) & releasing.deploy_seen_by(user, project_ids)
    return {
        "commits": commits.where(ReleaseCommit.release_id == Release.id).scalar_subquery(),
        "deploys": select(func.count(Deploy.id)).where(deploys).scalar_subquery(),
        "last_deploy": select(func.max(Deploy.id)).where(deploys).scalar_subquery(),
        "new": new.correlate(Release).scalar_subquery(),
        "resolved": resolved.correlate(Release).scalar_subquery(),
        "undone": came_back.correlate(Release).scalar_subquery(),
    }


def resolved_in(release_id: Any) -> ColumnElement[bool]:
    """A condition on `Resolution`. What waits for the next release is resolved in none yet."""
    return and_(Resolution.release_id == release_id, Resolution.state == SETTLED)


def undone(project_ids: Collection[int] | Select[int], version: Any, release_id: Any) -> Select[int]:
    """The number of issues of these projects that were resolved in a release, and came back since then."""
    here = Activity.project_id.in_(project_ids) & (Activity.returned_from == version)
    again = select(Resolution.issue_id).where(resolved_in(release_id)).correlate(Release)
    gone = Activity.issue_id.not_in(LEAVING) & Activity.issue_id.not_in(again)
    return select(func.count(Activity.issue_id.distinct())).where(here, gone)


def _regressed(session: Session, versions: Collection[str], project_ids: Select[int]) -> Mapping[str, int]:
    """How many issues of these projects came back with an event of each release."""
    if not versions:
        return {}
    version = Activity.returned_in
    found = regressed(project_ids, versions).add_columns(version).group_by(version)
    return {name: count for count, name in session.execute(found) if name}


def regressed(project_ids: Collection[int] | Select[int], versions: Collection[str]) -> Select[int]:
    """The number of issues of these projects that came back with an event of one of these releases."""
    here = Activity.project_id.in_(project_ids) & Activity.returned_in.in_(versions)
    return select(func.count(Activity.issue_id.distinct())).where(here, Activity.issue_id.not_in(LEAVING))


def _seen(user: User, project_ids: Collection[int] | None) -> Select[int]:
    seen = select(Project.id).where(access.sees_project(user))
    return seen if project_ids is None else seen.where(Project.id.in_(project_ids))


def _projects(session: Session, release_ids: Collection[int], user: User) -> dict[int, list[Project]]:
    found = (
        select(ReleaseProject.release_id, Project)
        .join(Project, Project.id == ReleaseProject.project_id)
        .where(ReleaseProject.release_id.in_(release_ids), access.sees_project(user))
        .order_by(Project.name, Project.id)
    )
    theirs: dict[int, list[Project]] = {}
    for release_id, project in session.execute(found):
        theirs.setdefault(release_id, []).append(project)
    return theirs


def _last_deploys(
    session: Session, ids: Collection[int], user: User, project_ids: Collection[int] | None
) -> Mapping[int, Sequence[Any]]:
    """By deploy: it, with each notice of it in these projects and the project's name. One query.

    A notice is found by its moment, which is that of its deploy, for there is an index of those.
    """
    of_it = (
        (Notice.occurred_at == Deploy.created_at)
        & (Notice.kind == deploying.DEPLOY)
        & Notice.project_id.in_(_seen(user, project_ids))
        & Notice.activity_id.in_(
            select(Activity.id).where(
                Activity.project_id == Notice.project_id, Activity.data["deploy"].as_integer() == Deploy.id
            )
        )
    )
    found = (
        select(Deploy, Notice, Project.name)
        .select_from(Deploy)
        .outerjoin(Notice, of_it)
        .outerjoin(Project, Project.id == Notice.project_id)
        .where(Deploy.id.in_(ids))
        .order_by(Project.name, Project.id)
    )
    rows: dict[int, list[Any]] = {}
    for row in session.execute(found) if ids else ():
        rows.setdefault(row.Deploy.id, []).append(row)
    return rows
