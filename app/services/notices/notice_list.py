"""All notices of an issue, newest first, with how far each got, or what it said to one person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from app.domain import explanations
from app.domain.clocks import Clock
from app.domain.wording import Reach
from app.models import Issue, Notice, User, Verdict
from app.services.notices import explaining, notice_facts, verdicts
from app.services.notices.explaining import Line

PAGE = 25


@dataclass(frozen=True, slots=True)
class Listed:
    """A notice; `line` is the answer for the person who is looked for."""

    notice: Notice
    word: str
    origin: str
    reach: Reach
    line: Line | None


def of(
    session: Session,
    issue: Issue,
    *,
    reader: User,
    now: datetime,
    person_id: int | None = None,
    before: int | None = None,
) -> list[Listed]:
    """A page of them, older than the one with the id `before`; a constant number of queries."""
    together = (Notice.activity, Notice.rule, Notice.actor)
    found = select(Notice).where(Notice.issue_id == issue.id).order_by(Notice.id.desc()).limit(PAGE)
    found = found.options(*(joinedload(each) for each in together))
    if before:
        found = found.where(Notice.id < before)
    if person_id is not None:
        about = (Verdict.subject == "user") & (Verdict.subject_id == person_id)
        found = found.where(Notice.verdicts.any(about))
    notices = session.scalars(found).all()
    reach = explaining.reach_of(session, notices, reader=reader, now=now)
    lines = _lines(session, notices, reader, person_id, now) if person_id is not None else {}
    return [_listed(notice, reach[notice.id], lines.get(notice.id), reader) for notice in notices]


def _listed(notice: Notice, reach: Reach, line: Line | None, reader: User) -> Listed:
    facts = notice_facts.of(notice, zone=reader.timezone)
    return Listed(notice, facts["word"], explanations.origin(notice.kind, facts), reach, line)


def _lines(
    session: Session, notices: Sequence[Notice], reader: User, person_id: int, now: datetime
) -> Mapping[int, Line]:
    clock = Clock(now, reader.timezone)
    by_id = {notice.id: notice for notice in notices}
    found = {}
    for recorded in verdicts.recorded(session, notices, reader, only=person_id):
        notice = by_id[recorded.verdict.notice_id]
        facts = notice_facts.of(notice, zone=clock.zone)
        found[notice.id] = explaining.line(notice, recorded, facts, clock)
    return found


def people(session: Session, issue: Issue) -> list[tuple[int, str]]:
    """Who was considered for any of them, by name."""
    about = select(Verdict.subject_id).join(Verdict.notice).where(Notice.issue_id == issue.id)
    found = select(User.id, User.name).where(User.id.in_(about.where(Verdict.subject == "user")))
    return [(row.id, row.name) for row in session.execute(found.order_by(User.name, User.id))]
