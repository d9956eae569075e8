"""Who was told of a notice, and why, or why not: what was recorded, as far as the reader may see it.

Nothing is decided or worked out again here. Who may see what: `verdicts`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from app.domain import delivery_states, explanations, ladder, wording
from app.domain.clocks import Clock
from app.domain.errors import NotFound
from app.domain.kinds import KINDS
from app.domain.ladder import Decided, Step
from app.domain.routing import Outcome
from app.domain.wording import Reach
from app.models import Attempt, Delivery, Notice, Project, User
from app.services import access, notice_facts, rereading, switches, verdicts
from app.services.verdicts import Recorded

NOBODY = "A former member"

# Outcome of a verdict that nothing was sent for → mark, and the words for it.
OTHERWISE: Mapping[str, tuple[str, str]] = {
    Outcome.COLLAPSE: ("collapsed", "with another notice"),
    Outcome.SKIP: ("not_sent", "not sent"),
    Outcome.DEFER: ("waiting", "held"),
}
ORDER = ("failed", "sent", "waiting", "collapsed", "not_sent")
UNTOLD = ("not_sent", "collapsed")


@dataclass(frozen=True, slots=True)
class Line:
    """The answer for one person on one channel. What the reader may not see is not in it."""

    person: str
    person_id: int
    is_reader: bool
    channel: str
    code: str  # "" where somebody else's own settings decided
    mark: str  # sent, waiting, not_sent, failed, collapsed
    words: str
    decided_by: str
    reasons: Sequence[str]
    note: str  # what else befell it: held first, or told as the last resort
    carried_by: str | None
    ladder: Sequence[Step]
    switch: tuple[str, str] | None
    delivery: Delivery | None
    delivery_words: str
    hides_times: bool
    may_be_read: bool  # the message, composed anew
    attempts: Sequence[Attempt]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything the Explain page and panel say."""

    notice: Notice
    word: str
    origin: str
    audience: str
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
        .options(*(joinedload(each) for each in notice_facts.TOGETHER))
    )
    if notice is None or (notice.project is None and notice.data.get("user") != user.id):
        raise NotFound
    return notice


def reach_of(
    session: Session, notice_ids: Collection[int], *, reader: User, now: datetime
) -> dict[int, Reach]:
    """How far each of these notices got, with two queries however many they are."""
    if not notice_ids:
        return {}
    found = select(Notice.id, Notice.planned_at, Notice.gate_code).where(Notice.id.in_(notice_ids))
    return _reach(session, session.execute(found).all(), reader, now)


def reach_of_loaded(
    session: Session, notices: Collection[Notice], *, reader: User, now: datetime
) -> dict[int, Reach]:
    """The same for notices at hand, with one query."""
    known = [(notice.id, notice.planned_at, notice.gate_code) for notice in notices]
    return _reach(session, known, reader, now) if known else {}


def _reach(
    session: Session,
    notices: Collection[tuple[int, datetime | None, str | None]],
    reader: User,
    now: datetime,
) -> dict[int, Reach]:
    clock = Clock(now, reader.timezone)
    reach = {
        notice_id: Reach(planned=planned_at is not None, gate=gate) for notice_id, planned_at, gate in notices
    }
    for notice_id, outcome, state, until, count in verdicts.counted(session, reach, reader):
        words = clock.short(until) if until else ""
        reach[notice_id] = reach[notice_id].plus(outcome, state, count, until=words)
    return reach


def explain(session: Session, notice: Notice, viewer: User, *, now: datetime) -> Explanation:
    """What is recorded about the notice, with a constant number of queries."""
    clock = Clock(now, viewer.timezone)
    facts = notice_facts.of(notice, zone=viewer.timezone)
    found = verdicts.recorded(session, [notice], viewer)
    lines = [line(notice, each, facts, clock) for each in found]
    reach = Reach(planned=notice.planned_at is not None, gate=notice.gate_code)
    for each in found:
        until = clock.short(each.until) if each.until else ""
        state = each.delivery.state if each.delivery else None
        reach = reach.plus(each.verdict.outcome, state, until=until)
    members = notice.data.get("members", len(lines))
    return Explanation(
        notice=notice,
        word=facts["word"],
        origin=explanations.origin(notice.kind, facts),
        audience=explanations.audience(KINDS[notice.kind].category, members, facts["project"]),
        gate=wording.code_sentence(notice.gate_code, {}) if notice.gate_code else None,
        reach=reach,
        lines=sorted(lines, key=lambda line: (not line.is_reader, ORDER.index(line.mark))),
        facts=facts,
    )


def line(notice: Notice, recorded: Recorded, facts: Mapping[str, Any], clock: Clock) -> Line:
    """What a verdict says to its reader."""
    verdict, delivery = recorded.verdict, recorded.delivery
    mark, words = mark_of(verdict.outcome, delivery.state if delivery else None)
    if recorded.until:
        words = f"{words} until {clock.short(recorded.until)}"
    return Line(
        person=recorded.name or NOBODY,
        person_id=verdict.subject_id,
        is_reader=recorded.is_readers,
        channel=verdict.channel,
        code="" if not recorded.is_open and wording.CODES[verdict.code].private else verdict.code,
        mark=mark,
        words=words,
        decided_by=decided_by(recorded, clock),
        reasons=_reasons(recorded, facts) if mark not in UNTOLD else (),
        note=_note(recorded),
        carried_by=verdict.params.get("notice") if verdict.outcome == Outcome.COLLAPSE else None,
        ladder=_ladder(notice, recorded, clock) if recorded.is_open else (),
        switch=switches.link(notice, recorded, facts) if recorded.is_readers else None,
        delivery=delivery,
        delivery_words=delivery_states.of(delivery.state).meaning if delivery else "",
        hides_times=recorded.hides_times,
        may_be_read=rereading.may_be_read(recorded),
        attempts=recorded.attempts,
    )


def mark_of(outcome: str, state: str | None) -> tuple[str, str]:
    """The mark of a verdict and its delivery, and the words for it."""
    if outcome == Outcome.SEND or (outcome == Outcome.DEFER and state):
        sending = delivery_states.of(state)
        return sending.mark, sending.words
    return OTHERWISE[outcome]


def decided_by(recorded: Recorded, clock: Clock) -> str:
    """The sentence of the code, with moments on the reader's clock."""
    return wording.code_sentence(
        recorded.verdict.code,
        recorded.params,
        own=recorded.is_open,
        timeless=recorded.hides_times,
        clock=clock,
    )


def _reasons(recorded: Recorded, facts: Mapping[str, Any]) -> Sequence[str]:
    verdict = recorded.verdict
    known = {**facts, "scope": wording.scope_words(verdict.params.get("scope"))}
    if recorded.is_readers:
        first = wording.reason_sentence(verdict.reasons, known)
        return [first, *wording.also(verdict.reasons, known)] if first else []
    return explanations.reasons_of_others(verdict.reasons, known, private=recorded.is_open)


def _note(recorded: Recorded) -> str:
    verdict, digest = recorded.verdict, recorded.digest
    if verdict.params.get("last_resort"):
        return "Told as the project’s last resort: nobody else would have been told before morning."
    if digest is None:
        return ""
    if verdict.outcome == Outcome.SKIP:
        return "It was held first, and looked at again before it went out."
    if recorded.delivery is None:
        return ""
    return "It was held, and went out with what else had been held." if recorded.is_open else ""


def _ladder(notice: Notice, recorded: Recorded, clock: Clock) -> Sequence[Step]:
    verdict = recorded.verdict
    until = recorded.params.get("until")
    return ladder.steps(
        Decided(
            kind=KINDS[notice.kind],
            code=verdict.code,
            reasons=verdict.reasons,
            params=recorded.params,
            until=wording.until_words(until, clock) if until else "",
            was_actor=notice.actor_id == verdict.subject_id,
        )
    )
