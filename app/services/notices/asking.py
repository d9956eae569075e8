"""The question why somebody was not told, answered in the order of `experience.md` 3.4."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from app.domain import wording
from app.domain.clocks import Clock
from app.domain.kinds import KINDS
from app.domain.lifecycle import PENDING_DELETION, UNRESOLVED
from app.models import Event, Issue, Notice, Project, User
from app.services import access
from app.services.notices import answering, explaining, intake, next_time, notice_facts, verdicts, who_chose
from app.services.notices.answering import NO_EVENT, NO_NOTICE, OUTSIDE, Reply
from app.services.notices.explaining import Line
from app.services.notices.intake import Intake
from app.services.notices.next_time import Offer
from app.services.notices.verdicts import Recorded
from app.services.preferences.preferring import Defaults
from app.services.rules import rechecking
from app.services.rules.rechecking import Rechecked

RECENT = 20
# "At about": as far as memory goes.
ABOUT = timedelta(minutes=15)
NOT_OPEN = {"ignored": "ignored", "resolved": "resolved, and this event did not bring it back"}


@dataclass(frozen=True, slots=True)
class About:
    """An issue; or, where it was deleted, what is remembered of it: its notices outlive it."""

    project: Project
    short_id: str
    title: str
    issue: Issue | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """About one notice, or about an event at some time; without either, about what happened last."""

    about: About
    person: User | None
    notice: Notice | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """`reply` says it; the rest is what there is to show beside it."""

    reply: Reply
    notice: Notice | None = None
    recorded: Recorded | None = None
    line: Line | None = None
    chosen: str = ""  # who set what decided, and when
    control: str | None = None  # the switch of the code, for the person whose it is
    offer: Offer | None = None
    event: Event | None = None
    rules: Sequence[Rechecked] = field(default=())
    intake: Intake | None = None


def of(issue: Issue) -> About:
    return About(issue.project, issue.short_id, issue.title, issue)


def deleted(session: Session, reader: User, name: int | str) -> About | None:
    """What is left of an issue that this person saw, by its short id; by its id while its row is there."""
    if isinstance(name, int):
        gone = (Issue.id == name) & (Issue.status == PENDING_DELETION)
        row = session.scalar(select(Issue).join(Issue.project).where(gone, access.sees_project(reader)))
        return About(row.project, row.short_id, row.title) if row else None
    left = Notice.issue_id.is_(None) & (Notice.issue_short_id == name.strip().upper())
    seen = select(Notice).join(Notice.project).where(left, access.sees_project(reader))
    last = session.scalar(seen.order_by(Notice.id.desc()).limit(1))
    if last is None or last.project is None:
        return None
    return About(last.project, last.issue_short_id or "", last.issue_title or "")


def is_about(notice: Notice, about: About) -> bool:
    if about.issue:
        return notice.issue_id == about.issue.id
    return (notice.issue_id, notice.project_id, notice.issue_short_id) == (
        None,
        about.project.id,
        about.short_id,
    )


def recent(session: Session, about: About) -> Sequence[Notice]:
    """What happened to the issue lately, newest first."""
    found = select(Notice).order_by(Notice.id.desc()).limit(RECENT)
    if about.issue:
        found = found.where(Notice.issue_id == about.issue.id)
    else:
        here = (Notice.project_id == about.project.id) & (Notice.issue_short_id == about.short_id)
        found = found.where(Notice.issue_id.is_(None), here)
    return session.scalars(found.options(*(joinedload(each) for each in notice_facts.TOGETHER))).all()


def answer(
    session: Session, question: Question, *, reader: User, instance: Defaults, now: datetime
) -> Answer:
    """Stops at the first that applies. Only the person, and who administers the project, may ask."""
    about, person = question.about, question.person
    if person is None or answering.is_outside(session, about.project, person):
        return Answer(OUTSIDE)
    issue = about.issue
    if question.at and issue:
        return _about_event(session, issue, person, question.at, reader, instance, now)
    notice = question.notice or next(iter(recent(session, about)), None)
    if notice:
        return _about_notice(session, notice, person, reader, instance, now)
    if issue is None:
        return Answer(Reply(NO_NOTICE, "It was deleted, and no notice of it is left."))
    last = session.scalar(
        select(Event)
        .where(Event.issue_id == issue.id)
        .order_by(Event.timestamp.desc(), Event.id.desc())
        .limit(1)
    )
    return _without_notice(session, issue, last) if last else _without_event(session, issue, now)


def _about_event(
    session: Session,
    issue: Issue,
    person: User,
    at: datetime,
    reader: User,
    instance: Defaults,
    now: datetime,
) -> Answer:
    event = _event_near(session, issue, at)
    if event is None:
        return _without_event(session, issue, at)
    notices = session.scalars(
        select(Notice)
        .where(Notice.issue_id == issue.id, Notice.event_id == event.event_id)
        .order_by(Notice.id)
        .options(*(joinedload(each) for each in notice_facts.TOGETHER))
    ).all()
    if not notices:
        return _without_notice(session, issue, event)
    decided = verdicts.of_person(session, notices, person, own=person.id == reader.id)
    told = next((each for each in notices if each.id in decided and decided[each.id].delivery), notices[0])
    return _about_notice(session, told, person, reader, instance, now)


def _event_near(session: Session, issue: Issue, at: datetime) -> Event | None:
    """The issue's event nearest to that time."""
    found = select(Event).where(
        Event.issue_id == issue.id, Event.received_at >= at - ABOUT, Event.received_at <= at + ABOUT
    )
    before = session.scalar(
        found.where(Event.received_at <= at).order_by(Event.received_at.desc(), Event.id.desc()).limit(1)
    )
    after = session.scalar(found.where(Event.received_at > at).order_by(Event.received_at, Event.id).limit(1))
    near = [event for event in (before, after) if event]
    return min(near, key=lambda event: abs(event.received_at - at), default=None)


def _about_notice(
    session: Session, notice: Notice, person: User, reader: User, instance: Defaults, now: datetime
) -> Answer:
    own = person.id == reader.id
    clock = Clock(now, reader.timezone)
    recorded = verdicts.of_person(session, [notice], person, own=own).get(notice.id)
    reply = answering.reply(notice, recorded, clock)
    if recorded is None:
        return Answer(reply, notice)
    facts = notice_facts.of(notice, zone=reader.timezone)
    verdict = recorded.verdict
    refused = reply.answer == answering.REFUSED
    return Answer(
        reply,
        notice,
        recorded,
        explaining.line(notice, recorded, facts, clock),
        chosen=who_chose.sentence(session, notice, verdict, reader=reader, clock=clock) if refused else "",
        control=wording.CODES[verdict.code].switch if own else None,
        offer=next_time.offer(session, notice, person, verdict, instance=instance, now=now)
        if own and refused and notice.issue
        else None,
    )


def _without_notice(session: Session, issue: Issue, event: Event) -> Answer:
    status = rechecking.status_then(session, issue, event)
    if status != UNRESOLVED:
        words = f"The issue was {NOT_OPEN[status]}. Rules are asked about open issues only."
        code = "issue_ignored" if status == "ignored" else "no_longer_open"
        return Answer(Reply(NO_NOTICE, words, code=code), event=event)
    reply = Reply(NO_NOTICE, "No rule matched.", code=rechecking.NO_MATCH)
    return Answer(reply, event=event, rules=rechecking.rules(session, issue, event))


def _without_event(session: Session, issue: Issue, at: datetime) -> Answer:
    reply = Reply(NO_EVENT, "No event of this issue was received around then.")
    return Answer(reply, intake=intake.around(session, issue.project, at))


def word(notice: Notice) -> str:
    """What kind of thing it told of."""
    return KINDS[notice.kind].word
