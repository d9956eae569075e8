"""Verdicts of several notices at once, with their deliveries and attempts, as far as a reader may see them.

The one place that knows who may see what (`experience.md` 3.6). The number of queries does not grow with the
notices.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain import explanations, wording
from app.models import Attempt, Delivery, Notice, User, Verdict
from app.services import access


@dataclass(frozen=True, slots=True)
class Recorded:
    """A verdict, and how much of it its reader may see.

    An open one shows which of the person's own settings decided, and what the mail server answered.
    """

    verdict: Verdict
    name: str | None  # None for somebody whose account is gone
    delivery: Delivery | None
    is_readers: bool
    is_open: bool
    attempts: Sequence[Attempt] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """A verdict as the reader sees it; `code` is None where somebody else's own settings decided."""

    user_id: int
    name: str | None
    channel: str
    outcome: str
    code: str | None
    sentence: str
    reasons: Sequence[str]
    delivery: Delivery | None
    is_open: bool
    attempts: Sequence[Attempt]


def recorded(session: Session, notices: Collection[Notice], reader: User) -> list[Recorded]:
    """By the person's name. Open are one's own, and to administrators those of their projects."""
    administered = {row.id for row in access.organizations_where(session, reader, "edit_project")}
    open_ids = {
        notice.id for notice in notices if notice.project and notice.project.organization_id in administered
    }
    rows = session.execute(
        select(Verdict, User.name, Delivery)
        .outerjoin(User, User.id == Verdict.subject_id)
        .outerjoin(Verdict.delivery)
        .where(Verdict.notice_id.in_([notice.id for notice in notices]), Verdict.subject == "user")
        .order_by(User.name, Verdict.id)
    ).all()
    tries = attempts_of(session, [delivery.id for _, _, delivery in rows if delivery])
    found = []
    for verdict, name, delivery in rows:
        mine = verdict.subject_id == reader.id
        is_open = mine or verdict.notice_id in open_ids
        attempts = tries.get(delivery.id, ()) if delivery and is_open else ()
        found.append(Recorded(verdict, name, delivery, mine, is_open, attempts))
    return found


def of(session: Session, notices: Collection[Notice], reader: User) -> Mapping[int, Sequence[Shown]]:
    """By the notice's id; within a notice by the person's name."""
    shown: dict[int, list[Shown]] = defaultdict(list)
    for each in recorded(session, notices, reader):
        shown[each.verdict.notice_id].append(_shown(each))
    return shown


def attempts_of(session: Session, delivery_ids: Collection[int]) -> Mapping[int, list[Attempt]]:
    """The tries of these deliveries, the first one first."""
    found = select(Attempt).where(Attempt.delivery_id.in_(delivery_ids)).order_by(Attempt.number)
    tries: dict[int, list[Attempt]] = defaultdict(list)
    for attempt in session.scalars(found):
        tries[attempt.delivery_id].append(attempt)
    return tries


def _shown(each: Recorded) -> Shown:
    verdict = each.verdict
    hidden = not each.is_open and wording.CODES[verdict.code].private
    return Shown(
        user_id=verdict.subject_id,
        name=each.name,
        channel=verdict.channel,
        outcome=verdict.outcome,
        code=None if hidden else verdict.code,
        sentence=wording.code_sentence(verdict.code, verdict.params, own=each.is_open),
        reasons=[reason for reason in verdict.reasons if each.is_open or reason not in explanations.PRIVATE],
        delivery=each.delivery,
        is_open=each.is_open,
        attempts=each.attempts,
    )
