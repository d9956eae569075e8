"""What pages about releases show: lists with their numbers, and all that there is of one release."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session, joinedload, lazyload

from app.domain.cursor import Cursor
from app.models import (
    Activity,
    Commit,
    CommitFile,
    Deploy,
    DeployProject,
    Issue,
    Notice,
    Organization,
    Project,
    Release,
    ReleaseCommit,
    ReleaseEnvironment,
    ReleaseProject,
    Resolution,
    User,
)
from app.services import access, deploying, release_owners, releases, releasing

PER_PAGE = 25
MOST_ISSUES, MOST_COMMITS, MOST_DEPLOYS, MOST_ENVIRONMENTS = 50, 100, 50, 50
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Row:
    """A release in a list."""

    release: Release
    projects: Sequence[Project]
    commits: int
    deploys: int
    new: int
    resolved: int
    last_deploy: Deploy | None


@dataclass(frozen=True, slots=True)
class Found:
    rows: Sequence[Row]
    previous: str | None
    following: str | None


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
    """A page of them, newest first, with three queries; numbers are of the projects that the person sees."""
    ids = [project.id] if project else None
    found = releasing.listed(organization, user, project_ids=ids, beginning=beginning, status=status)
    if cursor:
        found = _from(found, cursor)
    columns = [column.label(name) for name, column in _numbers(user, ids).items()]
    rows = session.execute(found.add_columns(*columns).limit(PER_PAGE + 1)).all()
    shown = rows[:PER_PAGE]
    if cursor and cursor.backward:
        shown = shown[::-1]
    projects = _projects(session, [row.Release.id for row in shown], user)
    deploys = _last_deploys(session, [row.last_deploy for row in shown])
    made = [
        Row(
            row.Release,
            projects.get(row.Release.id, ()),
            row.commits,
            row.deploys,
            row.new,
            row.resolved,
            deploys.get(row.last_deploy),
        )
        for row in shown
    ]
    return _paged(made, cursor, has_more=len(rows) > PER_PAGE)


def _from(found: Select[Release], cursor: Cursor) -> Select[Release]:
    at, date = _moment(cursor.value), releases.order_date
    if cursor.backward:
        found = found.where(or_(date > at, and_(date == at, Release.id > cursor.id)))
        return found.order_by(None).order_by(date.asc(), Release.id.asc())
    return found.where(or_(date < at, and_(date == at, Release.id < cursor.id)))


def _moment(value: int) -> datetime:
    try:
        return EPOCH + value * MICROSECOND
    except OverflowError:
        return EPOCH


def _paged(rows: Sequence[Row], cursor: Cursor | None, *, has_more: bool) -> Found:
    if not rows:
        return Found(rows, None, None)
    backward = cursor is not None and cursor.backward
    before, after = (has_more, True) if backward else (cursor is not None, has_more)
    first, last = (_place(each.release) for each in (rows[0], rows[-1]))
    return Found(
        rows,
        Cursor(*first, backward=True).encode() if before else None,
        Cursor(*last).encode() if after else None,
    )


def _place(release: Release) -> tuple[int, int]:
    return (release.order_date - EPOCH) // MICROSECOND, release.id


def _numbers(user: User, project_ids: Collection[int] | None) -> Mapping[str, ColumnElement[int]]:
    """Counted by the database, in the query of the list itself."""
    seen = select(Project.id).where(access.sees_project(user))
    if project_ids is not None:
        seen = seen.where(Project.id.in_(project_ids))
    issues = select(func.count()).select_from(Issue).where(Issue.project_id.in_(seen), access.IS_THERE)
    new = issues.where(Issue.first_release == Release.version)
    resolved = issues.join(Resolution, Resolution.issue_id == Issue.id)
    commits = select(func.count()).select_from(ReleaseCommit).where(release_owners.owned_by(user))
    deploys = (Deploy.release_id == Release.id) & releasing.deploy_seen_by(user)
    return {
        "commits": commits.where(ReleaseCommit.release_id == Release.id).scalar_subquery(),
        "deploys": select(func.count(Deploy.id)).where(deploys).scalar_subquery(),
        "last_deploy": select(func.max(Deploy.id)).where(deploys).scalar_subquery(),
        "new": new.correlate(Release).scalar_subquery(),
        "resolved": resolved.where(Resolution.release_id == Release.id).correlate(Release).scalar_subquery(),
    }


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


def _last_deploys(session: Session, ids: Collection[int | None]) -> dict[int | None, Deploy]:
    found = select(Deploy).where(Deploy.id.in_([each for each in ids if each]))
    return {row.id: row for row in session.scalars(found)}


# One release


@dataclass(frozen=True, slots=True)
class Deployed:
    """A deploy with the notice of it in the project at hand."""

    deploy: Deploy
    notice: Notice | None


@dataclass(frozen=True, slots=True)
class Standing:
    """An environment in which the release was seen; `newest` is the newest release seen there."""

    environment: str
    newest: str
    deployed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Shown:
    """All of it, as far as it is of one project. Lists may be cut; numbers are whole."""

    new: Sequence[Issue]
    new_count: int
    resolved: Sequence[Issue]
    resolved_count: int
    commits: Sequence[Commit]
    commit_count: int
    file_count: int
    deploys: Sequence[Deployed]
    environments: Sequence[Standing]


def shown(session: Session, release: Release, project: Project, user: User) -> Shown:
    """With a constant number of queries. Commits are for who sees a project that owns the release."""
    owned = select(Release.id).where(Release.id == release.id, release_owners.owned_by(user))
    of_it = select(ReleaseCommit.commit_id).where(ReleaseCommit.release_id.in_(owned))
    readable = releasing.commits_of(release).where(ReleaseCommit.release_id.in_(owned))
    commits = session.scalars(readable.limit(MOST_COMMITS)).all()
    here = (Issue.project_id == project.id) & access.IS_THERE
    new = here & (Issue.first_release == release.version)
    resolved = here & Issue.id.in_(select(Resolution.issue_id).where(Resolution.release_id == release.id))
    counts = select(
        select(func.count(Issue.id)).where(new).scalar_subquery(),
        select(func.count(Issue.id)).where(resolved).scalar_subquery(),
        select(func.count()).select_from(of_it.subquery()).scalar_subquery(),
        select(func.count(CommitFile.path.distinct()))
        .where(CommitFile.commit_id.in_(of_it))
        .scalar_subquery(),
    )
    new_count, resolved_count, commit_count, file_count = session.execute(counts).one()
    deploys = _deploys(session, release, project)
    return Shown(
        new=_issues(session, new) if new_count else (),
        new_count=new_count,
        resolved=_issues(session, resolved) if resolved_count else (),
        resolved_count=resolved_count,
        commits=commits,
        commit_count=commit_count,
        file_count=file_count,
        deploys=deploys,
        environments=_environments(session, release, project, [each.deploy for each in deploys]),
    )


def _issues(session: Session, which: ColumnElement[bool]) -> Sequence[Issue]:
    found = select(Issue).where(which).order_by(Issue.last_seen.desc(), Issue.id.desc())
    return session.scalars(found.limit(MOST_ISSUES).options(lazyload(Issue.project))).all()


def _deploys(session: Session, release: Release, project: Project) -> list[Deployed]:
    found = (
        select(Deploy)
        .join(DeployProject, DeployProject.deploy_id == Deploy.id)
        .where(Deploy.release_id == release.id, DeployProject.project_id == project.id)
        .order_by(Deploy.id.desc())
        .limit(MOST_DEPLOYS)
        .options(joinedload(Deploy.actor))
    )
    rows = session.scalars(found).all()
    notices = _notices(session, release, project) if rows else {}
    return [Deployed(row, notices.get(row.id)) for row in rows]


def _notices(session: Session, release: Release, project: Project) -> dict[int, Notice]:
    """By the id of the deploy that they tell of."""
    found = (
        select(Notice)
        .join(Activity, Activity.id == Notice.activity_id)
        .where(
            Notice.kind == deploying.DEPLOY,
            Notice.project_id == project.id,
            Activity.data["release"].as_integer() == release.id,
        )
        .options(joinedload(Notice.activity))
    )
    return {row.activity.data["deploy"]: row for row in session.scalars(found) if row.activity}


def _environments(
    session: Session, release: Release, project: Project, deploys: Sequence[Deploy]
) -> list[Standing]:
    """Where events came from it, and which release is the newest there."""
    here = ReleaseEnvironment.project_id == project.id
    ours = select(ReleaseEnvironment.environment).where(here, ReleaseEnvironment.release_id == release.id)
    rank = func.row_number().over(partition_by=ReleaseEnvironment.environment, order_by=releases.NEWEST_FIRST)
    ranked = (
        select(ReleaseEnvironment.environment, Release.version, rank.label("rank"))
        .join(Release, Release.id == ReleaseEnvironment.release_id)
        .where(here, ReleaseEnvironment.environment.in_(ours))
        .subquery()
    )
    newest = select(ranked.c.environment, ranked.c.version).where(ranked.c.rank == 1)
    deployed: dict[str, datetime] = {}
    for deploy in deploys:
        deployed.setdefault(deploy.environment, deploy.date_finished)
    rows = session.execute(newest.order_by(ranked.c.environment).limit(MOST_ENVIRONMENTS))
    return [Standing(environment, version, deployed.get(environment)) for environment, version in rows]
