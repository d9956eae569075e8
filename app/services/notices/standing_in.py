"""Who is told of an alert by mail, because the integration that should have been told does not work."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain import routing
from app.domain.routing import Outcome, Reason
from app.models import Destination, Notice, Verdict
from app.services import access
from app.services.calm import pacing
from app.services.mails import mail_threads
from app.services.notices import considering
from app.services.preferences.preferring import Defaults

PROMISES = (Outcome.SEND, Outcome.DEFER)


def answers(
    session: Session,
    notice: Notice,
    destination: Destination,
    *,
    now: datetime,
    instance: Defaults,
    why: str = "which does not work",
) -> Sequence[tuple[Notice, routing.Verdict]]:
    """The evaluator's answers about those who look after the project; nobody is asked about twice."""
    asked = select(Verdict.subject_id).where(Verdict.notice_id == notice.id, Verdict.subject == "user")
    ids = access.project_admin_ids(session, destination.project) - set(session.scalars(asked))
    if not ids or considering.gate(notice):
        return []
    because = {
        "rule": notice.rule.name if notice.rule else "that no longer exists",
        "integration": f"“{destination.name}”, {why}",
    }
    carried = _told_of(session, notice, ids)
    people = [
        replace(
            who,
            reasons=frozenset({Reason.RULE_INTEGRATION}),
            because=because,
            carried_by=carried.get(who.id),
        )
        for who in considering.people_around(session, notice, instance, now=now, only=ids)
    ]
    what = considering.happenings(session, [notice])[notice]
    decided = routing.plan(what, people)
    verdicts = pacing.slowed(session, notice.project_id, what, people, decided, now=now)
    if notice.issue and any(verdict.outcome in PROMISES for verdict in verdicts):
        notice.mail_epoch = mail_threads.join(session, notice.issue, now=now, event_id=notice.event_id)
    return [(notice, verdict) for verdict in verdicts]


def _told_of(session: Session, notice: Notice, user_ids: set[int]) -> dict[int, str]:
    """Who of these hears of the same event through another notice, and through which."""
    if notice.event_id is None:
        return {}
    found = (
        select(Verdict.subject_id, Notice.public_id)
        .join(Verdict.notice)
        .where(
            Notice.project_id == notice.project_id,
            Notice.event_id == notice.event_id,
            Notice.id != notice.id,
            Verdict.subject == "user",
            Verdict.subject_id.in_(user_ids),
            Verdict.outcome.in_(PROMISES),
        )
    )
    return {user_id: public_id for user_id, public_id in session.execute(found)}
