"""Who was told of a notice, and why, or why not: what was recorded, as far as the reader may see it.

Nothing is decided or worked out again here. Who may see what: `verdicts`.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, joinedload

from app.domain import delivery_states, explanations, wording
from app.domain.errors import NotFound
from app.domain.links import Links
from app.domain.routing import Outcome
from app.domain.wording import Reach
from app.models import Attempt, Delivery, Notice, Project, User, Verdict
from app.services import access, mail_facts, verdicts
from app.services.verdicts import Recorded

NOBODY = "A former member"
HERE = Links("")

# Outcome of a verdict that nothing was sent for → mark, and the words for it.
OTHERWISE: Mapping[str, tuple[str, str]] = {
    Outcome.COLLAPSE: ("collapsed", "with another notice"),
    Outcome.SKIP: ("not_sent", "not sent"),
}
ORDER = ("failed", "sent", "waiting", "collapsed", "not_sent")
UNTOLD = ("not_sent", "collapsed")

# Switch of a code (`wording.CODES`) → its label and its address.
SWITCHES: Mapping[str, Callable[[Mapping[str, Any]], tuple[str, str]]] = {
    "alerts": lambda facts: ("Change", HERE.fine_tune("alerts", facts["project_slug"])),
    "workflow": lambda facts: ("Change", HERE.fine_tune("workflow", facts["project_slug"])),
    "kinds": lambda facts: ("Change", f"{HERE.settings()}#kinds"),
    "own_activity": lambda facts: ("Change", f"{HERE.settings()}#row-own_activity-0"),
    "addresses": lambda facts: ("Your addresses", "/settings/account/"),
    "subscription": lambda facts: ("Subscribe on the issue page", facts.get("open_url", "")),
    "issue": lambda facts: ("Open the issue", facts.get("open_url", "")),
}


@dataclass(frozen=True, slots=True)
class Line:
    """The answer for one person on one channel. What the reader may not see is not in it."""

    person: str
    is_reader: bool
    channel: str
    mark: str  # sent, waiting, not_sent, failed, collapsed
    words: str
    decided_by: str
    reasons: Sequence[str]
    carried_by: str | None
    ladder: Sequence[tuple[str, bool]]
    switch: tuple[str, str] | None
    delivery: Delivery | None
    delivery_words: str
    attempts: Sequence[Attempt]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything the Explain page and panel say."""

    notice: Notice
    word: str
    origin: str
    gate: str | None
    reach: Reach
    lines: Sequence[Line]
    facts: Mapping[str, Any]

    @property
    def is_under_way(self) -> bool:
        """Whether the record will change within moments."""
        return self.notice.planned_at is None or self.reach.sending > 0


def visible_notice(session: Session, user: User, public_id: str) -> Notice:
    """A notice of a project that this person sees, or their own test; else `NotFound`."""
    if not public_id.isprintable():  # PostgreSQL refuses to look for a NUL
        raise NotFound
    notice = session.scalar(
        select(Notice)
        .outerjoin(Notice.project)
        .where(Notice.public_id == public_id, or_(access.sees_project(user), Project.id.is_(None)))
        .options(
            joinedload(Notice.project),
            joinedload(Notice.issue),
            joinedload(Notice.activity),
            joinedload(Notice.rule),
            joinedload(Notice.actor),
        )
    )
    if notice is None or (notice.project is None and notice.data.get("user") != user.id):
        raise NotFound
    return notice


def reach_of(session: Session, notice_ids: Collection[int]) -> dict[int, Reach]:
    """How far each of these notices got, with two queries however many they are."""
    if not notice_ids:
        return {}
    found = select(Notice.id, Notice.planned_at, Notice.gate_code).where(Notice.id.in_(notice_ids))
    reach = {
        notice_id: Reach(planned=planned_at is not None, gate=gate)
        for notice_id, planned_at, gate in session.execute(found)
    }
    counted = (
        select(Verdict.notice_id, Verdict.outcome, Delivery.state, func.count())
        .outerjoin(Verdict.delivery)
        .where(Verdict.notice_id.in_(reach), Verdict.subject == "user")
        .group_by(Verdict.notice_id, Verdict.outcome, Delivery.state)
    )
    for notice_id, outcome, state, count in session.execute(counted):
        reach[notice_id] = reach[notice_id].plus(outcome, state, count)
    return reach


def explain(session: Session, notice: Notice, viewer: User) -> Explanation:
    """What is recorded about the notice, with a constant number of queries."""
    facts = facts_of(notice)
    found = verdicts.recorded(session, [notice], viewer)
    lines = [line(notice, each, facts) for each in found]
    reach = Reach(planned=notice.planned_at is not None, gate=notice.gate_code)
    for each in found:
        reach = reach.plus(each.verdict.outcome, each.delivery.state if each.delivery else None)
    return Explanation(
        notice=notice,
        word=facts["word"],
        origin=explanations.origin(notice.kind, facts),
        gate=wording.code_sentence(notice.gate_code, {}) if notice.gate_code else None,
        reach=reach,
        lines=sorted(lines, key=lambda line: (not line.is_reader, ORDER.index(line.mark))),
        facts=facts,
    )


def facts_of(notice: Notice) -> dict[str, Any]:
    """What the sentences about the notice need to know."""
    data = notice.activity.data if notice.activity else {}
    facts = mail_facts.of(notice, None, HERE)
    version = data.get("version")
    return {
        **facts,
        "rule": f"Rule “{notice.rule.name}”" if notice.rule else "A rule that was deleted since",
        "event": (notice.event_id or "")[:8],
        "version": f" of release {version}" if version else "",
        "to": data.get("to", {}).get("name", "somebody"),
        "was": data.get("was", {}).get("name", "somebody") if notice.kind == "unassigned" else "",
    }


def line(notice: Notice, recorded: Recorded, facts: Mapping[str, Any]) -> Line:
    """What a verdict says to its reader."""
    verdict, delivery = recorded.verdict, recorded.delivery
    mark, words = mark_of(verdict.outcome, delivery.state if delivery else None)
    return Line(
        person=recorded.name or NOBODY,
        is_reader=recorded.is_readers,
        channel=verdict.channel,
        mark=mark,
        words=words,
        decided_by=wording.code_sentence(verdict.code, verdict.params, own=recorded.is_open),
        reasons=_reasons(recorded, facts) if mark not in UNTOLD else (),
        carried_by=verdict.params.get("notice") if verdict.outcome == Outcome.COLLAPSE else None,
        ladder=explanations.ladder(verdict.code) if recorded.is_open else (),
        switch=switch_for(notice, verdict, facts) if recorded.is_readers else None,
        delivery=delivery,
        delivery_words=delivery_states.of(delivery.state).meaning if delivery else "",
        attempts=recorded.attempts,
    )


def mark_of(outcome: str, state: str | None) -> tuple[str, str]:
    """The mark of a verdict and its delivery, and the words for it."""
    if outcome != Outcome.SEND:
        return OTHERWISE[outcome]
    sending = delivery_states.of(state)
    return sending.mark, sending.words


def _reasons(recorded: Recorded, facts: Mapping[str, Any]) -> Sequence[str]:
    verdict = recorded.verdict
    known = {**facts, "scope": wording.scope_words(verdict.params.get("scope"))}
    if recorded.is_readers:
        first = wording.reason_sentence(verdict.reasons, known)
        return [first, *wording.also(verdict.reasons, known)] if first else []
    return explanations.reasons_of_others(verdict.reasons, known, private=recorded.is_open)


def switch_for(notice: Notice, verdict: Verdict, facts: Mapping[str, Any]) -> tuple[str, str] | None:
    """The one control that changes what was decided: its label and where it is."""
    if verdict.code == "send":
        because = mail_facts.because(notice, verdict, facts, HERE)
        return (because["switch_label"], because["switch_url"]) if because["switch_url"] else None
    name = wording.CODES[verdict.code].switch
    return SWITCHES[name](facts) if name and name in SWITCHES and facts["project_slug"] else None
