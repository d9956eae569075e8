"""When the draft of a rule would have fired: the difference to what the rule, as it is, comes to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain import alerting, rule_content
from app.domain.rule_content import Content
from app.models import Event, Project
from app.services.issues.issue_courses import chunks
from app.services.rules import rule_replaying
from app.services.rules.rule_replaying import Firing, Replayed
from app.services.simulating.drafts import Drafts, RuleDraft
from app.services.simulating.occasions import Changed

# A rule that fired for nothing in so long is dead.
LONG = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Fired:
    """`changed`: firings that the draft adds and takes away. `replayed`: the draft over the last 30 days."""

    changed: Changed
    replayed: Replayed | None = None

    @property
    def is_dead(self) -> bool:
        return self.replayed is not None and self.replayed.is_whole and not self.replayed.firings


def of_draft(
    session: Session, project: Project, drafts: Drafts, *, now: datetime, since: datetime, seconds: float
) -> Fired | None:
    """None where no rule is drafted, or only whom it tells. Raises `CannotCheck`."""
    draft = drafts.rule
    if draft is None or draft.content is None:
        return Fired(Changed()) if draft else None
    before = rule_content.of(draft.instead_of) if draft.instead_of else None
    would = _replay(session, project, draft, draft.content, now, seconds / 2)
    if before is not None and _rings_alike(before, draft.content):
        return Fired(Changed(), would)
    was = _replay(session, project, draft, before, now, seconds / 2).firings if before else ()
    return Fired(_difference(session, was, would.firings, since), would)


def _replay(
    session: Session, project: Project, draft: RuleDraft, content: Content, now: datetime, seconds: float
) -> Replayed:
    budget = rule_replaying.Budget(seconds=seconds)
    return rule_replaying.replay(
        session, project, content, now=now, saved=draft.instead_of, budget=budget, back=LONG
    )


def _rings_alike(one: Content, other: Content) -> bool:
    """Whether they differ in nothing that decides when they fire."""
    return alerting.of(one) == alerting.of(other) and one.frequency == other.frequency


def _difference(session: Session, was: Iterable[Firing], would: Iterable[Firing], since: datetime) -> Changed:
    before = {each.event: each for each in was if each.at >= since}
    after = {each.event: each for each in would if each.at >= since}
    names = _names(session, before.keys() ^ after.keys())
    return Changed(
        removed={
            (each.issue_id, names[key]) for key, each in before.items() if key not in after and key in names
        },
        added=[(each, names[key]) for key, each in after.items() if key not in before and key in names],
    )


def _names(session: Session, keys: Iterable[int]) -> Mapping[int, str]:
    found: dict[int, str] = {}
    query = select(Event.id, Event.event_id)
    for some in chunks(sorted(keys)):
        found |= {key: name for key, name in session.execute(query.where(Event.id.in_(some)))}
    return found
