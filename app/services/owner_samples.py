"""Events of a project against which lines of owners are tried before they are saved."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, aliased

from app.domain import ownership
from app.domain.lifecycle import UNRESOLVED
from app.domain.ownership import Rules
from app.domain.ownership_lines import Match
from app.models import Event, Issue, Project
from app.services import event_body
from app.services.access import IS_THERE

RECENT = 500
MOST_ISSUES = 500
LATELY = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Sampled:
    """An event as it was stored."""

    issue_id: int
    data: Mapping[str, Any]
    _matches: dict[int, list[Match]] = field(default_factory=dict)

    def matches(self, rules: Rules) -> list[Match]:
        """Looked up once for each rules; they live as long as the sample, so that no two have one id."""
        found = self._matches.get(id(rules))
        if found is None:
            found = ownership.match(rules, self.data, self.data.get("tags") or ())
            self._matches[id(rules)] = found
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
    """Three queries."""
    recent = session.execute(_recent(project)).all()
    statuses = {row.id: row.status for row in session.execute(_issues(project, now))}
    seen = {row.issue_id for row in recent}
    others = latest(session, statuses.keys() - seen)
    events = [_sampled(row) for row in recent]
    newest = {each.issue_id: each for each in reversed(events)}
    newest |= others
    return Sample(
        recent=events,
        latest=[each for issue_id, each in newest.items() if issue_id in statuses],
        open_issues=frozenset(issue_id for issue_id, status in statuses.items() if status == UNRESOLVED),
    )


def latest(session: Session, issue_ids: Iterable[int]) -> dict[int, Sampled]:
    """The last event of each issue, as far as it is kept."""
    return {row.issue_id: _sampled(row) for row in session.execute(_latest(issue_ids))}


def _recent(project: Project) -> Select[int, bytes]:
    return (
        select(Event.issue_id, Event.body)
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


def _latest(issue_ids: Iterable[int]) -> Select[int, bytes]:
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
    return select(Event.issue_id, Event.body).where(Event.id.in_(ids))


def _sampled(row: Any) -> Sampled:
    return Sampled(row.issue_id, event_body.outline(row.body))
