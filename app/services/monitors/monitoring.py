"""Monitors as people set them up: made, changed, muted, paused, deleted."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.domain import monitors, schedules
from app.domain.errors import NotFound, Refused
from app.domain.ids import parse_id
from app.domain.monitors import Config
from app.domain.schedules import BadSchedule, BadZone, Schedule
from app.models import Monitor, Project
from app.services import limiting
from app.services.monitors import monitor_rows


@dataclass(frozen=True, slots=True)
class Wishes:
    """As they were typed; `schedule` is a crontab, or a number and a unit."""

    name: str
    kind: str
    schedule: str
    zone: str
    margin: str
    max_runtime: str
    failures: str
    recoveries: str
    is_sent: bool = False  # whether check-ins may change what is typed here


def find(session: Session, project: Project, slug: str) -> Monitor:
    found = session.scalar(select(Monitor).where(Monitor.project_id == project.id, Monitor.slug == slug))
    if found is None:
        raise NotFound
    return found


def named(session: Session, project_ids: Collection[int], name: str) -> Sequence[Monitor]:
    """Those of these projects with that slug or id; `NotFound` where there is none."""
    is_it = Monitor.slug == name
    if (id_ := parse_id(name)) is not None:
        is_it |= Monitor.id == id_
    found = session.scalars(select(Monitor).where(Monitor.project_id.in_(project_ids), is_it)).all()
    if not found:
        raise NotFound
    return found


def create(session: Session, project: Project, slug: str, wishes: Wishes, *, now: datetime) -> Monitor:
    """`Refused` says which field is wrong; the slug is what jobs name when they check in."""
    named = monitors.slug_of(slug or wishes.name)
    if not named:
        raise Refused("A slug needs a letter or a digit.", field="slug")
    same = select(Monitor.id).where(Monitor.project_id == project.id, Monitor.slug == named)
    if session.scalar(same) is not None:
        raise Refused(f"There is a monitor {named} already.", field="slug")
    theirs = select(Monitor.id).where(Monitor.project_id == project.id)
    full = Refused(f"A project has at most {monitor_rows.MOST_MONITORS} monitors.", field="slug")
    limiting.check_room(session, project, theirs, monitor_rows.MOST_MONITORS, full)
    name, config = _checked(wishes, named)
    made = monitor_rows.ensure(session, project, named, name, now)
    made.is_sent = wishes.is_sent
    monitor_rows.set_config(made, [], config, now)
    session.flush()
    return made


def change(session: Session, monitor: Monitor, wishes: Wishes, *, now: datetime) -> None:
    environments = monitor_rows.lock(session, monitor)
    name, config = _checked(wishes, monitor.slug)
    monitor.name, monitor.notes, monitor.is_sent = name, [], wishes.is_sent
    monitor_rows.set_config(monitor, environments, config, now)
    session.flush()


def mute(session: Session, monitor: Monitor, *, muted: bool) -> None:
    """While it is muted its failures are listed, and make no events."""
    monitor_rows.lock(session, monitor)
    monitor.is_muted = muted
    session.flush()


def pause(session: Session, monitor: Monitor, *, paused: bool, now: datetime) -> None:
    """While it is paused check-ins are listed, nothing is expected and nothing fails."""
    environments = monitor_rows.lock(session, monitor)
    monitor.is_paused = paused
    monitor_rows.expect_anew(environments, monitor_rows.config_of(monitor), now)
    session.flush()


def remove(session: Session, monitor: Monitor) -> None:
    """With its check-ins; its issues stay. A job that goes on checking in is listed again."""
    session.execute(delete(Monitor).where(Monitor.id == monitor.id))


def schedule(kind: str, text: str, zone: str) -> Schedule:
    """`Refused` says what is wrong with what was typed."""
    field = "every" if kind == schedules.INTERVAL else "crontab"
    if not text.strip():
        raise Refused("Say when the job runs.", field=field)
    try:
        return schedules.checked(kind, text, zone)
    except BadZone as error:
        raise Refused(str(error), field="timezone") from None
    except BadSchedule as error:
        raise Refused(str(error), field=field) from None


def _checked(wishes: Wishes, slug: str) -> tuple[str, Config]:
    found = schedule(wishes.kind, wishes.schedule, wishes.zone)
    numbers = {each.name: _number(getattr(wishes, each.name), each) for each in monitors.MEMBERS}
    return monitors.name_of(wishes.name) or slug, Config(found, **numbers)


def _number(text: str, member: monitors.Member) -> int:
    number = int(text) if text.strip().isascii() and text.strip().isdigit() and len(text) < 9 else -1
    if not member.least <= number <= member.most:
        raise Refused(f"A whole number from {member.least} to {member.most:,}.", field=member.name)
    return number
