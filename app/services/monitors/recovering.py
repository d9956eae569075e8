"""The issue of a monitor is over when its job runs well again, as often as the monitor asks for."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from app.domain.lifecycle import UNRESOLVED
from app.domain.monitors import FAILING
from app.models import Issue, IssueHash, Monitor, MonitorEnvironment
from app.services.access import IS_THERE
from app.services.issues.moving import move


def recover(session: Session, recovered: Mapping[int, MonitorEnvironment], *, now: datetime) -> list[int]:
    """Resolve the issues of these environments; the ids of the activities written.

    One that somebody ignored stays ignored. One that was merged with others is over when all of them are:
    what is not of a monitor never says so by itself.
    """
    activities = []
    for environment in recovered.values():
        issue = _issue(session, environment)
        if issue is None or _is_of_others(session, issue):
            continue
        monitor = environment.monitor
        data = {
            "monitor": monitor.name,
            "slug": monitor.slug,
            "environment": environment.name,
            "recoveries": monitor.recovery_threshold,
        }
        if activity := move(session, issue, "recover", by=None, now=now, data=data):
            activities.append(activity.id)
    return activities


def _issue(session: Session, environment: MonitorEnvironment) -> Issue | None:
    mine = (IssueHash.project_id == environment.monitor.project_id) & (IssueHash.hash == environment.hash)
    found = (
        select(Issue)
        .where(Issue.id.in_(select(IssueHash.issue_id).where(mine)), IS_THERE, Issue.status == UNRESOLVED)
        .with_for_update(key_share=True, of=Issue)
        .execution_options(populate_existing=True)
    )
    return session.scalar(found)


def _is_of_others(session: Session, issue: Issue) -> bool:
    """Whether anything in it is not known to be well."""
    well = exists().where(
        MonitorEnvironment.hash == IssueHash.hash,
        MonitorEnvironment.status != FAILING,
        MonitorEnvironment.monitor_id == Monitor.id,
        Monitor.project_id == IssueHash.project_id,
    )
    other = select(IssueHash.hash).where(IssueHash.issue_id == issue.id, ~well)
    return session.scalar(other.limit(1)) is not None
