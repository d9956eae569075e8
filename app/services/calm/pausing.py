"""Maintenance windows of projects: which there are, and what they hold now."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select, tuple_
from sqlalchemy.orm import Session, joinedload

from app.domain import pauses
from app.domain.errors import NotFound
from app.domain.kinds import ALERTS, KINDS
from app.domain.lifecycle import UNRESOLVED
from app.domain.pauses import Window
from app.domain.routing import Outcome
from app.models import Digest, Environment, Event, Issue, Notice, Pause, Project, SettingAudit, User, Verdict

# Digests with this key hold what a project's maintenance keeps back.
PAUSED = "paused"
CODE = "project_paused"
AUDIT = "pause"
# What several of about one issue are told as one: the latest speaks for all.
TROUBLE = tuple(name for name, kind in KINDS.items() if kind.category == ALERTS or name == pauses.REGRESSION)


def key_of(project_id: int | None) -> str:
    """The key of the digest that collects what is held while the project is paused."""
    return f"{PAUSED}:{project_id}"


def window(row: Pause) -> Window:
    """The window of a row, as the domain reckons with it."""
    return Window(row.starts_at, row.ends_at, row.weekly, row.timezone, row.environment, row.scope)


# What they hold


@dataclass(frozen=True, slots=True)
class Hold:
    """Until when notices wait, and what people gave as the reason."""

    until: datetime
    why: str


def held(
    session: Session, notices: Iterable[Notice], *, now: datetime, known: Iterable[Pause] | None = None
) -> dict[Notice, Hold]:
    """Which of these wait for the end of a maintenance; the others are missing.

    `known` are all windows of the one project that they are of, where those have been read.
    """
    asked = [notice for notice in notices if notice.project_id is not None]
    of_project = (
        _going_on(session, {notice.project_id or 0 for notice in asked}, now)
        if known is None
        else _by_project(known, now)
    )
    paused = [notice for notice in asked if notice.project_id in of_project]
    if not paused:
        return {}
    places = _environments(session, paused, of_project.values())
    found = {}
    for notice in paused:
        place = places.get((notice.project_id, notice.event_id))
        hold = _hold(of_project[notice.project_id or 0], notice, place, now)
        if hold:
            found[notice] = hold
    return found


def _hold(rows: Iterable[Pause], notice: Notice, environment: str | None, now: datetime) -> Hold | None:
    meant = [row for row in rows if window(row).holds_for(KINDS[notice.kind], environment)]
    until = pauses.until([window(row) for row in meant], now)
    if until is None:
        return None
    return Hold(until, next((row.reason for row in meant if window(row).span_at(now)), ""))


def _going_on(session: Session, project_ids: Collection[int], now: datetime) -> Mapping[int, list[Pause]]:
    """The windows, over or to come, of those of these projects in which one holds now."""
    begun = select(Pause).where(Pause.project_id.in_(project_ids), _is_alive(now))
    return _by_project(session.scalars(begun), now)


def _by_project(windows: Iterable[Pause], now: datetime) -> Mapping[int, list[Pause]]:
    found: dict[int, list[Pause]] = defaultdict(list)
    for row in sorted(windows, key=lambda each: each.id):
        found[row.project_id].append(row)
    return {
        project_id: rows
        for project_id, rows in found.items()
        if any(window(row).span_at(now) for row in rows)
    }


def _is_alive(now: datetime) -> ColumnElement[bool]:
    return or_(Pause.weekly, Pause.ends_at > now)


def _environments(
    session: Session, notices: Iterable[Notice], windows: Iterable[Iterable[Pause]]
) -> Mapping[tuple[int | None, str | None], str]:
    """Where the events of these happened, where a window asks for that."""
    if not any(row.environment for rows in windows for row in rows):
        return {}
    keys = {(notice.project_id, notice.event_id) for notice in notices if notice.event_id}
    named = tuple_(Event.project_id, Event.event_id).in_(keys)
    found = select(Event.project_id, Event.event_id, Event.environment).where(named)
    return {(project_id, event_id): place for project_id, event_id, place in session.execute(found)}


def current(project: Project, *, now: datetime) -> list[Pause]:
    """The windows that hold now; the one that lets go last comes first."""
    spans = [(span[1], row) for row in project.pauses if (span := window(row).span_at(now))]
    return [row for _, row in sorted(spans, key=lambda pair: pair[0], reverse=True)]


def ends_of(row: Pause, *, now: datetime) -> datetime | None:
    """When it lets go, if it holds now."""
    span = window(row).span_at(now)
    return span[1] if span else None


# Which there are


def of_project(session: Session, project: Project, *, now: datetime) -> Sequence[Pause]:
    """Those that hold, or will again; the first to come first."""
    found = select(Pause).where(Pause.project_id == project.id, _is_alive(now))
    rows = session.scalars(found.options(joinedload(Pause.created_by))).all()
    return sorted(rows, key=lambda row: (_begins(row, now), row.id))


def _begins(row: Pause, now: datetime) -> datetime:
    span = window(row).span_at(now) or window(row).next_span(now)
    return span[0] if span else row.ends_at


def find(session: Session, project: Project, pause_id: int) -> Pause:
    """One of the project's, else `NotFound`."""
    row = session.get(Pause, pause_id)
    if row is None or row.project_id != project.id:
        raise NotFound
    return row


def environments(session: Session, project: Project) -> Sequence[str]:
    """Those that the project has been seen in."""
    known = select(Environment.name).where(Environment.project_id == project.id)
    return session.scalars(known).all()


@dataclass(frozen=True, slots=True)
class Held:
    """What waits for a project's maintenance to end: how many issues, for how many people."""

    issues: int
    people: int


def waiting(session: Session, project: Project) -> Held:
    """What is held for people now, as far as its issues are still unresolved."""
    found = (
        select(func.count(Notice.issue_id.distinct()), func.count(Verdict.subject_id.distinct()))
        .select_from(Digest)
        .join(Verdict, Verdict.digest_id == Digest.id)
        .join(Verdict.notice)
        .join(Notice.issue)
        .where(Digest.key == key_of(project.id), Digest.closed_at.is_(None))
        .where(Verdict.outcome == Outcome.DEFER, Issue.status == UNRESOLVED)
    )
    issues, people = session.execute(found).one()
    return Held(issues, people)


def changes(session: Session, project: Project, *, limit: int = 20) -> list[tuple[SettingAudit, str | None]]:
    """Who made, changed and ended windows; the newest first."""
    found = (
        select(SettingAudit, User.name)
        .outerjoin(User, User.id == SettingAudit.actor_id)
        .where(SettingAudit.category == AUDIT, SettingAudit.scope == "project")
        .where(SettingAudit.scope_id == project.id)
        .order_by(SettingAudit.id.desc())
        .limit(limit)
    )
    return [(change, name) for change, name in session.execute(found)]


def is_settled(verdict: Verdict) -> bool:
    """Whether what a maintenance held has settled meanwhile: then it is told to nobody."""
    issue = verdict.notice.issue
    is_about_trouble = verdict.notice.kind == pauses.REGRESSION
    return verdict.code == CODE and is_about_trouble and (issue is None or issue.status != UNRESOLVED)


def awaits_summary(now: datetime) -> ColumnElement[bool]:
    """Windows whose last time may be over, and untold to integrations."""
    return and_(
        Pause.starts_at < now,
        or_(Pause.weekly, Pause.ends_at <= now),
        or_(Pause.summed_up_at.is_(None), Pause.summed_up_at < now),
    )
