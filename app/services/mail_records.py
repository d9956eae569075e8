"""What mails ask of the past: the event, the hours before it, how the issue was settled, who was told."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from app.domain.kinds import ALERTS, KINDS, RESOLVING
from app.domain.routing import Outcome
from app.models import Activity, Digest, Event, Issue, IssueHour, Notice, User, Verdict

HOURS = 24
ALERT_KINDS = tuple(name for name, kind in KINDS.items() if kind.category == ALERTS)


class Records(Protocol):
    """The database, or what the gallery makes up."""

    def event(self, notice: Notice) -> Event | None:
        """The event that caused the notice: never the latest, never the first."""

    def event_before(self, event: Event) -> datetime | None:
        """When the issue had happened last before that."""

    def hours(self, issue: Issue, until: datetime) -> Sequence[int]:
        """Events in each of the 24 hours up to then, the oldest first."""

    def settled(self, notice: Notice) -> Activity | None:
        """How the issue had been resolved, before it came back."""

    def person(self, user_id: int | None) -> str:
        """A person's name."""

    def told(self, notice: Notice, user_ids: Collection[int]) -> int:
        """How many of these people are told of the notice."""

    def rang(self, digest: Digest) -> Sequence[Notice]:
        """The alerts that reached its person while everything else was held."""


class StoredRecords:
    """The database's answers."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._events: dict[int, Event | None] = {}

    def event(self, notice: Notice) -> Event | None:
        if notice.event_id and notice.id not in self._events:
            named = Event.project_id == notice.project_id, Event.event_id == notice.event_id
            self._events[notice.id] = self.session.scalar(select(Event).where(*named))
        return self._events.get(notice.id)

    def event_before(self, event: Event) -> datetime | None:
        earlier = Event.issue_id == event.issue_id, Event.timestamp < event.timestamp
        return self.session.scalar(select(func.max(Event.timestamp)).where(*earlier))

    def hours(self, issue: Issue, until: datetime) -> Sequence[int]:
        last = until.replace(minute=0, second=0, microsecond=0)
        first = last - timedelta(hours=HOURS - 1)
        within = IssueHour.issue_id == issue.id, IssueHour.hour.between(first, last)
        found = self.session.execute(select(IssueHour.hour, IssueHour.count).where(*within))
        counts = {hour: count for hour, count in found}
        return [counts.get(first + timedelta(hours=n), 0) for n in range(HOURS)]

    def settled(self, notice: Notice) -> Activity | None:
        found = select(Activity).where(
            Activity.issue_id == notice.issue_id,
            Activity.type.in_(RESOLVING),
            Activity.id < (notice.activity_id or 0),
        )
        newest = found.order_by(Activity.id.desc()).limit(1).options(joinedload(Activity.actor))
        return self.session.scalar(newest)

    def person(self, user_id: int | None) -> str:
        user = self.session.get(User, user_id) if user_id else None
        return user.name if user else ""

    def told(self, notice: Notice, user_ids: Collection[int]) -> int:
        reached = Verdict.outcome.in_((Outcome.SEND, Outcome.DEFER))
        found = select(func.count()).where(
            Verdict.notice_id == notice.id,
            Verdict.subject == "user",
            Verdict.subject_id.in_(user_ids),
            reached,
        )
        return self.session.scalar(found) or 0

    def rang(self, digest: Digest) -> Sequence[Notice]:
        found = (
            select(Notice)
            .join(Verdict, Verdict.notice_id == Notice.id)
            .where(
                Verdict.subject == "user",
                Verdict.subject_id == digest.user_id,
                Verdict.outcome == Outcome.SEND,
                Notice.kind.in_(ALERT_KINDS),
                Notice.occurred_at.between(digest.opened_at, digest.send_at),
            )
        )
        return self.session.scalars(found.order_by(Notice.id)).all()
