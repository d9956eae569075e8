"""What a rule that somebody writes would have done of late: for which issues, how often, telling how many."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from app.domain import ignoring
from app.domain.alerting import COUNTED, CannotCheck
from app.domain.phrases import plural
from app.domain.rule_content import Content
from app.domain.rule_parts import ONCE, UNTIL_RESOLVED
from app.domain.rule_rows import Row
from app.models import AlertRule, Event, Issue, Project, Release
from app.services.rules import rule_reaching, rule_replaying, ruling
from app.services.rules.rule_reaching import Alert, Inquiry, Reached
from app.services.rules.rule_replaying import LOOKED_BACK, Budget, Firing, Replayed

MOST_ISSUES = 50
RECENT = timedelta(days=7)
DAY = 1440


@dataclass(frozen=True, slots=True)
class Fired:
    """An issue that the rule would have fired for; `told`: how many messages people would have had of it."""

    issue: Issue
    times: int
    first: datetime
    last: datetime
    told: int


@dataclass(frozen=True, slots=True)
class Note:
    """What is not certain, and of which place of the rule: "conditions.1", or "" of the whole."""

    path: str
    words: str

    @property
    def sentence(self) -> str:
        return f"{ruling.place_words(self.path)}{self.words}"


@dataclass(frozen=True, slots=True)
class Hour:
    """The one with the most firings."""

    start: datetime
    firings: int


@dataclass(frozen=True, slots=True)
class Preview:
    """`events` were looked at, of `total`, from `since` until `until`. `issues`: the first 50 by firings.

    `told` and `sent` are messages to people and to integrations about those, were it now.
    """

    since: datetime
    until: datetime
    events: int = 0
    total: int = 0
    firings: int = 0
    recent: int = 0
    issue_count: int = 0
    largest_hour: Hour | None = None
    issues: Sequence[Fired] = ()
    told: int = 0
    sent: int = 0
    notes: Sequence[Note] = ()

    @property
    def is_whole(self) -> bool:
        return self.events == self.total


def preview(
    session: Session,
    project: Project,
    content: Content,
    inquiry: Inquiry,
    *,
    saved: AlertRule | None = None,
    budget: Budget | None = None,
) -> Preview:
    """Changes nothing. `saved`: the rule that this is to be, if it is one already."""
    try:
        replayed = rule_replaying.replay(
            session, project, content, now=inquiry.now, saved=saved, budget=budget
        )
    except CannotCheck as error:
        return Preview(inquiry.now - LOOKED_BACK, inquiry.now, notes=[Note("", str(error))])
    doubts = _Doubts(session, project, content, replayed, inquiry.reader.timezone)
    issues, reached = _fired(session, project, content, replayed, inquiry)
    return Preview(
        since=replayed.since,
        until=inquiry.now,
        events=replayed.events,
        total=replayed.total,
        firings=len(replayed.firings),
        recent=sum(each.at > inquiry.now - RECENT for each in replayed.firings),
        issue_count=len({each.issue_id for each in replayed.firings}),
        largest_hour=_largest_hour(replayed.firings),
        issues=issues,
        told=sum(each.told for each in issues),
        sent=sum(each.times * len(of.integrations) for each, of in zip(issues, reached, strict=True)),
        notes=list(doubts.notes(is_new=saved is None)),
    )


def _fired(
    session: Session, project: Project, content: Content, replayed: Replayed, inquiry: Inquiry
) -> tuple[list[Fired], list[Reached]]:
    """The issues, and whom the last event of each would reach."""
    of_issue: dict[int, list[Firing]] = defaultdict(list)
    for firing in replayed.firings:
        of_issue[firing.issue_id].append(firing)
    most = sorted(of_issue.values(), key=lambda each: (-len(each), -each[-1].at.timestamp()))[:MOST_ISSUES]
    found = select(Issue).where(Issue.id.in_([each[0].issue_id for each in most]))
    issues = {issue.id: issue for issue in session.scalars(found.options(joinedload(Issue.project)))}
    names = _event_ids(session, [each[-1].event for each in most])
    theirs = [each for each in most if each[0].issue_id in issues]
    alerts = [Alert(issues[each[-1].issue_id], names.get(each[-1].event), each[-1].kind) for each in theirs]
    reached = rule_reaching.of_alerts(session, project, content, alerts, inquiry) if alerts else []
    fired = [
        Fired(alert.issue, len(each), each[0].at, each[-1].at, len(each) * of.reachable)
        for each, alert, of in zip(theirs, alerts, reached, strict=True)
        if alert.issue
    ]
    return fired, reached


def _event_ids(session: Session, keys: Sequence[int]) -> Mapping[int, str]:
    found = select(Event.id, Event.event_id).where(Event.id.in_(keys))
    return {key: event_id for key, event_id in session.execute(found)}


def _largest_hour(firings: Sequence[Firing]) -> Hour | None:
    hours = Counter(each.at.replace(minute=0, second=0, microsecond=0) for each in firings)
    if not hours:
        return None
    start = max(hours, key=lambda hour: (hours[hour], hour))
    return Hour(start, hours[start])


@dataclass(frozen=True, slots=True)
class _Doubts:
    """What is not certain of a replay; a row that is none of it was answered as it was then."""

    session: Session
    project: Project
    content: Content
    replayed: Replayed
    zone: str

    def notes(self, *, is_new: bool) -> Iterator[Note]:
        kept = self._kept_since()
        if kept and kept > self.replayed.since:
            yield Note("", f"Events from before {self._moment(kept)} are no longer kept.")
        yield from self._of_events()
        if is_new and (
            self.content.frequency in (ONCE, UNTIL_RESOLVED) or self.content.frequency_minutes > DAY
        ):
            yield Note("frequency", f"As if the rule had begun on {self._moment(self.replayed.since)}.")
        for name in ("conditions", "filters"):
            for at, row in enumerate(getattr(self.content, name)):
                if words := self._of_row(row, kept):
                    yield Note(f"{name}.{at}", words)

    def _of_events(self) -> Iterator[Note]:
        count, words = self.replayed.failed
        if count:
            yield Note("", f"It could not be asked about {plural(count, 'event')}: {words}")
        merged = (each.merged_at for each in self.replayed.standings.values())
        if joined := sum(at is not None and at > self.replayed.since for at in merged):
            yield Note(
                "", f"{plural(joined, 'issue')} took in others meanwhile, as if they had always been one."
            )

    def _of_row(self, row: Row, kept: datetime | None) -> str:
        if row["id"] in COUNTED:
            return self._of_count(row, kept)
        return self._of_releases() if row["id"] == "latest_release" else ""

    def _of_count(self, row: Row, kept: datetime | None) -> str:
        counted = max(self.replayed.warm, kept or self.replayed.warm)
        if counted <= self.replayed.since - rule_replaying.reach_of(row):
            return ""
        return f"Counts nothing from before {self._moment(counted)}, so at first too little."

    def _of_releases(self) -> str:
        if self.content.environment:
            return (
                f"Releases count from when they were seen anywhere, not only in {self.content.environment}."
            )
        dated = select(Release.id).where(
            Release.organization_id == self.project.organization_id,
            Release.date_released > self.replayed.since,
        )
        if self.session.scalar(dated.limit(1)) is None:
            return ""
        return "Goes by the dates that releases have now; some were set meanwhile."

    def _kept_since(self) -> datetime | None:
        """When the oldest event came in that is still there; None where nothing is gone."""
        of_project = Event.project_id == self.project.id
        oldest = self.session.scalar(select(func.min(Event.received_at)).where(of_project))
        first = self.project.first_event_at
        return oldest if oldest and first and oldest > first else None

    def _moment(self, at: datetime) -> str:
        return ignoring.moment(at, self.zone)
