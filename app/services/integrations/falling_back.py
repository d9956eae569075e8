"""When an integration fails: who looks after it hears of it, and its alerts come to them by mail instead."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.channels import CHANNELS
from app.domain import routing
from app.domain.kinds import ALERTS, KINDS
from app.models import Delivery, Destination, Project, User
from app.services import access
from app.services.integrations import destinations, posting
from app.services.integrations.posting import Settled
from app.services.notices import notifying, standing_in
from app.services.notices.announcing import announce
from app.services.preferences import preferring, reaching
from app.services.preferences.preferring import Defaults

KIND = "integration_off"
DISABLED = "integration_disabled"


def follow_up(
    session: Session, delivery: Delivery, settled: Settled, *, now: datetime, instance: Defaults
) -> list[int]:
    """What a failure means for people; the mails to send now."""
    destination = delivery.destination
    if destination is None:
        return []
    left = [delivery] if settled.dropped else []
    if settled.stopped:
        left += _call_off(session, destination, now)
    alerts = [each for each in left if _is_alert(each)]
    mails = [mail for each in alerts for mail in _instead(session, destination, each, now, instance)]
    if settled.stopped or settled.blocked:
        mails += _announce(session, destination, len(alerts), now=now, instance=instance)
    return mails


def _call_off(session: Session, destination: Destination, now: datetime) -> list[Delivery]:
    """What still waits for it will not be sent."""
    waiting = [each for each in posting.undelivered(session, destination) if each.state != "sending"]
    for each in waiting:
        posting.call_off(session, each, DISABLED, now=now)
    return waiting


def _is_alert(delivery: Delivery) -> bool:
    return KINDS[delivery.kind].category == ALERTS and delivery.verdict is not None


def _instead(
    session: Session, destination: Destination, delivery: Delivery, now: datetime, instance: Defaults
) -> list[int]:
    notice = delivery.verdict.notice if delivery.verdict else None
    if notice is None:
        return []
    is_unreached = delivery.verdict is not None and delivery.verdict.code == posting.UNREACHED
    why = "which had nobody to send it to" if is_unreached else "which does not work"
    pairs = standing_in.answers(session, notice, destination, now=now, instance=instance, why=why)
    return notifying.store(session, pairs, now=now)


def _announce(
    session: Session, destination: Destination, missed: int, *, now: datetime, instance: Defaults
) -> list[int]:
    """The mail to who looks after it, and to the authors of the rules that use it."""
    rules = destinations.rules_using(session, destination)
    facts = _facts(destination, missed, [rule.name for rule in rules])
    notice = announce(session, KIND, destination.project_id, facts, now=now)
    members = access.project_member_ids(session, destination.project_id)
    authors = {rule.created_by_id for rule in rules if rule.created_by_id in members}
    ids = access.project_admin_ids(session, destination.project) | {each for each in authors if each}
    people = _people(session, ids, destination.project, instance)
    what = routing.Happening(KINDS[KIND])
    return notifying.store(session, [(notice, each) for each in routing.plan(what, people)], now=now)


def _facts(destination: Destination, missed: int, rules: Sequence[str]) -> Mapping[str, Any]:
    return {
        "destination": destination.id,
        "name": destination.name,
        "channel": CHANNELS[destination.channel].about.label,
        "is_off": not destination.enabled,
        "why": destination.disabled_reason or destination.detail,
        "missed": missed,
        "rules": list(rules),
    }


def _people(session: Session, ids: set[int], project: Project, instance: Defaults) -> list[routing.Person]:
    """Quiet hours do not hold it: it comes once, and says that alerts are being missed."""
    choices = preferring.choices(session, sorted(ids), project.id, instance)
    reachable = reaching.addresses_of(session, ids, project.id)
    found = session.scalars(select(User).where(User.id.in_(ids)).order_by(User.id))
    return [
        routing.Person(
            each.id,
            choices=choices[each.id],
            is_active=each.is_active,
            has_address=each.id in reachable,
        )
        for each in found
    ]
