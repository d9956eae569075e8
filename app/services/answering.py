"""Why somebody heard of an issue, or did not: an answer for each of its notices (`experience.md` 3.4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from app.domain import explanations, wording
from app.domain.routing import Outcome
from app.domain.stopping import masked
from app.models import Attempt, Delivery, Issue, Notice, SettingAudit, User, Verdict
from app.services import access, explaining, mail_facts, verdicts

DELIVERED, HELD, REFUSED, COLLAPSED, NO_NOTICE = "delivered", "held", "refused", "collapsed", "no_notice"
NO_ACCESS = "no_access"

OF_STATE = {
    "queued": HELD,
    "sending": HELD,
    "deferred": HELD,
    "accepted": DELIVERED,
    "failed": REFUSED,
    "expired": REFUSED,
    "cancelled": REFUSED,
}
OF_OUTCOME = {Outcome.SKIP: REFUSED, Outcome.COLLAPSE: COLLAPSED}


@dataclass(frozen=True, slots=True)
class Reply:
    """`notice` is the notice's public id; `scope` is where the setting that decided was chosen."""

    answer: str
    sentence: str
    notice: str | None = None
    code: str | None = None
    scope: str | None = None
    switch: tuple[str, str] | None = None


OUTSIDE = Reply(REFUSED, wording.code_sentence(NO_ACCESS, {}), code=NO_ACCESS)


def why(
    session: Session, issue: Issue, person: User | None, *, own: bool, start: int = 0, count: int = 100
) -> list[Reply]:
    """The newest notice first. Somebody outside the project gets one answer, and so does silence.

    `own` is whether the person is the one who asks: switches are theirs alone to use.
    """
    if person is None or person.id not in access.project_member_ids(session, issue.project_id):
        return [OUTSIDE][start:]
    notices = _notices(session, issue, start, count)
    if not notices and not start:
        return [Reply(NO_NOTICE, "No notice was made of this issue: no rule matched, and nobody changed it.")]
    decided = _decided(session, notices, person)
    deliveries = [verdict.delivery.id for verdict in decided.values() if verdict.delivery]
    tries = verdicts.attempts_of(session, deliveries)
    replies = []
    for notice in notices:
        verdict = decided.get(notice.id)
        if verdict is None:
            replies.append(_undecided(notice))
            continue
        attempts = tries[verdict.delivery.id] if verdict.delivery else []
        reply = _reply(notice, verdict, person, attempts)
        switch = explaining.switch_for(notice, verdict, explaining.facts_of(session, notice)) if own else None
        replies.append(Reply(reply[0], reply[1], notice.public_id, verdict.code, verdict.params.get("scope"), switch))
    return replies


def note_lookup(
    session: Session, issue_id: int, short_id: str, *, of: int, by: User | None, now: datetime, via: str
) -> None:
    """Leave a line in the log of a person whose notices somebody else asked about."""
    session.add(
        SettingAudit(
            at=now,
            user_id=of,
            actor_id=by.id if by else None,
            category="explanation",
            scope="issue",
            scope_id=issue_id,
            new="looked up",
            via=via,
            detail={"issue": short_id},
        )
    )
