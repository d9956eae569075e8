"""What integrations are told when a maintenance is over: once, of all that is still unresolved.

Those that have no form for summaries are told of each issue by itself.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session, contains_eager, joinedload

from app.domain.kinds import KINDS, OPENING
from app.domain.lifecycle import UNRESOLVED
from app.domain.routing import Outcome
from app.models import Issue, Notice, Pause, Verdict
from app.services.calm import pausing
from app.services.integrations import destinations
from app.services.notices.announcing import announce

KIND = "digest"
MOST_NAMED = 10


def due(session: Session, *, now: datetime) -> Sequence[int]:
    """Windows of which a time is over that nobody summed up."""
    found = select(Pause).where(pausing.awaits_summary(now))
    return [row.id for row in session.scalars(found) if _ended(row, now)]


def _ended(row: Pause, now: datetime) -> datetime | None:
    """When it was over the last time, if that is news."""
    span = pausing.window(row).last_span(now)
    is_news = span is not None and (row.summed_up_at is None or row.summed_up_at < span[1])
    return span[1] if span and is_news else None


def sum_up(session: Session, pause_id: int, *, now: datetime) -> Notice | None:
    """The notice about it, if there is something to tell; of several workers one makes it."""
    row = session.get(Pause, pause_id)
    ended = _ended(row, now) if row else None
    if row is None or ended is None or not _claim(session, row, ended):
        return None
    return tell(session, row.project_id, why=row.reason, now=now)


def _claim(session: Session, row: Pause, ended: datetime) -> bool:
    is_news = or_(Pause.summed_up_at.is_(None), Pause.summed_up_at < ended)
    won = update(Pause).where(Pause.id == row.id, is_news).values(summed_up_at=ended).returning(Pause.id)
    return session.scalar(won.execution_options(synchronize_session=False)) is not None


def forget(session: Session, *, before: datetime) -> None:
    """Windows that came once and were over by then. Who made them stays in the record of changes."""
    over = delete(Pause).where(Pause.weekly.is_(False), Pause.ends_at < before)
    session.execute(over.execution_options(synchronize_session=False))


def tell(session: Session, project_id: int, *, why: str, now: datetime) -> Notice | None:
    """Sum up what no window of the project holds any more."""
    waiting = _waiting(session, project_id)
    held = pausing.held(session, {verdict.notice for verdict in waiting}, now=now)
    over = [verdict for verdict in waiting if verdict.notice not in held]
    left = [verdict for verdict in over if _is_open(verdict.notice.issue)]
    singly = [verdict for verdict in left if destinations.is_told_singly(verdict.channel)]
    together = [verdict for verdict in left if verdict not in singly]
    notice = _notice(session, project_id, together, why, now) if together else None
    for verdict in over:
        if verdict not in left:
            verdict.outcome, verdict.code, verdict.params = str(Outcome.SKIP), "no_longer_open", {}
        elif notice and verdict in together:
            _collapse(verdict, notice)
    _let_go(session, singly, now)
    session.flush()
    return notice


def _collapse(verdict: Verdict, notice: Notice) -> None:
    """It is told of with the notice."""
    verdict.outcome = str(Outcome.COLLAPSE)
    verdict.params = {**verdict.params, "notice": notice.public_id}


def _let_go(session: Session, held: Sequence[Verdict], now: datetime) -> None:
    """Of each issue the latest alert goes out, and before that nothing of it."""
    latest = {(each.subject_id, each.notice.issue_id): each for each in held if _opens(each)}
    for each in sorted(held, key=lambda one: (not _opens(one), one.id)):
        stands_for = latest.get((each.subject_id, each.notice.issue_id))
        if stands_for and _opens(each) and each is not stands_for:
            _collapse(each, stands_for.notice)
        else:
            destinations.let_go(session, each, now=now)


def _opens(verdict: Verdict) -> bool:
    return KINDS[verdict.notice.kind].integration in OPENING


def _waiting(session: Session, project_id: int) -> Sequence[Verdict]:
    found = (
        select(Verdict)
        .join(Verdict.notice)
        .where(
            Notice.project_id == project_id,
            Verdict.subject == destinations.SUBJECT,
            Verdict.outcome == Outcome.DEFER,
            Verdict.code == pausing.CODE,
        )
        .order_by(Verdict.id)
        .options(contains_eager(Verdict.notice).options(joinedload(Notice.issue)))
    )
    return session.scalars(found).all()


def _is_open(issue: Issue | None) -> bool:
    return issue is not None and issue.status == UNRESOLVED


def _notice(session: Session, project_id: int, left: Sequence[Verdict], why: str, now: datetime) -> Notice:
    """Decided about at once: it is for integrations alone."""
    often = Counter(verdict.notice.issue_id for verdict in left)
    data = {
        "maintenance": {"why": why},
        "issues": [issue_id for issue_id, _ in often.most_common(MOST_NAMED)],
        "count": len(often),
    }
    notice = announce(session, KIND, project_id, data, now=now)
    destinations.tell(session, [notice], now=now)
    return notice
