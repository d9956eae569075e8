"""Alert rules and the events that may ring them, past the web and the stream."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import AlertRule, Notice, Project
from app.services.events import digesting
from app.services.events.stream_entry import ENVELOPE, Entry
from app.services.rules.ceilings import Ceilings
from tests.make import envelope

Row = str | Mapping[str, Any]


def make_rule(
    session: Session, project: Project, *conditions: Row, now: datetime, **columns: Any
) -> AlertRule:
    """A rule of the project, beside those that it has."""
    named = [{"id": each} if isinstance(each, str) else dict(each) for each in conditions]
    actions = [{"id": "mail", "target": "owners", "fallback": "project"}]
    defaults = {"name": "R", "frequency_minutes": 30, "created_at": now, "actions": actions}
    made = AlertRule(project_id=project.id, conditions=named, **{**defaults, **columns})
    session.add(made)
    session.flush()
    return made


@dataclass
class Digester:
    """Digests one batch after the other; what it has in mind stays with it."""

    session: Session
    project: Project
    now: datetime
    ceilings: Ceilings = field(default_factory=Ceilings)

    def __call__(self, *events: Mapping[str, Any], minutes: float = 0) -> list[str]:
        """A batch of events that came in so many minutes from now; the kinds of notices that were left."""
        at = self.now + timedelta(minutes=minutes)
        return self.received([({**event, "timestamp": at.isoformat()}, at) for event in events])

    def received(self, events: Sequence[tuple[Mapping[str, Any], datetime]]) -> list[str]:
        """The same for events with when each came in."""
        entries = [
            Entry(self.project.id, ENVELOPE, at, envelope(event), event_id=event["event_id"])
            for event, at in events
        ]
        batch = digesting.read_all(self.session, entries)
        done = digesting.keep(self.session, batch, now=max(at for _, at in events), ceilings=self.ceilings)
        self.session.expire_all()
        kept = select(Notice).where(Notice.id.in_(done.notice_ids)).order_by(Notice.id)
        return [notice.kind for notice in self.session.scalars(kept)]
