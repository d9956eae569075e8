"""What mails ask of the past: the event, the hours before it, how the issue was settled, who was told."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from app.domain.kinds import ALERTS, KINDS, RESOLVING
from app.domain.routing import Outcome
from app.models import (
    Activity,
    AlertRule,
    Digest,
    Event,
    Issue,
    IssueHour,
    Notice,
    Project,
    User,
    Verdict,
)
from app.services import access
from app.services.calm import storm_issues
from app.services.events import event_body
from app.services.releases import deploy_facts, deploys_then, suspecting
from app.services.releases.deploys_then import Live

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

    def looks_after(self, project: Project, user_id: int) -> bool:
        """Whether a person may change who owns what in the project."""

    def told(self, notice: Notice, user_ids: Collection[int]) -> int:
        """How many of these people are told of the notice."""

    def carried(self, notice: Notice, user_id: int) -> Sequence[Verdict]:
        """What was decided about notices of the same event, of which this person hears through this one."""

    def rang(self, digest: Digest) -> Sequence[Notice]:
        """The alerts that reached its person while everything else was held."""

    def rules(self, digest: Digest, notices: Sequence[Notice]) -> Mapping[int, Collection[str]]:
        """The names of the rules of which its person hears through each of these, by the notice's id."""

    def counted(
        self, notices: Sequence[Notice], first: datetime, last: datetime
    ) -> Mapping[int, tuple[int, int]]:
        """Events and users of their issues in a stretch of time, by the issue's id."""

    def not_in(self, digest: Digest) -> tuple[Sequence[Notice], Sequence[Verdict]]:
        """Of a digest of alerts: what was sent on its own before it, and what dropped out of it."""

    def storm(self, notice: Notice, most: int) -> storm_issues.Issues:
        """The new issues that a notice about a storm sums up, and the worst of them."""

    def deploy(self, notice: Notice, reader: User) -> deploy_facts.Deployed:
        """What was deployed, as far as its reader sees it."""

    def deployed(self, issue: Issue, event: Event) -> Live | None:
        """The last deploy of the event's release to its environment, before it happened."""

    def live(self, notice: Notice, version: str) -> Live | None:
        """Whether the release was live by then; None for a project that nobody tells of deploys."""

    def suspect(self, issue: Issue, event: Event) -> str:
        """The commit that probably caused it, with its author; "" if none is suspect."""


class StoredRecords:
    """The database's answers."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._events: dict[int, Event | None] = {}
        self._suspects: dict[int, str] = {}
        self._admins: dict[int, set[int]] = {}
        self._carried: dict[int, dict[int, list[Verdict]]] = {}
        self._deployed: dict[int, Live | None] = {}

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

    def looks_after(self, project: Project, user_id: int) -> bool:
        if project.id not in self._admins:
            self._admins[project.id] = access.project_admin_ids(self.session, project)
        return user_id in self._admins[project.id]

    def told(self, notice: Notice, user_ids: Collection[int]) -> int:
        reached = Verdict.outcome.in_((Outcome.SEND, Outcome.DEFER))
        found = select(func.count()).where(
            Verdict.notice_id == notice.id,
            Verdict.subject == "user",
            Verdict.subject_id.in_(user_ids),
            reached,
        )
        return self.session.scalar(found) or 0

    def carried(self, notice: Notice, user_id: int) -> Sequence[Verdict]:
        if notice.event_id is None:
            return ()
        if notice.id not in self._carried:
            self._carried[notice.id] = self._carried_by(notice)
        return self._carried[notice.id].get(user_id, ())

    def _carried_by(self, notice: Notice) -> dict[int, list[Verdict]]:
        activity = joinedload(Notice.activity)
        found = (
            select(Verdict)
            .join(Verdict.notice)
            .where(
                Notice.project_id == notice.project_id,
                Notice.event_id == notice.event_id,
                Verdict.subject == "user",
                Verdict.code == "merged",
            )
            .order_by(Verdict.id)
            .options(contains_eager(Verdict.notice).options(joinedload(Notice.rule), activity))
        )
        of_person: dict[int, list[Verdict]] = {}
        for verdict in self.session.scalars(found):
            if verdict.params.get("notice") == notice.public_id:
                of_person.setdefault(verdict.subject_id, []).append(verdict)
        return of_person

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

    def rules(self, digest: Digest, notices: Sequence[Notice]) -> Mapping[int, Collection[str]]:
        names: dict[int, set[str]] = defaultdict(set)
        ids = {notice.public_id: notice.id for notice in notices}
        for notice in notices:
            names[notice.id] |= {notice.rule.name} if notice.rule else set()
        merged = (
            select(Verdict.params, AlertRule.name)
            .join(Verdict.notice)
            .join(Notice.rule)
            .where(Notice.project_id.in_({notice.project_id for notice in notices}))
            .where(Notice.event_id.in_({notice.event_id for notice in notices}))
            .where(Verdict.subject == "user", Verdict.subject_id == digest.user_id, Verdict.code == "merged")
        )
        for params, name in self.session.execute(merged):
            if params.get("notice") in ids:
                names[ids[params["notice"]]].add(name)
        return names

    def counted(
        self, notices: Sequence[Notice], first: datetime, last: datetime
    ) -> Mapping[int, tuple[int, int]]:
        # What a notice is about may have come in just before, and waited its turn.
        own = Event.event_id.in_({notice.event_id for notice in notices if notice.event_id})
        of_issues = Event.issue_id.in_({notice.issue_id for notice in notices})
        found = (
            select(Event.issue_id, func.count(), func.count(Event.user_ident.distinct()))
            .where(of_issues, or_(Event.received_at.between(first, last), own))
            .group_by(Event.issue_id)
        )
        return {issue_id: (events, users) for issue_id, events, users in self.session.execute(found)}

    def not_in(self, digest: Digest) -> tuple[Sequence[Notice], Sequence[Verdict]]:
        theirs = Verdict.subject == "user", Verdict.subject_id == digest.user_id
        alone: Sequence[Notice] = ()
        if since := digest.data.get("since"):
            found = select(Notice).join(Notice.verdicts).where(*theirs, Verdict.outcome == Outcome.SEND)
            just_then = Notice.planned_at == datetime.fromisoformat(since), Notice.kind.in_(ALERT_KINDS)
            alone = self.session.scalars(found.where(*just_then, Notice.project_id == _project(digest))).all()
        dropped = select(Verdict).where(Verdict.digest_id == digest.id, Verdict.outcome == Outcome.SKIP)
        notice = joinedload(Verdict.notice).joinedload(Notice.issue)
        return alone, self.session.scalars(dropped.order_by(Verdict.id).options(notice)).all()

    def storm(self, notice: Notice, most: int) -> storm_issues.Issues:
        return storm_issues.issues(self.session, notice, most=most)

    def deploy(self, notice: Notice, reader: User) -> deploy_facts.Deployed:
        return deploy_facts.of(self.session, notice, reader)

    def deployed(self, issue: Issue, event: Event) -> Live | None:
        if not event.release or not event.environment:
            return None
        if event.id not in self._deployed:
            there = (issue.project, event.release, event.environment)
            self._deployed[event.id] = deploys_then.last(self.session, *there, until=event.timestamp)
        return self._deployed[event.id]

    def live(self, notice: Notice, version: str) -> Live | None:
        if notice.project is None:
            return None
        return deploys_then.standing(self.session, notice.project, version, until=notice.occurred_at)

    def suspect(self, issue: Issue, event: Event) -> str:
        if event.id not in self._suspects:
            found = suspecting.of(self.session, issue, event_body.unpack(event.body))
            self._suspects[event.id] = suspecting.words(found[0]) if found else ""
        return self._suspects[event.id]


def _project(digest: Digest) -> int:
    return int(digest.key.partition(":")[2])
