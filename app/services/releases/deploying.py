"""Deploys: a release went live in an environment (`notifications.md` 11.5)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, exists, select, update
from sqlalchemy.orm import Session

from app.domain.errors import Refused
from app.models import (
    Activity,
    Deploy,
    DeployProject,
    Environment,
    Notice,
    Project,
    PushHook,
    Release,
    ReleaseHead,
    User,
)
from app.services.access import Viewer
from app.services.issues import timeline
from app.services.releases import release_owners, releasing
from app.services.upserting import insert_all, insert_missing

LONGEST_ENVIRONMENT, LONGEST_NAME = 64, 200
# How long people are not told yet, so that a push which is on its way can say what was deployed.
WAIT = timedelta(minutes=2)
DEPLOY = "deploy"


@dataclass(frozen=True, slots=True)
class Wishes:
    environment: str
    name: str = ""
    url: str = ""
    date_started: datetime | None = None
    date_finished: datetime | None = None


def deploy(
    session: Session,
    release: Release,
    wishes: Wishes,
    projects: Collection[Project],
    *,
    by: User | None,
    now: datetime,
) -> Deploy:
    """Write it down, and the promise to tell people: one activity a project, one message a person."""
    release_owners.check(session, by, release)
    environment = wishes.environment.strip()
    _check(environment)
    releasing.check_url(wishes.url)
    row = Deploy(
        release_id=release.id,
        environment=environment,
        name=wishes.name[:LONGEST_NAME],
        url=wishes.url[: releasing.LONGEST_URL],
        date_started=wishes.date_started,
        date_finished=wishes.date_finished or now,
        created_at=now,
        actor_id=by.id if by else None,
    )
    session.add(row)
    session.flush()
    ids = sorted({project.id for project in projects} or releasing.project_ids(session, release))
    insert_all(session, DeployProject, [{"deploy_id": row.id, "project_id": each} for each in ids])
    seen = [{"project_id": each, "name": environment, "first_seen": now} for each in ids]
    insert_missing(session, Environment, seen, "project_id", "name")
    _tell(session, row, release, ids, by=by, now=now)
    return row


def _check(environment: str) -> None:
    if not environment:
        raise Refused("Name the environment.", field="environment")
    if len(environment) > LONGEST_ENVIRONMENT or "/" in environment or not environment.isprintable():
        raise Refused(
            "An environment’s name has at most 64 characters, in one line and without a slash.",
            field="environment",
        )


def _tell(
    session: Session,
    row: Deploy,
    release: Release,
    project_ids: Sequence[int],
    *,
    by: User | None,
    now: datetime,
) -> None:
    """The notices of a deploy belong together: whoever hears of it in one project does not hear it twice."""
    batch = timeline.together().name
    data = {
        "deploy": row.id,
        "release": release.id,
        "version": release.version,
        "environment": row.environment,
    }
    until = now + WAIT if _awaits_commits(session, release) else None
    for project_id in project_ids:
        activity = Activity(
            project_id=project_id,
            type=DEPLOY,
            actor_id=by.id if by else None,
            data=data,
            created_at=now,
        )
        session.add(activity)
        session.flush()
        columns = timeline.project_notice_row(DEPLOY, project_id, now=now, activity=activity)
        session.add(Notice(**columns, batch=batch, plan_after=until))
    session.flush()


def _awaits_commits(session: Session, release: Release) -> bool:
    """Whether it stands at a commit that is not known here yet, and pushes do come in."""
    is_awaited = exists().where(ReleaseHead.release_id == release.id, ReleaseHead.commit_id.is_(None))
    comes_in = exists().where(PushHook.organization_id == release.organization_id)
    return bool(session.scalar(select(is_awaited & comes_in)))


def commits_are_in(session: Session, release: Release) -> None:
    """Deploys of the release that waited for its commits are told now."""
    waiting = (
        select(Notice.id)
        .join(Activity, Activity.id == Notice.activity_id)
        .where(
            Notice.kind == DEPLOY,
            Notice.planned_at.is_(None),
            Notice.plan_after.is_not(None),
            Activity.data["release"].as_integer() == release.id,
        )
    )
    session.execute(
        update(Notice).where(Notice.id.in_(waiting)).values(plan_after=None),
        execution_options={"synchronize_session": False},
    )


def of_release(release: Release, viewer: Viewer) -> Select[Deploy]:
    """Its deploys of projects that are seen, newest first."""
    found = select(Deploy).where(Deploy.release_id == release.id, releasing.deploy_seen_by(viewer))
    return found.order_by(Deploy.id.desc())
