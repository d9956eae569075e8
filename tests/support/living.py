"""A project that lives: events come in, people act, and what follows happens at its time."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain import storms
from app.models import Digest, Event, Issue, Notice, Project, Storm
from app.services.calm import holding, storming
from app.services.notices import notifying, outbox
from app.services.preferences.preferring import Defaults
from tests.make import payload
from tests.support.ringing import Digester

TICK = timedelta(seconds=5)


@dataclass
class Life:
    """One clock for all of it. `instance` is what holds for people who chose nothing."""

    session: Session
    project: Project
    now: datetime
    instance: Defaults = field(default_factory=lambda: Defaults({}))

    def __post_init__(self) -> None:
        self._digester = Digester(self.session, self.project, self.now)
        self._weather = self.now

    def event(self, title: str = "KeyError: cart", **members: Any) -> Issue:
        """It comes in, is digested, and people are told."""
        sent = payload(title, **{"timestamp": self.now.timestamp(), **members})
        self._digester.received([(sent, self.now)])
        self.tell()
        found = select(Issue).join(Event, Event.issue_id == Issue.id)
        return self.session.scalars(found.where(Event.event_id == sent["event_id"])).one()

    def act(self, do: Callable[[datetime], object]) -> None:
        """Somebody does something."""
        do(self.now)
        self.session.flush()
        self.tell()

    def pass_by(self, time: timedelta) -> None:
        """Whatever comes due meanwhile is done at the next tick of the scheduler."""
        until = self.now + time
        while (due := self._next()) is not None and due <= until:
            self.now = max(due, self.now)
            self._sweep()
        self.now = until

    def tell(self) -> None:
        """As the job does it."""
        ids = self.session.scalars(select(Notice.id).where(Notice.planned_at.is_(None))).all()
        groups = outbox.groups(self.session, ids, now=self.now)
        for lot in outbox.lots(self.session, groups):
            if lot[0].batch:
                self._tell_batch(lot[0])
            else:
                events = [group.notice_ids for group in lot]
                notifying.plan_lot(self.session, events, now=self.now, instance=self.instance)
            self.session.expire_all()

    def _tell_batch(self, group: outbox.Group) -> None:
        survey = notifying.survey(self.session, group, now=self.now, instance=self.instance)
        for ids in group.parts(survey.size):
            notifying.plan_part(
                self.session, group.batch or "", ids, survey.told, now=self.now, instance=self.instance
            )

    def _next(self) -> datetime | None:
        due = self.session.scalars(select(Digest.send_at).where(Digest.closed_at.is_(None))).all()
        late = self.session.scalars(select(Notice.plan_after).where(Notice.planned_at.is_(None))).all()
        times = [at + TICK for at in (*due, *late) if at]
        for storm in self.session.scalars(select(Storm).where(Storm.ended_at.is_(None))):
            goes_on = min(storm.latest_at + storms.QUIET, storm.told_at + storms.UPDATE)
            times.append(max(goes_on, self._weather) + TICK)
        return min(times, default=None)

    def _sweep(self) -> None:
        for digest_id in holding.due(self.session, now=self.now, limit=1000):
            holding.send_due(self.session, digest_id, now=self.now, instance=self.instance)
            self.session.expire_all()
        for storm_id in storming.open_ids(self.session):
            answers = storming.go_on(self.session, storm_id, now=self.now, instance=self.instance)
            notifying.store(self.session, answers, now=self.now)
        self._weather = self.now
        self.session.expire_all()
        self.tell()
