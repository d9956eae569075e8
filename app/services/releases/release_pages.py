"""What the page of one release shows: all that there is of it, as far as it is of one project."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session, joinedload, lazyload

from app.domain.storms import SAME_CAUSE
from app.models import (
    Activity,
    Commit,
    CommitFile,
    Deploy,
    DeployProject,
    Issue,
    Notice,
    Project,
    Release,
    ReleaseCommit,
    ReleaseEnvironment,
    ReleaseProject,
    Resolution,
    User,
)
from app.services import access
from app.services.releases import deploying, release_lists, release_owners, releases, releasing

MOST_ISSUES, MOST_COMMITS, MOST_DEPLOYS, MOST_ENVIRONMENTS = 50, 100, 50, 50


@dataclass(frozen=True, slots=True)
class Deployed:
    """A deploy with the notice of it in the project at hand, and what was new within minutes of it."""

    deploy: Deploy
    notice: Notice | None
    new: Sequence[Issue] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """An environment in which the release was seen; `newest` is the newest release seen there."""

    environment: str
    newest: str
    deployed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Shown:
    """All of it, as far as it is of one project. Lists may be cut; numbers are whole.

    What was resolved in it and came back is resolved in it all the same; `back_in` says where each came back,
    by the id of the issue: empty where its event named no release.
    """

    new: Sequence[Issue]
    new_count: int
    resolved: Sequence[Issue]
    resolved_count: int
    undone_count: int
    back_in: Mapping[int, str]
    regressed_count: int
    commits: Sequence[Commit]
    commit_count: int
    file_count: int
    last_event_at: datetime | None
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
    settled = select(Resolution.issue_id).where(release_lists.resolved_in(release.id))
    undone = release_lists.undone([project.id], release.version, release.id)
    link = (ReleaseProject.release_id == release.id) & (ReleaseProject.project_id == project.id)
    came_back = release_lists.regressed([project.id], [release.version])
    counts = select(
        select(func.count(Issue.id)).where(new).scalar_subquery(),
        select(func.count(Issue.id)).where(here, Issue.id.in_(settled)).scalar_subquery(),
        undone.scalar_subquery(),
        select(func.count()).select_from(of_it.subquery()).scalar_subquery(),
        select(func.count(CommitFile.path.distinct()))
        .where(CommitFile.commit_id.in_(of_it))
        .scalar_subquery(),
        came_back.scalar_subquery(),
        select(ReleaseProject.last_event_at).where(link).scalar_subquery(),
    )
    new_count, still, undone_count, commit_count, file_count, regressed_count, last_event_at = (
        session.execute(counts).one()
    )
    back_in = _back_in(session, release, project) if undone_count else {}
    deploys = _deploys(session, release, project)
    return Shown(
        new=_issues(session, new) if new_count else (),
        new_count=new_count,
        resolved=_issues(session, here & (Issue.id.in_(settled) | Issue.id.in_(back_in)))
        if still or undone_count
        else (),
        resolved_count=still + undone_count,
        undone_count=undone_count,
        back_in=back_in,
        regressed_count=regressed_count,
        commits=commits,
        commit_count=commit_count,
        file_count=file_count,
        last_event_at=last_event_at,
        deploys=deploys,
        environments=_environments(session, release, project, [each.deploy for each in deploys]),
    )


def _back_in(session: Session, release: Release, project: Project) -> Mapping[int, str]:
    """Of the issues that came back last after they had been resolved in it: with which release."""
    again = select(Resolution.issue_id).where(release_lists.resolved_in(release.id))
    found = (
        select(Activity.issue_id, func.max(Activity.id).label("last"))
        .where(
            Activity.project_id == project.id,
            Activity.returned_from == release.version,
            Activity.issue_id.not_in(again),
        )
        .group_by(Activity.issue_id)
        .order_by(func.max(Activity.id).desc())
        .limit(MOST_ISSUES)
        .subquery()
    )
    rows = session.execute(
        select(Activity.issue_id, Activity.returned_in).join(found, found.c.last == Activity.id)
    )
    return {issue_id: version or "" for issue_id, version in rows if issue_id}


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
    notices = _notices(session, rows, project) if rows else {}
    new = _new_soon_after(session, release, project, rows)
    return [Deployed(row, notices.get(row.id), new[row.id]) for row in rows]


def _new_soon_after(
    session: Session, release: Release, project: Project, deploys: Sequence[Deploy]
) -> Mapping[int, Sequence[Issue]]:
    """The issues that were first seen within minutes of each of these deploys, in what was deployed."""
    if not deploys:
        return {}
    soon = [
        and_(Issue.first_seen >= row.date_finished, Issue.first_seen <= row.date_finished + SAME_CAUSE)
        for row in deploys
    ]
    here = (Issue.project_id == project.id) & (Issue.first_release == release.version) & access.IS_THERE
    found = select(Issue).where(here, or_(*soon)).order_by(Issue.first_seen, Issue.id).limit(MOST_ISSUES)
    issues = session.scalars(found.options(lazyload(Issue.project))).all()
    return {
        row.id: [
            each for each in issues if row.date_finished <= each.first_seen <= row.date_finished + SAME_CAUSE
        ]
        for row in deploys
    }


def _notices(session: Session, deploys: Sequence[Deploy], project: Project) -> dict[int, Notice]:
    """By the id of the deploy that they tell of; its moment is theirs, for there is an index of those."""
    found = (
        select(Notice)
        .join(Activity, Activity.id == Notice.activity_id)
        .where(
            Notice.kind == deploying.DEPLOY,
            Notice.project_id == project.id,
            Notice.occurred_at.in_([row.created_at for row in deploys]),
            Activity.data["deploy"].as_integer().in_([row.id for row in deploys]),
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
