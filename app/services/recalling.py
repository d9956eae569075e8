"""A person's own past, newest first: what was sent to them or not, and what was changed about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from app.domain import changes
from app.models import Delivery, Notice, Project, SettingAudit, User, Verdict
from app.services import access, explaining
from app.services.explaining import Line
from app.services.verdicts import Recorded

PAGE = 50


@dataclass(frozen=True, slots=True)
class Told:
    """A verdict about this person."""

    id: int
    notice: Notice
    facts: Mapping[str, Any]
    line: Line


@dataclass(frozen=True, slots=True)
class Change:
    """A line of the change log."""

    id: int
    audit: SettingAudit
    sentence: str
    by: str
    way: str


def told(session: Session, user: User, *, before: int | None = None) -> Sequence[Told]:
    """A page of verdicts, older than the one with the id `before`; of projects that the person still sees."""
    found = (
        select(Verdict, Delivery)
        .join(Verdict.notice)
        .outerjoin(Notice.project)
        .outerjoin(Verdict.delivery)
        .where(Verdict.subject == "user", Verdict.subject_id == user.id, _older(Verdict.id, before))
        .where(or_(access.sees_project(user), Project.id.is_(None)))
        .order_by(Verdict.id.desc())
        .limit(PAGE)
        .options(
            contains_eager(Verdict.notice).options(
                contains_eager(Notice.project),
                joinedload(Notice.issue),
                joinedload(Notice.activity),
                joinedload(Notice.rule),
                joinedload(Notice.actor),
            )
        )
    )
    return [_told(user, verdict, delivery) for verdict, delivery in session.execute(found)]


def _told(user: User, verdict: Verdict, delivery: Delivery | None) -> Told:
    facts = explaining.facts_of(verdict.notice)
    recorded = Recorded(verdict, user.name, delivery, is_readers=True, is_open=True)
    return Told(verdict.id, verdict.notice, facts, explaining.line(verdict.notice, recorded, facts))


def changed(session: Session, user: User, *, before: int | None = None) -> Sequence[Change]:
    """A page of the change log."""
    audits = session.execute(
        select(SettingAudit, User.name)
        .outerjoin(User, User.id == SettingAudit.actor_id)
        .where(SettingAudit.user_id == user.id, _older(SettingAudit.id, before))
        .order_by(SettingAudit.id.desc())
        .limit(PAGE)
    ).all()
    ids = {audit.scope_id for audit, _ in audits if audit.scope == "project"}
    named = select(Project.id, Project.name).where(Project.id.in_(ids))
    names = {row.id: row.name for row in session.execute(named)}
    return [_change(user, audit, name, names) for audit, name in audits]


def _change(user: User, audit: SettingAudit, actor: str | None, names: Mapping[int, str]) -> Change:
    by = "you" if audit.actor_id == user.id else actor or "Tocsin"
    return Change(audit.id, audit, _sentence(audit, names), by, changes.WAYS.get(audit.via, ""))


def _sentence(audit: SettingAudit, names: Mapping[int, str]) -> str:
    where = {
        "project": names.get(audit.scope_id, "a project that is gone"),
        "issue": audit.detail.get("issue"),
    }
    return changes.sentence(audit.category, audit.kind, where.get(audit.scope), audit.old, audit.new)


def _older(column: Any, before: int | None) -> Any:
    return column < before if before else column > 0
