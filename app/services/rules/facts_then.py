"""What alert rules were told of a stored event: found out anew, long afterwards.

Events are stored in the order in which they were digested, so those with a higher id were not there yet.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app.domain.alerting import EVENTS, Facts, IssueFacts, Window
from app.models import Activity, Event, Issue, Notice
from app.services.events import event_body
from app.services.releases import releases

ASSIGNING = ("assigned", "unassigned")


def facts(session: Session, issue: Issue, event: Event) -> Facts:
    body = event_body.unpack(event.body)
    tags = body.pop("tags", ())
    made = session.scalars(
        select(Notice.kind).where(Notice.issue_id == issue.id, Notice.event_id == event.event_id)
    ).all()
    return Facts(
        level=event.level,
        environment=event.environment,
        is_new=_earlier(session, event) == 0 and event.timestamp <= issue.first_seen,
        is_new_here=bool(event.environment) and _earlier(session, event, here=True) == 0,
        is_regression="regression" in made,
        is_reappeared="unignored" in made,
        release=event.release,
        at=event.received_at,
        data=body,
        tags=tags,
        issue=_issue(session, issue, event),
        lookup=Then(session, event),
    )


def _earlier(session: Session, event: Event, *, here: bool = False) -> int:
    found = select(Event.id).where(Event.issue_id == event.issue_id, Event.id < event.id)
    if here:
        found = found.where(Event.environment == event.environment)
    return session.scalar(select(func.count()).select_from(found.limit(1).subquery())) or 0


def _issue(session: Session, issue: Issue, event: Event) -> IssueFacts:
    later = select(func.count()).where(Event.issue_id == issue.id, Event.id > event.id)
    user_id, team_id = _assignee(session, issue, event.received_at)
    return IssueFacts(issue.first_seen, issue.times_seen - (session.scalar(later) or 0), user_id, team_id)


def _assignee(session: Session, issue: Issue, at: datetime) -> tuple[int | None, int | None]:
    """Whoever had it at that moment: as the last change before it says, else the first one after it."""
    changes = select(Activity.data).where(Activity.issue_id == issue.id, Activity.type.in_(ASSIGNING))
    before = changes.where(Activity.created_at <= at).order_by(Activity.id.desc()).limit(1)
    if (data := session.scalar(before)) is not None:
        return assignee_in(data, "to")
    after = changes.where(Activity.created_at > at).order_by(Activity.id).limit(1)
    if (data := session.scalar(after)) is not None:
        return assignee_in(data, "was")
    return issue.assignee_user_id, issue.assignee_team_id


def assignee_in(data: Mapping[str, Any], name: str) -> tuple[int | None, int | None]:
    """Whom an activity names: the user or the team."""
    who = data.get(name) or {}
    return (
        who.get("id") if who.get("type") == "user" else None,
        who.get("id") if who.get("type") == "team" else None,
    )


@dataclass(frozen=True, slots=True)
class Then:
    """What is counted at a stored event, from the events themselves."""

    session: Session
    event: Event

    def number(self, window: Window, *, earlier: int = 0) -> int:
        until = self.event.received_at - timedelta(minutes=earlier)
        what = func.count() if window.noun == EVENTS else func.count(Event.user_ident.distinct())
        found = self._known(select(what), window.environment)
        found = found.where(Event.received_at >= until - timedelta(minutes=window.minutes))
        if earlier:
            found = found.where(Event.received_at < until)
        return self.session.scalar(found) or 0

    def exceeds(self, window: Window, limit: int) -> bool:
        return self.number(window) > limit

    def grew(self, window: Window, *, earlier: int, percent: int) -> bool:
        before = self.number(window, earlier=earlier)
        return before > 0 and (self.number(window) - before) * 100 > percent * before

    def newest_release(self, environment: str | None) -> str | None:
        at = self.event.received_at
        known = releases.newest_of(self.session, self.event.project_id, environment, until=at)
        own = releases.newest_of(self.session, self.event.project_id, environment)
        found = [*known, *own]
        return next((row.version for row in found if releases.is_known(row, self.event)), None)

    def _known(self, query: Select[Any], environment: str | None) -> Select[Any]:
        known = query.where(Event.issue_id == self.event.issue_id, Event.id <= self.event.id)
        return known if environment is None else known.where(Event.environment == environment)
