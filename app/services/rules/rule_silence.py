"""Alert rules that somebody does not want to hear, or that nobody is to hear, at a moment."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select, tuple_
from sqlalchemy.orm import Session, contains_eager

from app.models import AlertRule, Notice, RuleMute, User, Verdict
from app.services import access
from app.services.rules import targeting

EVERYONE = None
Mutes = Mapping[int, Mapping[int | None, datetime | None]]  # by rule and person: until when
Key = tuple[int, int]  # notice, person


@dataclass(frozen=True, slots=True)
class RuleMutes:
    """What is muted, and the further rules that a message to somebody stands for."""

    mutes: Mutes = field(default_factory=dict)
    carried: Mapping[Key, Collection[int]] = field(default_factory=dict)

    def of(self, notice: Notice, user_id: int) -> dict[str, Any]:
        """What the evaluator is told: muted is what no rule that is not muted selected the person for."""
        own = notice.rule_id
        if own is None or own not in self.mutes:
            return {}
        others = self.carried.get((notice.id, user_id), ())
        if not all(self._silences(rule_id, user_id) for rule_id in (own, *others)):
            return {}
        ends = self.mutes[own]
        if EVERYONE in ends:
            return {"rule_silent": True, "rule_silent_until": ends[EVERYONE]}
        return {"rule_muted": True, "rule_muted_until": ends[user_id]}

    def _silences(self, rule_id: int, user_id: int) -> bool:
        ends = self.mutes.get(rule_id, {})
        return EVERYONE in ends or user_id in ends


def among(
    session: Session, notices: Collection[Notice], user_ids: Collection[int], *, now: datetime, late: bool
) -> RuleMutes:
    """What these people are not to hear of now, of the notices of one project.

    `late`: they were promised a message, which may stand for the alerts of other rules as well.
    """
    rung = [notice for notice in notices if targeting.is_rung(notice) and notice.rule_id]
    if not rung:
        return RuleMutes()
    mutes = _mutes(session, {notice.project_id for notice in rung}, user_ids, now)
    silent = [notice for notice in rung if notice.rule_id in mutes]
    return RuleMutes(mutes, _carried(session, silent, user_ids) if late and silent else {})


def for_everyone(
    session: Session, notices: Collection[Notice], *, now: datetime
) -> Mapping[Notice, datetime | None]:
    """Which of these are of rules that are muted for everyone, and until when."""
    rung = [notice for notice in notices if targeting.is_rung(notice) and notice.rule_id]
    mutes = _mutes(session, {notice.project_id for notice in rung}, (), now) if rung else {}
    return {
        notice: mutes[notice.rule_id][EVERYONE]
        for notice in rung
        if notice.rule_id and EVERYONE in mutes.get(notice.rule_id, ())
    }


def silent_rules(session: Session, project_id: int, *, now: datetime) -> set[int]:
    """The rules of a project that are muted for everyone."""
    return {rule_id for rule_id, ends in _mutes(session, [project_id], (), now).items() if EVERYONE in ends}


def of_person(session: Session, user: User, *, now: datetime) -> Sequence[RuleMute]:
    """What this person muted for themselves and still holds, the newest first; of projects that they see."""
    found = (
        select(RuleMute)
        .join(RuleMute.rule)
        .join(AlertRule.project)
        .where(RuleMute.user_id == user.id, access.sees_project(user))
        .where(or_(RuleMute.until.is_(None), RuleMute.until > now))
        .order_by(RuleMute.created_at.desc(), RuleMute.id.desc())
        .options(contains_eager(RuleMute.rule).contains_eager(AlertRule.project))
    )
    return session.scalars(found).all()


def _mutes(
    session: Session, project_ids: Collection[int | None], user_ids: Collection[int], now: datetime
) -> Mutes:
    found = (
        select(RuleMute.rule_id, RuleMute.user_id, RuleMute.until)
        .join(AlertRule, AlertRule.id == RuleMute.rule_id)
        .where(
            AlertRule.project_id.in_(project_ids),
            or_(RuleMute.user_id.is_(None), RuleMute.user_id.in_(user_ids)),
            or_(RuleMute.until.is_(None), RuleMute.until > now),
        )
    )
    mutes: dict[int, dict[int | None, datetime | None]] = defaultdict(dict)
    for rule_id, user_id, until in session.execute(found):
        mutes[rule_id][user_id] = until
    return dict(mutes)


def _carried(
    session: Session, notices: Collection[Notice], user_ids: Collection[int]
) -> Mapping[Key, Collection[int]]:
    """The rules whose alerts of the same event came to these people with these notices."""
    carriers = {notice.public_id: notice.id for notice in notices}
    events = {(notice.project_id, notice.event_id) for notice in notices}
    found = (
        select(Verdict.subject_id, Verdict.params, Notice.rule_id)
        .join(Verdict.notice)
        .where(tuple_(Notice.project_id, Notice.event_id).in_(events), Notice.rule_id.is_not(None))
        .where(Verdict.subject == "user", Verdict.subject_id.in_(user_ids), Verdict.code == "merged")
    )
    carried: dict[Key, set[int]] = defaultdict(set)
    for user_id, params, rule_id in session.execute(found):
        if params.get("notice") in carriers and rule_id is not None:
            carried[carriers[params["notice"]], user_id].add(rule_id)
    return carried
