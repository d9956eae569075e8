"""Monitors and their environments as rows: found, made where a check-in names new ones, and set up by it."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, lazyload

from app.domain import monitors
from app.domain.check_ins import CheckIn as Sent
from app.domain.clocks import Clock
from app.domain.monitors import Config
from app.domain.schedules import Schedule
from app.models import Monitor, MonitorEnvironment, Project
from app.services.monitors import monitor_failures
from app.services.upserting import insert_missing

# Whoever knows a project's key may name a monitor.
MOST_MONITORS = 500
MOST_ENVIRONMENTS = 50
# Environments in a project that ring by themselves although no person said so.
MOST_WATCHED = 100
TOO_MANY_ENVIRONMENTS = f"It has {MOST_ENVIRONMENTS} environments, the most there may be: more are not kept."
TOO_MANY_WATCHED = (
    f"Check-ins may set up {MOST_WATCHED} environments in a project, and have done so: "
    "say on this page when it runs, and that check-ins may not change it."
)
KEPT_AS_SET = "Check-ins send other settings. They may not change what is set here, which holds."
CHANGED = "A check-in changed its settings"


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
    for name, value in _columns(config).items():
        setattr(monitor, name, value)
    if config.schedule != known.schedule:
        expect_anew(environments, config, now)
        return
    for environment in environments:
        environment.wake_at = now if environment.wake_at else None


def _columns(config: Config) -> dict[str, Any]:
    """As a monitor keeps it; without a schedule what was known of one stays."""
    numbers = {
        "margin": config.margin,
        "max_runtime": config.max_runtime,
        "failure_threshold": config.failures,
        "recovery_threshold": config.recoveries,
    }
    if config.schedule is None:
        return numbers
    kind, text, zone = config.schedule.kind, config.schedule.text, config.schedule.zone
    return {**numbers, "schedule_kind": kind, "schedule_text": text, "timezone": zone}


def expect_anew(environments: Iterable[MonitorEnvironment], config: Config, now: datetime) -> None:
    """What was expected so far is not missed any more; of a job that never came nothing is expected."""
    following = config.schedule.after(now) if config.schedule else None
    for environment in environments:
        is_awaited = environment.last_check_in_at and not environment.monitor.is_paused
        environment.expected_at = following if is_awaited else None
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
    first = found.order_by(MonitorEnvironment.wake_at, MonitorEnvironment.id).limit(most)
    return session.scalars(first.execution_options(populate_existing=True)).all()


def is_due(session: Session, until: datetime) -> bool:
    found = select(MonitorEnvironment.id).where(MonitorEnvironment.wake_at <= until).limit(1)
    return session.scalar(found) is not None


def count(session: Session, project_id: int) -> int:
    return session.scalar(select(func.count()).where(Monitor.project_id == project_id)) or 0


def count_watched(session: Session, project_id: int) -> int:
    """The environments that are expected to check in because check-ins said so."""
    theirs = (Monitor.project_id == project_id) & Monitor.is_sent & (Monitor.schedule_kind != "")
    found = select(func.count(MonitorEnvironment.id)).join(
        Monitor, Monitor.id == MonitorEnvironment.monitor_id
    )
    return session.scalar(found.where(theirs)) or 0


def ensure_environment(session: Session, monitor: Monitor, name: str) -> MonitorEnvironment:
    row = {"monitor_id": monitor.id, "name": name}
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
        "created_at": now,
        **_columns(Config()),
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
    """The monitors that a batch names, with few queries. Of several settings for one the last hold."""

    def __init__(self, session: Session, arrived: Collection[tuple[int, Sent]]) -> None:
        self._session = session
        project_ids, slugs = {each for each, _ in arrived}, {sent.slug for _, sent in arrived}
        rows = _lock(session, Monitor.project_id.in_(project_ids) & Monitor.slug.in_(slugs))
        self._monitors = {(row.project_id, row.slug): row for row in rows}
        self._configs = {(each, sent.slug): sent.config for each, sent in arrived if sent.config is not None}
        self._environments: dict[int, dict[str, MonitorEnvironment]] = defaultdict(dict)
        found = select(MonitorEnvironment).where(MonitorEnvironment.monitor_id.in_([row.id for row in rows]))
        for row in session.scalars(found.execution_options(populate_existing=True)):
            self._environments[row.monitor_id][row.name] = row
        self._counts: dict[int, int] = {}
        self._watched: dict[int, int] = {}

    @property
    def monitor_ids(self) -> Collection[int]:
        """Those that were there before."""
        return [row.id for row in self._monitors.values()]

    def place(self, sent: Sent, project: Project, *, now: datetime) -> MonitorEnvironment | None:
        """The environment that a check-in is of, set up as it says; None where there is no room."""
        monitor = self._monitors.get((project.id, sent.slug)) or self._make(sent, project, now)
        if monitor is None:
            return None
        environment = self._environments[monitor.id].get(sent.environment)
        if environment is None:
            environment = self._make_environment(monitor, sent.environment)
        if sent.config is not None:
            config = self._configs.pop((project.id, sent.slug), None)
            if config is not None:
                self._set_up(monitor, config, now)
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
        theirs = self._environments[monitor.id]
        if len(theirs) >= MOST_ENVIRONMENTS:
            _note(monitor, TOO_MANY_ENVIRONMENTS)
            return None
        if monitor.is_sent and monitor.schedule_kind and not self._may_watch(monitor, 1):
            return None
        theirs[name] = ensure_environment(self._session, monitor, name)
        return theirs[name]

    def _may_watch(self, monitor: Monitor, more: int) -> bool:
        """Whether check-ins may have so many more environments watched; they are counted if so."""
        if monitor.project_id not in self._watched:
            self._session.flush()
            self._watched[monitor.project_id] = count_watched(self._session, monitor.project_id)
        if self._watched[monitor.project_id] + more > MOST_WATCHED:
            _note(monitor, TOO_MANY_WATCHED)
            return False
        self._watched[monitor.project_id] += more
        return True

    def _set_up(self, monitor: Monitor, given: Any, now: datetime) -> None:
        """Settings that cannot be used are noted, and what holds goes on holding."""
        known = config_of(monitor)
        config, notes = monitors.read_config(given, known)
        may_change = monitor.is_sent or known.schedule is None
        if not may_change and config != known:
            notes = [KEPT_AS_SET]
        kept = [note for note in monitor.notes if _is_lasting(note)]
        if monitor.notes != [*kept, *notes]:
            monitor.notes = [*kept, *notes]
        if not may_change or config == known:
            return
        theirs = self._environments[monitor.id].values()
        is_new = known.schedule is None
        if is_new and config.schedule and not self._may_watch(monitor, len(theirs)):
            return
        monitor.is_sent = True
        set_config(monitor, theirs, config, now)
        if not is_new:
            _note_change(monitor, known, config, now)


def _note(monitor: Monitor, said: str) -> None:
    if said not in monitor.notes:
        monitor.notes = [*monitor.notes, said]


def _note_change(monitor: Monitor, known: Config, config: Config, now: datetime) -> None:
    """The last change stands there until somebody saves the settings."""
    when = Clock(now, monitor.timezone).full(now)
    others = [note for note in monitor.notes if not note.startswith(CHANGED)]
    monitor.notes = [*others, f"{CHANGED} {when}: {monitors.difference(known, config)}."]


def _is_lasting(note: str) -> bool:
    return note in (TOO_MANY_ENVIRONMENTS, TOO_MANY_WATCHED) or note.startswith(CHANGED)
