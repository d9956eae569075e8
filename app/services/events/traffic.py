"""How much a project received, what of it was rejected and why, and what SDKs say that they did not send."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.client_reports import REASONS
from app.models import ClientLoss, IngestCount, Project
from app.services.events.categories import ATTACHMENT, ERROR, FEEDBACK, MONITOR
from app.services.events.stream_entry import ACCEPTED, DISCARDED, INVALID, OVERLOADED, RATE_LIMITED

DAYS = 14
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# An event that is sent twice counts once: as what it was the first time.
REJECTED: Mapping[str, str] = {
    RATE_LIMITED: "over the limit of its key",
    OVERLOADED: "too many waiting on the server",
    DISCARDED: "of a discarded issue",
    INVALID: "not readable",
}
STATS: Mapping[str, Sequence[str]] = {"received": (ACCEPTED, *REJECTED), "rejected": tuple(REJECTED)}
# Category of what is kept here → its word.
KEPT: Mapping[str, str] = {
    ERROR: "event",
    ATTACHMENT: "attachment",
    FEEDBACK: "feedback",
    MONITOR: "check-in",
}


@dataclass(frozen=True, slots=True)
class Day:
    """One of UTC."""

    start: datetime
    accepted: int
    rejected: int


@dataclass(frozen=True, slots=True)
class Tally:
    """So many, of what, and what became of them."""

    count: int
    noun: str
    words: str


@dataclass(frozen=True, slots=True)
class Traffic:
    days: Sequence[Day]
    rejected: Sequence[Tally]
    lost: Sequence[Tally]

    @property
    def accepted_in_all(self) -> int:
        return sum(day.accepted for day in self.days)

    @property
    def rejected_in_all(self) -> int:
        return sum(day.rejected for day in self.days)


def of_project(session: Session, project: Project, *, now: datetime) -> Traffic:
    """The last 14 days, with two queries."""
    first = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - (DAYS - 1) * DAY
    rows = session.execute(
        select(IngestCount.hour, IngestCount.outcome, func.sum(IngestCount.count))
        .where(IngestCount.project_id == project.id, IngestCount.hour >= first)
        .where(IngestCount.category == ERROR, IngestCount.outcome.in_(STATS["received"]))
        .group_by(IngestCount.hour, IngestCount.outcome)
    )
    accepted, rejected, why = Counter[int](), Counter[int](), Counter[str]()
    for hour, outcome, count in rows:
        day = min((hour - first) // DAY, DAYS - 1)
        (rejected if outcome in REJECTED else accepted)[day] += int(count)
        why[outcome] += int(count) if outcome in REJECTED else 0
    return Traffic(
        [Day(first + day * DAY, accepted[day], rejected[day]) for day in range(DAYS)],
        [Tally(count, KEPT[ERROR], REJECTED[outcome]) for outcome, count in why.most_common() if count],
        _lost(session, project, first),
    )


def _lost(session: Session, project: Project, since: datetime) -> list[Tally]:
    total = func.sum(ClientLoss.count)
    rows = session.execute(
        select(ClientLoss.category, ClientLoss.reason, total)
        .where(ClientLoss.project_id == project.id, ClientLoss.hour >= since)
        .group_by(ClientLoss.category, ClientLoss.reason)
        .order_by(total.desc(), ClientLoss.category, ClientLoss.reason)
    )
    return [Tally(int(count), KEPT[category], REASONS[reason]) for category, reason, count in rows]


def series(
    session: Session, project: Project, stat: str, *, since: datetime, until: datetime, step: timedelta
) -> list[tuple[datetime, int]]:
    """Events for each step from the one of `since` up to that of `until`; those without any are there too."""
    first = _start(since, step)
    rows = session.execute(
        select(IngestCount.hour, func.sum(IngestCount.count))
        .where(IngestCount.project_id == project.id, IngestCount.hour >= first, IngestCount.hour <= until)
        .where(IngestCount.category == ERROR, IngestCount.outcome.in_(STATS[stat]))
        .group_by(IngestCount.hour)
    )
    counts: Counter[datetime] = Counter()
    for hour, count in rows:
        counts[_start(hour, step)] += int(count)
    steps = (_start(until, step) - first) // step + 1
    return [(first + number * step, counts[first + number * step]) for number in range(steps)]


def _start(at: datetime, step: timedelta) -> datetime:
    seconds = int(step.total_seconds())
    return datetime.fromtimestamp(int(at.timestamp()) // seconds * seconds, UTC)
