"""Events of a project against which lines of owners are tried before they are saved."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, aliased

from app.domain.lifecycle import UNRESOLVED
from app.domain.ownership_lines import Match
from app.models import Event, Issue, Project
from app.services.access import IS_THERE
from app.services.owners import owner_scenes
from app.services.owners.owner_scenes import COLUMNS, Matcher, Scene

RECENT = 500
MOST_ISSUES = 500
LATELY = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Sampled:
    """An event as it was stored."""

    issue_id: int
    scene: Scene
    _matches: dict[int, list[Match]] = field(default_factory=dict)

    def matches(self, lines: Matcher) -> list[Match]:
        """Looked up once for each; they live as long as the sample, so that no two have one id."""
        found = self._matches.get(id(lines))
        if found is None:
            found = self._matches[id(lines)] = lines.matches(self.scene)
        return found


@dataclass(frozen=True, slots=True)
class Sample:
    """The last events, and the last one of every issue that was seen lately; `open_issues` are unresolved."""

    recent: Sequence[Sampled]
    latest: Sequence[Sampled]
    open_issues: frozenset[int]

    @property
    def open(self) -> list[Sampled]:
        return [each for each in self.latest if each.issue_id in self.open_issues]


def of(session: Session, project: Project, *, now: datetime) -> Sample:
    """Three queries, and two more for what this process has not read before."""
    events = _sampled(session, session.execute(_recent(project)).all())
    statuses = {row.id: row.status for row in session.execute(_issues(project, now))}
    others = latest(session, statuses.keys() - {each.issue_id for each in events})
    newest = {each.issue_id: each for each in reversed(events)}
    newest |= others
    return Sample(
        recent=events,
        latest=[each for issue_id, each in newest.items() if issue_id in statuses],
        open_issues=frozenset(issue_id for issue_id, status in statuses.items() if status == UNRESOLVED),
    )


def latest(session: Session, issue_ids: Iterable[int]) -> dict[int, Sampled]:
    """The last event of each issue, as far as it is kept."""
    rows = session.execute(_latest(issue_ids)).all()
    return {each.issue_id: each for each in _sampled(session, rows)}


def _recent(project: Project) -> Select[int, int, str, datetime]:
    return (
        select(*COLUMNS)
        .where(Event.project_id == project.id)
        .order_by(Event.received_at.desc(), Event.id.desc())
        .limit(RECENT)
    )


def _issues(project: Project, now: datetime) -> Select[int, str]:
    return (
        select(Issue.id, Issue.status)
        .where(Issue.project_id == project.id, IS_THERE, Issue.last_seen >= now - LATELY)
        .order_by(Issue.last_seen.desc())
        .limit(MOST_ISSUES)
    )


def _latest(issue_ids: Iterable[int]) -> Select[int, int, str, datetime]:
    other = aliased(Event)
    newest = (
        select(other.id)
        .where(other.issue_id == Issue.id)
        .order_by(other.timestamp.desc(), other.id.desc())
        .limit(1)
        .correlate(Issue)
        .scalar_subquery()
    )
    ids = select(newest).select_from(Issue).where(Issue.id.in_(issue_ids))
    return select(*COLUMNS).where(Event.id.in_(ids))


def _sampled(session: Session, rows: Sequence[Any]) -> list[Sampled]:
    """As far as they are still there."""
    scenes = owner_scenes.of(session, rows)
    return [Sampled(row.issue_id, scenes[row.id]) for row in rows if row.id in scenes]
