"""What pages and the API show of monitors: how they stand, their last check-ins, their issues."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, exists, func, or_, select, union_all
from sqlalchemy.orm import Session, lazyload, selectinload

from app.domain.check_ins import IN_PROGRESS
from app.domain.monitors import FAILING, OK, WAITING
from app.models import CheckIn, Issue, IssueHash, Monitor, MonitorEnvironment, User
from app.services import access
from app.services.monitors import monitor_rows

PAGE = 25
STRIP = 30
# SQLite takes 500 parts of a union.
TOGETHER = 400
CHECK_INS = 25
NOT_SET_UP, PAUSED = "not_set_up", "paused"


@dataclass(frozen=True, slots=True)
class Place:
    """One environment of a monitor; `strip` are its last check-ins, the oldest first."""

    row: MonitorEnvironment
    state: str
    strip: Sequence[CheckIn]

    @property
    def is_running(self) -> bool:
        return bool(self.strip) and self.strip[-1].status == IN_PROGRESS


@dataclass(frozen=True, slots=True)
class Shown:
    """A monitor with those of its environments that were heard of."""

    row: Monitor
    state: str
    schedule: str
    places: Sequence[Place]


@dataclass(frozen=True, slots=True)
class Listed:
    monitors: Sequence[Shown]
    total: int
    failing: int
    page: int
    has_more: bool


def listed(session: Session, projects: Collection[int], *, page: int = 1) -> Listed:
    """Those that fail first, then by name."""
    here = Monitor.project_id.in_(projects)
    found = in_order(here).offset((page - 1) * PAGE).limit(PAGE + 1)
    rows = session.scalars(found).all()
    return Listed(
        monitors=shown(session, rows[:PAGE]),
        total=session.scalar(select(func.count()).select_from(Monitor).where(here)) or 0,
        failing=session.scalar(select(func.count()).select_from(Monitor).where(here, _fails())) or 0,
        page=page,
        has_more=len(rows) > PAGE,
    )


def in_order(here: ColumnElement[bool]) -> Select[Monitor]:
    found = select(Monitor).where(here).order_by(_fails().desc(), Monitor.name, Monitor.id)
    return found.options(selectinload(Monitor.environments))


def _fails() -> ColumnElement[bool]:
    failing = (MonitorEnvironment.monitor_id == Monitor.id) & (MonitorEnvironment.status == FAILING)
    return exists().where(failing) & ~Monitor.is_paused


def shown(session: Session, rows: Sequence[Monitor]) -> list[Shown]:
    strips = _strips(session, [place.id for row in rows for place in row.environments])
    return [_shown(row, strips) for row in rows]


def _shown(row: Monitor, strips: Mapping[int, Sequence[CheckIn]]) -> Shown:
    config = monitor_rows.config_of(row)
    heard = [place for place in row.environments if place.last_check_in_at]
    places = [Place(place, _state(row, place.status), strips.get(place.id, ())) for place in heard]
    worst = next((state for state in (FAILING, OK) if any(each.status == state for each in heard)), WAITING)
    return Shown(row, _state(row, worst), config.schedule.words if config.schedule else "", places)


def _state(row: Monitor, status: str) -> str:
    if row.is_paused:
        return PAUSED
    return status if row.schedule_kind or status == FAILING else NOT_SET_UP


def _strips(session: Session, environment_ids: Sequence[int]) -> Mapping[int, Sequence[CheckIn]]:
    """The last check-ins of each, found by its index however many there are."""
    strips: dict[int, list[CheckIn]] = defaultdict(list)
    for start in range(0, len(environment_ids), TOGETHER):
        for row in session.scalars(_newest(environment_ids[start : start + TOGETHER])):
            strips[row.environment_id].append(row)
    return strips


def _newest(environment_ids: Sequence[int]) -> Select[CheckIn]:
    newest = [
        select(
            select(CheckIn.id)
            .where(CheckIn.environment_id == key)
            .order_by(CheckIn.started_at.desc(), CheckIn.id.desc())
            .limit(STRIP)
            .subquery()
        )
        for key in environment_ids
    ]
    found = select(CheckIn).where(CheckIn.id.in_(union_all(*newest))).options(lazyload("*"))
    return found.order_by(CheckIn.started_at, CheckIn.id)


def check_ins(
    session: Session, monitor: Monitor, *, environment: str = "", before: tuple[datetime, int] | None = None
) -> Sequence[CheckIn]:
    """The newest first; one more than fits a page."""
    found = newest_of(monitor, environment)
    if before:
        at, key = before
        older = or_(CheckIn.started_at < at, (CheckIn.started_at == at) & (CheckIn.id < key))
        found = found.where(older)
    return session.scalars(found.limit(CHECK_INS + 1)).all()


def newest_of(monitor: Monitor, environment: str = "") -> Select[CheckIn]:
    theirs = select(MonitorEnvironment.id).where(MonitorEnvironment.monitor_id == monitor.id)
    if environment:
        theirs = theirs.where(MonitorEnvironment.name == environment)
    return (
        select(CheckIn)
        .where(CheckIn.environment_id.in_(theirs))
        .order_by(CheckIn.started_at.desc(), CheckIn.id.desc())
        .options(selectinload(CheckIn.environment))
    )


def issues(session: Session, monitor: Monitor, user: User) -> Sequence[Issue]:
    """What its failures became, the latest first."""
    hashes = select(MonitorEnvironment.hash).where(MonitorEnvironment.monitor_id == monitor.id)
    mine = (IssueHash.project_id == monitor.project_id) & IssueHash.hash.in_(hashes)
    found = (
        select(Issue)
        .join(Issue.project)
        .where(Issue.id.in_(select(IssueHash.issue_id).where(mine)), access.sees_issue(user))
        .order_by(Issue.last_seen.desc(), Issue.id.desc())
    )
    return session.scalars(found).all()


def of_issue(session: Session, issue: Issue) -> Monitor | None:
    """The monitor whose failures an issue is made of."""
    hashes = select(IssueHash.hash).where(IssueHash.issue_id == issue.id)
    found = (
        select(Monitor)
        .join(MonitorEnvironment, MonitorEnvironment.monitor_id == Monitor.id)
        .where(MonitorEnvironment.hash.in_(hashes), Monitor.project_id == issue.project_id)
        .limit(1)
    )
    return session.scalar(found)
