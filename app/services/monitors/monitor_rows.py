"""Monitors and their environments as rows: found, made where a check-in names new ones, and set up by it."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, lazyload

from app.domain import monitors
from app.domain.check_ins import CheckIn as Sent
from app.domain.monitors import Config
from app.domain.schedules import Schedule
from app.models import Monitor, MonitorEnvironment, Project
from app.services.monitors import monitor_failures
from app.services.upserting import insert_missing

# Whoever knows a project's key may name a monitor.
MOST_MONITORS = 500
MOST_ENVIRONMENTS = 50
TOO_MANY_ENVIRONMENTS = f"It has {MOST_ENVIRONMENTS} environments, the most there may be: more are not kept."


def config_of(monitor: Monitor) -> Config:
    schedule = None
    if monitor.schedule_kind:
        schedule = Schedule(monitor.schedule_kind, monitor.schedule_text, monitor.timezone)
    return Config(
        schedule,
        margin=monitor.margin,
        max_runtime=monitor.max_runtime,
        failures=monitor.failure_threshold,
        recoveries=monitor.recovery_threshold,
    )


def set_config(
    monitor: Monitor, environments: Iterable[MonitorEnvironment], config: Config, now: datetime
) -> None:
    """Have it watched like this from now on."""
    known = config_of(monitor)
    if config.schedule:
        monitor.schedule_kind, monitor.schedule_text = config.schedule.kind, config.schedule.text
        monitor.timezone = config.schedule.zone
    monitor.margin, monitor.max_runtime = config.margin, config.max_runtime
    monitor.failure_threshold, monitor.recovery_threshold = config.failures, config.recoveries
    for environment in environments:
        if config.schedule != known.schedule:
            expect_anew(environment, config, now)
        elif environment.wake_at:
            environment.wake_at = now


def expect_anew(environment: MonitorEnvironment, config: Config, now: datetime) -> None:
    """What was expected so far is not missed any more; of a job that never came nothing is expected."""
    is_awaited = environment.last_check_in_at and not environment.monitor.is_paused
    environment.expected_at = config.schedule.after(now) if config.schedule and is_awaited else None
    # Whoever looks too early finds out when to look again.
    environment.wake_at = now if is_awaited else environment.wake_at


def wake_at(environment: MonitorEnvironment, run_ends: datetime | None) -> datetime | None:
    """When the next check-in is missed, or an open run has taken too long."""
    grace = config_of(environment.monitor).grace
    due = environment.expected_at + grace if environment.expected_at else None
    return min(filter(None, (due, run_ends)), default=None)


def due(session: Session, until: datetime, most: int) -> Sequence[MonitorEnvironment]:
    """Those to be looked at, locked with their monitors."""
    ids = select(MonitorEnvironment.monitor_id).where(MonitorEnvironment.wake_at <= until)
    some = session.scalars(ids.order_by(MonitorEnvironment.wake_at).limit(most)).all()
    _lock(session, Monitor.id.in_(some))
    found = select(MonitorEnvironment).where(
        MonitorEnvironment.monitor_id.in_(some), MonitorEnvironment.wake_at <= until
    )
    return session.scalars(
        found.order_by(MonitorEnvironment.wake_at, MonitorEnvironment.id).execution_options(
            populate_existing=True
        )
    ).all()


def is_due(session: Session, until: datetime) -> bool:
    found = select(MonitorEnvironment.id).where(MonitorEnvironment.wake_at <= until).limit(1)
    return session.scalar(found) is not None


def count(session: Session, project_id: int) -> int:
    return session.scalar(select(func.count()).where(Monitor.project_id == project_id)) or 0


def ensure_environment(session: Session, monitor: Monitor, name: str) -> MonitorEnvironment:
    row = {
        "monitor_id": monitor.id,
        "name": name,
        "hash": "",
        "status": monitors.WAITING,
        "failures": 0,
        "successes": 0,
    }
    insert_missing(session, MonitorEnvironment, [row], "monitor_id", "name")
    same = (MonitorEnvironment.monitor_id == monitor.id) & (MonitorEnvironment.name == name)
    made = session.scalars(select(MonitorEnvironment).where(same)).one()
    made.hash = monitor_failures.hash_of(made.id)
    return made


def ensure(session: Session, project: Project, slug: str, name: str, now: datetime) -> Monitor:
    row = {
        "project_id": project.id,
        "slug": slug,
        "name": name or slug,
        "schedule_kind": "",
        "schedule_text": "",
        "timezone": "UTC",
        "margin": 1,
        "max_runtime": 30,
        "failure_threshold": 1,
        "recovery_threshold": 1,
        "is_sent": False,
        "is_paused": False,
        "is_muted": False,
        "notes": [],
        "created_at": now,
    }
    insert_missing(session, Monitor, [row], "project_id", "slug")
    [made] = _lock(session, (Monitor.project_id == project.id) & (Monitor.slug == slug))
    return made


def lock(session: Session, monitor: Monitor) -> Sequence[MonitorEnvironment]:
    """The monitor and its environments as they are now, held until the transaction ends."""
    _lock(session, Monitor.id == monitor.id)
    theirs = select(MonitorEnvironment).where(MonitorEnvironment.monitor_id == monitor.id)
    return session.scalars(theirs.execution_options(populate_existing=True)).all()


def _lock(session: Session, which: ColumnElement[bool]) -> Sequence[Monitor]:
    """As they are now, in one order; whoever changes one on a page waits, or is waited for."""
    found = select(Monitor).where(which).order_by(Monitor.id).options(lazyload(Monitor.project))
    return session.scalars(
        found.with_for_update(key_share=True).execution_options(populate_existing=True)
    ).all()


class Book:
    """The monitors that a batch names, with few queries."""

    def __init__(self, session: Session, named: Iterable[tuple[int, str]]) -> None:
        self._session = session
        wanted = set(named)
        project_ids, slugs = {each for each, _ in wanted}, {slug for _, slug in wanted}
        rows = _lock(session, Monitor.project_id.in_(project_ids) & Monitor.slug.in_(slugs))
        self._monitors = {(row.project_id, row.slug): row for row in rows}
        found = select(MonitorEnvironment).where(MonitorEnvironment.monitor_id.in_([row.id for row in rows]))
        self._environments = {
            (row.monitor_id, row.name): row
            for row in session.scalars(found.execution_options(populate_existing=True))
        }
        self._counts: dict[int, int] = {}

    @property
    def monitor_ids(self) -> Collection[int]:
        """Those that were there before."""
        return [row.id for row in self._monitors.values()]

    def place(self, sent: Sent, project: Project, *, now: datetime) -> MonitorEnvironment | None:
        """The environment that a check-in is of, set up as it says; None where there is no room."""
        monitor = self._monitors.get((project.id, sent.slug)) or self._make(sent, project, now)
        if monitor is None:
            return None
        environment = self._environments.get((monitor.id, sent.environment))
        if environment is None:
            environment = self._make_environment(monitor, sent.environment)
        if sent.config is not None:
            self._set_up(monitor, sent, now)
        return environment

    def _make(self, sent: Sent, project: Project, now: datetime) -> Monitor | None:
        if project.id not in self._counts:
            self._counts[project.id] = count(self._session, project.id)
        if self._counts[project.id] >= MOST_MONITORS:
            return None
        self._counts[project.id] += 1
        made = ensure(self._session, project, sent.slug, sent.name, now)
        self._monitors[project.id, sent.slug] = made
        return made

    def _make_environment(self, monitor: Monitor, name: str) -> MonitorEnvironment | None:
        if sum(key[0] == monitor.id for key in self._environments) >= MOST_ENVIRONMENTS:
            if TOO_MANY_ENVIRONMENTS not in monitor.notes:
                monitor.notes = [*monitor.notes, TOO_MANY_ENVIRONMENTS]
            return None
        made = ensure_environment(self._session, monitor, name)
        self._environments[monitor.id, name] = made
        return made

    def _set_up(self, monitor: Monitor, sent: Sent, now: datetime) -> None:
        """Settings that cannot be used are noted, and what holds goes on holding."""
        known = config_of(monitor)
        config, notes = monitors.read_config(sent.config, known)
        kept = [note for note in monitor.notes if note == TOO_MANY_ENVIRONMENTS]
        if monitor.notes != [*kept, *notes]:
            monitor.notes = [*kept, *notes]
        if not notes:
            monitor.is_sent = True
        if config == known:
            return
        theirs = [row for (key, _), row in self._environments.items() if key == monitor.id]
        set_config(monitor, theirs, config, now)
