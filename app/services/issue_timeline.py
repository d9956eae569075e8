"""What happened to an issue, newest first: its activities, and the alerts that rang for its events."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.kinds import ALERTS, KINDS
from app.models import Activity, AlertRule, Issue, Notice, User

SHOWN_AT_FIRST, SHOWN_AT_MOST = 50, 1000
FIRST_SEEN, ALERT, COMMENT = "first_seen", "alert", "note"
ALERT_KINDS = tuple(name for name, kind in KINDS.items() if kind.category == ALERTS)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the timeline. `type` names its template; `notice` is the one that was made of it."""

    type: str
    anchor: str
    at: datetime
    data: Mapping[str, Any]
    activity_id: int = 0
    actor_id: int | None = None
    actor: str | None = None
    event_id: str | None = None
    notice_id: int | None = None
    notice: str | None = None

    @property
    def who(self) -> str:
        return self.actor or "Tocsin"

    def repeats(self, other: "Entry") -> bool:
        """Whether it says the same again; two equal comments are two comments."""
        same = (self.type, self.actor_id, self.data) == (other.type, other.actor_id, other.data)
        return same and self.type not in (COMMENT, ALERT)


@dataclass(frozen=True, slots=True)
class Timeline:
    """`more` is true when older entries were left out."""

    entries: Sequence[Entry]
    more: bool

    @property
    def newest_activity(self) -> int:
        return max((entry.activity_id for entry in self.entries), default=0)

    @property
    def notice_ids(self) -> list[int]:
        return [entry.notice_id for entry in self.entries if entry.notice_id is not None]


def newest_activity(session: Session, issue: Issue) -> int:
    """The id of the last thing that happened to the issue, or 0."""
    return session.scalar(select(func.max(Activity.id)).where(Activity.issue_id == issue.id)) or 0


def of(session: Session, issue: Issue, *, limit: int = SHOWN_AT_FIRST) -> Timeline:
    """Two queries, however long the history is. The first sight of the issue is its oldest entry."""
    found = [*_activities(session, issue, limit + 1), *_alerts(session, issue, limit + 1)]
    found.sort(key=lambda entry: entry.at, reverse=True)
    more = len(found) > limit
    entries = _without_repeats(found[:limit])
    return Timeline(entries if more else [*entries, _first_sight(issue)], more)


def _activities(session: Session, issue: Issue, limit: int) -> Iterable[Entry]:
    rows = session.execute(
        select(Activity, User.name, Notice.id, Notice.public_id, Notice.event_id)
        .outerjoin(User, User.id == Activity.actor_id)
        .outerjoin(Notice, Notice.activity_id == Activity.id)
        .where(Activity.issue_id == issue.id)
        .order_by(Activity.id.desc())
        .limit(limit)
    )
    for activity, actor, notice_id, public_id, event_id in rows:
        yield Entry(
            type=activity.type,
            anchor=f"activity-{activity.id}",
            at=activity.created_at,
            data=activity.data,
            activity_id=activity.id,
            actor_id=activity.actor_id,
            actor=actor,
            event_id=event_id or activity.data.get("event_id"),
            notice_id=notice_id,
            notice=public_id,
        )


def _alerts(session: Session, issue: Issue, limit: int) -> Iterable[Entry]:
    rows = session.execute(
        select(Notice.id, Notice.public_id, Notice.kind, Notice.event_id, Notice.occurred_at, AlertRule.name)
        .outerjoin(AlertRule, AlertRule.id == Notice.rule_id)
        .where(Notice.issue_id == issue.id, Notice.kind.in_(ALERT_KINDS))
        .order_by(Notice.id.desc())
        .limit(limit)
    )
    for notice_id, public_id, kind, event_id, at, rule in rows:
        yield Entry(
            type=ALERT,
            anchor=f"notice-{public_id}",
            at=at,
            data={"rule": rule, "word": KINDS[kind].word},
            event_id=event_id,
            notice_id=notice_id,
            notice=public_id,
        )


def _without_repeats(entries: Sequence[Entry]) -> list[Entry]:
    kept = [older for newer, older in pairwise(entries) if not older.repeats(newer)]
    return [*entries[:1], *kept]


def _first_sight(issue: Issue) -> Entry:
    return Entry(FIRST_SEEN, "first-seen", issue.first_seen, {"release": issue.first_release})
