"""Verdicts of several notices at once, with their deliveries and attempts, as far as a reader may see them.

Who may see what: `experience.md` 3.6. The number of queries does not grow with the notices.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain import explanations, wording
from app.models import Attempt, Delivery, Notice, User, Verdict
from app.services import access, explaining


@dataclass(frozen=True, slots=True)
class Seen:
    """A verdict as the reader sees it; `code` is None where somebody else's own settings decided."""

    user_id: int
    name: str | None
    channel: str
    outcome: str
    code: str | None
    sentence: str
    reasons: Sequence[str]
    until: datetime | None
    delivery: Delivery | None
    is_open: bool  # whether the mail server's answers are shown too
    attempts: Sequence[Attempt]


def of(session: Session, notices: Collection[Notice], reader: User) -> Mapping[int, Sequence[Seen]]:
    """By the notice's id; within a notice by the person's name."""
    project_of = {notice.id: notice.project for notice in notices}
    administered = {row.id for row in access.organizations_where(session, reader, "edit_project")}
    open_notices = {
        notice_id
        for notice_id, project in project_of.items()
        if project and project.organization_id in administered
    }
    rows = session.execute(
        select(Verdict, User.name, Delivery)
        .outerjoin(User, User.id == Verdict.subject_id)
        .outerjoin(Verdict.delivery)
        .where(Verdict.notice_id.in_(project_of), Verdict.subject == "user")
        .order_by(User.name, Verdict.id)
    ).all()
    tries = explaining.attempts_of(session, [delivery.id for _, _, delivery in rows if delivery])
    seen: dict[int, list[Seen]] = defaultdict(list)
    for verdict, name, delivery in rows:
        mine = verdict.subject_id == reader.id
        is_open = mine or verdict.notice_id in open_notices
        attempts = tries[delivery.id] if delivery and is_open else ()
        seen[verdict.notice_id].append(_seen(verdict, name, delivery, attempts, mine=mine, is_open=is_open))
    return seen


def _seen(
    verdict: Verdict,
    name: str | None,
    delivery: Delivery | None,
    attempts: Sequence[Attempt],
    *,
    mine: bool,
    is_open: bool,
) -> Seen:
    hidden = not is_open and wording.CODES[verdict.code].private
    return Seen(
        user_id=verdict.subject_id,
        name=name,
        channel=verdict.channel,
        outcome=verdict.outcome,
        code=None if hidden else verdict.code,
        sentence=wording.code_sentence(verdict.code, verdict.params, own=is_open),
        reasons=[each for each in verdict.reasons if is_open or each not in explanations.PRIVATE],
        until=verdict.until if mine else None,
        delivery=delivery,
        is_open=is_open,
        attempts=attempts,
    )
