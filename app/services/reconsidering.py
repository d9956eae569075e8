"""A decision taken again, before a message goes out late.

Between the decision and a late try people leave, unsubscribe, or settle the issue.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.domain import routing
from app.domain.kinds import KINDS
from app.domain.routing import Happening, Outcome
from app.models import Delivery, Notice
from app.services import notifying
from app.services.preferring import Defaults

# A decision this fresh stands.
FRESH = timedelta(minutes=1)
Objection = tuple[str, dict[str, object]]  # a code of the ladder, and its facts


def objections(
    session: Session, deliveries: Collection[Delivery], *, now: datetime, instance: Defaults
) -> Mapping[int, Objection]:
    """Which of these should not go out any more, by id. Asks the one evaluator; a few queries a notice."""
    of_notice: dict[Notice, list[Delivery]] = defaultdict(list)
    for delivery in deliveries:
        if delivery.verdict and delivery.verdict.notice.project_id is not None:
            of_notice[delivery.verdict.notice].append(delivery)
    found: dict[int, Objection] = {}
    for notice, waiting in of_notice.items():
        gate = _gate(notice)
        if gate:
            found |= {delivery.id: (gate, {}) for delivery in waiting}
        else:
            stale = [delivery for delivery in waiting if now - delivery.created_at >= FRESH]
            found |= _refusals(session, notice, stale, instance)
    return found


def _gate(notice: Notice) -> str | None:
    kind = KINDS[notice.kind]
    if notice.issue is None and kind.in_thread:
        return "no_longer_open"
    return routing.gate_of_notice(kind, notice.issue.status if notice.issue else None)


def _refusals(
    session: Session, notice: Notice, deliveries: Collection[Delivery], instance: Defaults
) -> dict[int, Objection]:
    by_person = {delivery.user_id: delivery.id for delivery in deliveries if delivery.user_id}
    if not by_person:
        return {}
    people = notifying.people_around(session, notice, instance, only=by_person)
    verdicts = routing.plan(Happening(KINDS[notice.kind], notice.actor_id), people)
    return {
        by_person[verdict.person_id]: (verdict.code, dict(verdict.params))
        for verdict in verdicts
        if verdict.outcome != Outcome.SEND
    }
