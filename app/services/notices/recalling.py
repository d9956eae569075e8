"""A person's own past, newest first: what was sent to them or not, and what was changed about it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from app.domain import changes, delivery_states
from app.domain.clocks import Clock
from app.domain.routing import Outcome
from app.models import Digest, Notice, Organization, Project, SettingAudit, User, Verdict
from app.services import access
from app.services.notices import explaining, notice_facts
from app.services.notices.explaining import Line
from app.services.notices.verdicts import CARRIED, OWN, STATE, Recorded, with_deliveries

PAGE = 50
# What became of a verdict, as `explaining.mark_of` marks it → the words of the filter.
OUTCOMES: Mapping[str, str] = {
    "sent": "Sent",
    "waiting": "Held or on its way",
    "failed": "Failed",
    "not_sent": "Not sent",
    "collapsed": "Told with another notice",
}


@dataclass(frozen=True, slots=True)
class Sought:
    """What of it is wanted; `day` is one of the person's own calendar."""

    outcome: str = ""
    project_id: int | None = None
    code: str = ""
    day: date | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """A verdict about this person."""

    id: int
    notice: Notice
    facts: Mapping[str, Any]
    line: Line


@dataclass(frozen=True, slots=True)
class ChangesSought:
    """`by` is "me" or "others"."""

    category: str = ""
    by: str = ""
    day: date | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A line of the change log."""

    id: int
    audit: SettingAudit
    sentence: str
    by: str
    way: str


def told(
    session: Session, user: User, sought: Sought, *, now: datetime, before: int | None = None
) -> Sequence[Told]:
    """A page of verdicts, older than the one with the id `before`; of projects that the person still sees."""
    found = (
        with_deliveries(select(Verdict, OWN, CARRIED, Digest).join(Verdict.notice).outerjoin(Notice.project))
        .where(Verdict.subject == "user", Verdict.subject_id == user.id, _older(Verdict.id, before))
        .where(or_(access.sees_project(user), Project.id.is_(None)), *_conditions(sought, user))
        .order_by(Verdict.id.desc())
        .limit(PAGE)
        .options(
            contains_eager(Verdict.notice).options(
                contains_eager(Notice.project),
                *(joinedload(each) for each in (Notice.issue, Notice.activity, Notice.rule, Notice.actor)),
            )
        )
    )
    clock = Clock(now, user.timezone)
    return [
        _told(Recorded(verdict, user.name, own or carried, True, True, (), digest), clock)
        for verdict, own, carried, digest in session.execute(found)
    ]


def all_told(session: Session, user: User, sought: Sought, *, now: datetime) -> Iterator[Told]:
    """Every page after the other; what was read is let go of."""
    before: int | None = None
    while page := told(session, user, sought, now=now, before=before):
        yield from page
        before = page[-1].id
        session.expunge_all()
        user = session.get_one(User, user.id)


def _told(recorded: Recorded, clock: Clock) -> Told:
    notice = recorded.verdict.notice
    facts = notice_facts.of(notice, zone=clock.zone)
    line = explaining.line(notice, recorded, facts, clock)
    return Told(recorded.verdict.id, notice, facts, line)


def projects(session: Session, user: User) -> Sequence[Project]:
    """Those of which the person's history may tell, for the filter."""
    found = select(Project).join(Project.organization).where(access.sees_project(user))
    return session.scalars(found.order_by(Project.name, Organization.name, Project.id)).all()


def _conditions(sought: Sought, user: User) -> list[ColumnElement[bool]]:
    found = [_MARKED[sought.outcome]] if sought.outcome else []
    if sought.project_id is not None:
        found.append(Notice.project_id == sought.project_id)
    if sought.code:
        found.append(Verdict.code == sought.code)
    if sought.day:
        found.append(_within(Notice.occurred_at, sought.day, user))
    return found


def _with_mark(*marks: str) -> ColumnElement[bool]:
    return STATE.in_([name for name, state in delivery_states.STATES.items() if state.mark in marks])


_IS_SENDING = Verdict.outcome.in_([Outcome.SEND, Outcome.DEFER])
# The same that `explaining.mark_of` says of one; a test holds the two together.
_MARKED: Mapping[str, ColumnElement[bool]] = {
    "sent": and_(_IS_SENDING, _with_mark("sent")),
    "waiting": and_(_IS_SENDING, or_(_with_mark("waiting"), STATE.is_(None))),
    "failed": and_(_IS_SENDING, _with_mark("failed")),
    "not_sent": or_(Verdict.outcome == Outcome.SKIP, and_(_IS_SENDING, _with_mark("not_sent"))),
    "collapsed": Verdict.outcome == Outcome.COLLAPSE,
}


def _within(column: Any, day: date, user: User) -> ColumnElement[bool]:
    zone = ZoneInfo(user.timezone)
    start, end = (
        datetime.combine(each, time(), zone).astimezone(UTC) for each in (day, day + timedelta(days=1))
    )
    return and_(column >= start, column < end)


def changed(
    session: Session, user: User, sought: ChangesSought, *, before: int | None = None
) -> Sequence[Change]:
    """A page of the change log."""
    audits = session.execute(
        select(SettingAudit, User.name)
        .outerjoin(User, User.id == SettingAudit.actor_id)
        .where(SettingAudit.user_id == user.id, _older(SettingAudit.id, before))
        .where(*_changes_sought(sought, user))
        .order_by(SettingAudit.id.desc())
        .limit(PAGE)
    ).all()
    names = _names(session, [audit for audit, _ in audits])
    return [_change(user, audit, name, names) for audit, name in audits]


def _changes_sought(sought: ChangesSought, user: User) -> list[ColumnElement[bool]]:
    found = [SettingAudit.category == sought.category] if sought.category else []
    if sought.by:
        mine = SettingAudit.actor_id == user.id
        found.append(mine if sought.by == "me" else or_(~mine, SettingAudit.actor_id.is_(None)))
    if sought.day:
        found.append(_within(SettingAudit.at, sought.day, user))
    return found


Names = Mapping[tuple[str, int], str]
# What the detail of a change calls the thing that was changed.
NAMES = ("issue", "address", "rule", "release")


def _names(session: Session, audits: Sequence[SettingAudit]) -> Names:
    """What the projects and organizations of these changes are called, with a query for each sort."""
    names: dict[tuple[str, int], str] = {}
    for scope, model in (("project", Project), ("organization", Organization)):
        ids = {audit.scope_id for audit in audits if audit.scope == scope}
        if ids:
            found = session.execute(select(model.id, model.name).where(model.id.in_(ids)))
            names |= {(scope, row.id): row.name for row in found}
    return names


def _change(user: User, audit: SettingAudit, actor: str | None, names: Names) -> Change:
    by = "you" if audit.actor_id == user.id else actor or "Tocsin"
    return Change(audit.id, audit, _sentence(audit, names), by, changes.WAYS.get(audit.via, ""))


def _sentence(audit: SettingAudit, names: Names) -> str:
    unnamed = {
        "project": "a project that is gone",
        "organization": "an organization that is gone",
        "instance": "everybody who chose nothing",
    }
    where = names.get((audit.scope, audit.scope_id)) or unnamed.get(audit.scope)
    where = where or next((audit.detail[name] for name in NAMES if name in audit.detail), None)
    return changes.sentence(audit.category, audit.kind, where, audit.old, audit.new, audit.detail)


def _older(column: Any, before: int | None) -> Any:
    return column < before if before else column > 0
