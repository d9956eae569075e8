"""Issues that nothing was heard of for long are resolved (`notifications.md` 2.5, T9)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session, lazyload

from app.domain import routing
from app.domain.kinds import KINDS
from app.domain.lifecycle import MOVES, UNRESOLVED
from app.domain.routing import Happening, Outcome
from app.models import Issue, IssueMute, Notice, Project, Subscription
from app.services.issues import moving, timeline
from app.services.issues.timeline import Batch
from app.services.notices import considering
from app.services.preferences.preferring import Defaults

CHUNK, LOOKED_AT = 1000, 200
KIND = KINDS["resolved"]
# Nobody is told before a run has ended, or has not been heard of for so long.
LEASE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Effect:
    """What the next run would do: to how many issues, and how many people would be told."""

    issues: int
    people: int


def projects(session: Session) -> Sequence[int]:
    """Those that resolve by age."""
    return session.scalars(select(Project.id).where(Project.resolve_age_hours > 0).order_by(Project.id)).all()


def begin(*, now: datetime) -> Batch:
    """One run in one project: each of its people gets one message."""
    return going_on(timeline.together(), now=now)


def going_on(run: Batch, *, now: datetime) -> Batch:
    """The same run, heard of just now: a batch waits for the latest of its notices."""
    return replace(run, plan_after=now + LEASE)


def end(session: Session, run: Batch) -> Sequence[int]:
    """The run is over, and people may be told; the notices to plan."""
    left = update(Notice).where(Notice.batch == run.name, Notice.planned_at.is_(None))
    return session.scalars(left.values(plan_after=None).returning(Notice.id)).all()


def resolve_old(session: Session, project_id: int, *, batch: Batch, now: datetime) -> int:
    """Resolve a chunk of what is too old; how many there were.

    Whether an issue is still unresolved and still silent is asked in the update itself: an event that comes
    at the same moment keeps it open, or finds it resolved and reopens it. A run of which people have been
    told already is over: what is left is the next one's.
    """
    project = session.get(Project, project_id)
    if project is None or not project.resolve_age_hours or _is_told(session, batch):
        return 0
    old = _is_old(project, project.resolve_age_hours, now)
    ids = session.scalars(select(Issue.id).where(old).order_by(Issue.id).limit(CHUNK).with_for_update()).all()
    way = MOVES["age"]
    statement = update(Issue).where(Issue.id.in_(ids), old).values(moving.columns_of(way, now))
    resolved = session.scalars(
        statement.returning(Issue.id).execution_options(synchronize_session=False)
    ).all()
    _record(session, project, resolved, batch, now)
    return len(resolved)


def _is_told(session: Session, run: Batch) -> bool:
    planned = select(Notice.id).where(Notice.batch == run.name, Notice.planned_at.is_not(None))
    return session.scalar(planned.limit(1)) is not None


def _record(
    session: Session, project: Project, issue_ids: Collection[int], batch: Batch, now: datetime
) -> None:
    found = select(Issue).where(Issue.id.in_(issue_ids)).order_by(Issue.id).options(lazyload(Issue.project))
    issues = session.scalars(found.execution_options(populate_existing=True)).all()
    data = {"was": UNRESOLVED, "hours": project.resolve_age_hours}
    timeline.record_all(session, issues, MOVES["age"].activity, now=now, data=data, batch=batch)


def _is_old(project: Project, hours: int, now: datetime) -> ColumnElement[bool]:
    return (
        (Issue.project_id == project.id)
        & (Issue.status == UNRESOLVED)
        & (Issue.last_seen < now - timedelta(hours=hours))
    )


def count(session: Session, project: Project, hours: int, *, now: datetime) -> int:
    return session.scalar(select(func.count()).where(_is_old(project, hours, now))) or 0 if hours else 0


def effect(session: Session, project: Project, hours: int, *, now: datetime, instance: Defaults) -> Effect:
    """What choosing so many hours would do at the next run."""
    issues = count(session, project, hours, now=now)
    return Effect(issues, _told(session, project, hours, now, instance) if issues else 0)


def _told(session: Session, project: Project, hours: int, now: datetime, instance: Defaults) -> int:
    """How many people the evaluator would have told of at least one of the issues."""
    ids = _telling(session, _is_old(project, hours, now))
    told: set[int] = set()
    for start in range(0, len(ids), LOOKED_AT):
        notices = [_imagined(project, issue_id, now) for issue_id in ids[start : start + LOOKED_AT]]
        people = considering.people(session, notices, instance, now=now)
        for notice in notices:
            verdicts = routing.plan(Happening(KIND), people[notice])
            told |= {each.person_id for each in verdicts if each.outcome in (Outcome.SEND, Outcome.DEFER)}
    return len(told)


def _telling(session: Session, old: ColumnElement[bool]) -> Sequence[int]:
    """The issues that somebody has to do with, and one of the others: they all tell the same people."""
    tied = or_(
        Issue.id.in_(select(Subscription.issue_id)),
        Issue.id.in_(select(IssueMute.issue_id)),
    )
    found = select(Issue.id).where(old)
    return [*session.scalars(found.where(~tied).limit(1)), *session.scalars(found.where(tied))]


def _imagined(project: Project, issue_id: int, now: datetime) -> Notice:
    """The notice that there would be; never given to the session."""
    return Notice(kind=KIND.name, project_id=project.id, issue_id=issue_id, data={}, occurred_at=now)
