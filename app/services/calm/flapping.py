"""Issues that come back again and again: who marks them, and who was told of them lately."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.domain import flapping
from app.domain.kinds import RESOLVING
from app.domain.lifecycle import MOVES
from app.domain.routing import Outcome
from app.models import Activity, Issue, Notice, Verdict

CAME_BACK = MOVES["regress"].activity
# More changes of an issue than these do not matter for whether it is flapping.
NEAR = 20


def mark(session: Session, issue: Issue, *, now: datetime) -> None:
    """Whether an issue that came back just now does so again and again; its timeline tells."""
    until = flapping.until(_reopened(session, issue), flapping_until=issue.flapping_until, now=now)
    if until:
        session.execute(update(Issue).where(Issue.id == issue.id).values(flapping_until=until))


def _reopened(session: Session, issue: Issue) -> Sequence[tuple[datetime, str]]:
    """When it came back lately, each with how it had been resolved before."""
    found = (
        select(Activity.type, Activity.created_at)
        .where(Activity.issue_id == issue.id, Activity.type.in_((CAME_BACK, *RESOLVING)))
        .order_by(Activity.id.desc())
        .limit(NEAR)
    )
    how, reopened = "", []
    for type_, at in reversed(session.execute(found).all()):
        if type_ == CAME_BACK:
            reopened.append((at, how))
        else:
            how = type_
    return reopened


@dataclass(frozen=True, slots=True)
class Told:
    """The notice that told last that an issue came back, and whom that, or one shortly before, told."""

    public_id: str
    people: frozenset[int]


def told_lately(session: Session, notices: Iterable[Notice], *, now: datetime) -> Mapping[Notice, Told]:
    """Of notices about issues that are flapping, which need not be told to whom."""
    found = {}
    for notice in notices:
        issue = notice.issue
        is_flapping = issue and issue.flapping_until is not None and issue.flapping_until > now
        if is_flapping and notice.kind in flapping.KINDS and (told := _told(session, notice, now)):
            found[notice] = told
    return found


def _told(session: Session, notice: Notice, now: datetime) -> Told | None:
    lately = (
        select(Notice.public_id, Verdict.subject_id)
        .join(Verdict.notice)
        .where(
            Notice.issue_id == notice.issue_id,
            Notice.kind.in_(flapping.KINDS),
            Notice.event_id != notice.event_id,
            Notice.planned_at > now - flapping.SELDOM,
            Verdict.subject == "user",
            Verdict.outcome.in_((Outcome.SEND, Outcome.DEFER)),
        )
        .order_by(Notice.id.desc())
    )
    rows = session.execute(lately).all()
    return Told(rows[0].public_id, frozenset(row.subject_id for row in rows)) if rows else None
