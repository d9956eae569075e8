"""Where a release was live at some moment, as the project was told of deploys."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, joinedload

from app.models import Deploy, DeployProject, Project, Release

PRODUCTION = "production"


@dataclass(frozen=True, slots=True)
class Live:
    """An environment, and since when the release is live in it; not yet, without a moment."""

    environment: str
    at: datetime | None = None
    by: str = ""


def last(
    session: Session, project: Project, version: str, environment: str, *, until: datetime
) -> Live | None:
    """The last deploy of the release there, up to then."""
    here = (Release.version == version) & (Deploy.environment == environment)
    newest = _of(project, until).join(Release, Release.id == Deploy.release_id).where(here)
    newest = newest.order_by(Deploy.date_finished.desc(), Deploy.id.desc()).limit(1)
    found = session.scalar(newest.options(joinedload(Deploy.actor)))
    return Live(environment, found.date_finished, found.actor.name if found.actor else "") if found else None


def standing(session: Session, project: Project, version: str, *, until: datetime) -> Live | None:
    """How the release stands where it matters; None for a project that nobody tells of deploys."""
    finished = func.max(Deploy.date_finished)
    rows = _of(project, until).with_only_columns(Deploy.environment).group_by(Deploy.environment)
    where = _chosen(session.scalars(rows.order_by(finished.desc())).all())
    if not where:
        return None
    return last(session, project, version, where, until=until) or Live(where)


def _chosen(environments: Collection[str]) -> str:
    """Production, or the environment that is called otherwise and was deployed to last."""
    return PRODUCTION if PRODUCTION in environments else next(iter(environments), "")


def _of(project: Project, until: datetime) -> Select[Deploy]:
    found = select(Deploy).join(DeployProject, DeployProject.deploy_id == Deploy.id)
    return found.where(DeployProject.project_id == project.id, Deploy.date_finished <= until)
