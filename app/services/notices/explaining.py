"""Who was told of a notice, and why, or why not: what was recorded, as far as the reader may see it.

Nothing is decided or worked out again here. Who may see what: `verdicts`.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from app.channels import CHANNELS
from app.domain import delivery_states, explanations, ladder, wording
from app.domain.clocks import Clock
from app.domain.errors import NotFound
from app.domain.kinds import KINDS
from app.domain.ladder import Decided, Step
from app.domain.routing import Outcome
from app.domain.wording import Reach
from app.models import Attempt, Delivery, Notice, Project, User
from app.services import access
from app.services.mails import mail_facts, rereading
from app.services.notices import notice_facts, switches, verdicts
from app.services.notices.verdicts import Counted, Recorded

NOBODY, GONE = "A former member", "An integration that is gone"

# Outcome of a verdict that nothing was sent for → mark, and the words for it.
OTHERWISE: Mapping[str, tuple[str, str]] = {
    Outcome.COLLAPSE: ("collapsed", "with another notice"),
    Outcome.SKIP: ("not_sent", "not sent"),
    Outcome.DEFER: ("waiting", "held"),
}
ORDER = ("failed", "sent", "waiting", "collapsed", "not_sent")
UNTOLD = ("not_sent", "collapsed")


class Planned(Protocol):
    """A notice, or as much of one as its reach asks for."""

    @property
    def id(self) -> int: ...
    @property
    def planned_at(self) -> datetime | None: ...
    @property
    def gate_code(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Line:
    """The answer for one person on one channel. What the reader may not see is not in it."""

    person: str
    person_id: int | None  # None for an integration
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
    nobody: str  # why there is nobody
    versions: str  # of what was asked
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
    session: Session, notices: Collection[Planned], *, reader: User, now: datetime
) -> dict[int, Reach]:
    """How far each of these notices got, with one query however many they are."""
    if not notices:
        return {}
    counted = session.execute(verdicts.counting([notice.id for notice in notices], reader))
    return reach_counted(notices, counted, reader=reader, now=now)


def reach_counted(
    notices: Iterable[Planned], counted: Iterable[Counted], *, reader: User, now: datetime
) -> dict[int, Reach]:
    """The same from what was counted already."""
    clock = Clock(now, reader.timezone)
    reach = {
        notice.id: Reach(planned=notice.planned_at is not None, gate=notice.gate_code) for notice in notices
    }
    for notice_id, outcome, state, until, place, count in counted:
        words = clock.short(until) if until else ""
        reach[notice_id] = reach[notice_id].plus(outcome, state, count, until=words, place=place)
    return reach


def explain(session: Session, notice: Notice, viewer: User, *, now: datetime) -> Explanation:
    """What is recorded about the notice, with a constant number of queries."""
    clock = Clock(now, viewer.timezone)
    facts = notice_facts.of(notice, zone=viewer.timezone)
    found = verdicts.recorded(session, [notice], viewer)
    lines = [line(notice, each, facts, clock) for each in found]
    reach = Reach(planned=notice.planned_at is not None, gate=notice.gate_code)
    for each in (one for one in found if one.counts):
        until = clock.short(each.until) if each.until else ""
        state = each.delivery.state if each.delivery else None
        place = None if each.is_person else each.name or GONE
        reach = reach.plus(each.verdict.outcome, state, until=until, place=place)
    members = notice.data.get("members", len(lines))
    return Explanation(
        notice=notice,
        word=facts["word"],
        origin=explanations.origin(notice.kind, facts),
        audience=explanations.audience(
            notice.kind, members, facts["project"], told=notice.data.get("audience", ())
        ),
        nobody=explanations.nobody(notice.kind, notice.data.get("audience", ())),
        versions=explanations.versions(notice.rule_version, notice.owners_version),
        gate=gate_sentence(notice, clock) if notice.gate_code else None,
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
        person=recorded.name or (NOBODY if recorded.is_person else GONE),
        person_id=verdict.subject_id if recorded.is_person else None,
        is_reader=recorded.is_readers,
        channel=CHANNELS[verdict.channel].about.label if verdict.channel in CHANNELS else verdict.channel,
        code="" if not recorded.is_open and wording.CODES[verdict.code].private else verdict.code,
        mark=mark,
        words=words,
        decided_by=decided_by(recorded, clock),
        reasons=reasons(recorded, facts) if mark not in UNTOLD else (),
        note=_note(recorded),
        carried_by=verdict.params.get("notice") if verdict.outcome == Outcome.COLLAPSE else None,
        ladder=_ladder(notice, recorded, clock) if recorded.is_open and recorded.is_person else (),
        switch=switches.link(notice, recorded, facts) if recorded.is_readers else None,
        delivery=delivery,
        delivery_words=_delivery_words(recorded),
        hides_times=recorded.hides_times,
        may_be_read=rereading.may_be_read(recorded),
        attempts=recorded.attempts,
    )


def _delivery_words(recorded: Recorded) -> str:
    """What became of the message; integrations are no mail servers."""
    if recorded.delivery is None:
        return ""
    state, peer = recorded.delivery.state, recorded.attempts[-1].peer if recorded.attempts else ""
    if recorded.is_person:
        return delivery_states.meaning(state, peer=peer)
    return delivery_states.of(state).words


def mark_of(outcome: str, state: str | None) -> tuple[str, str]:
    """The mark of a verdict and its delivery, and the words for it."""
    if outcome == Outcome.SEND or (outcome == Outcome.DEFER and state):
        sending = delivery_states.of(state)
        return sending.mark, sending.words
    return OTHERWISE[outcome]


def gate_sentence(notice: Notice, clock: Clock = wording.UTC_CLOCK) -> str:
    """Why the notice stopped as a whole."""
    return wording.code_sentence(notice.gate_code or "send", notice.data.get("gate") or {}, clock=clock)


def decided_by(recorded: Recorded, clock: Clock) -> str:
    """The sentence of the code, with moments on the reader's clock."""
    return wording.code_sentence(
        recorded.verdict.code,
        recorded.params,
        own=recorded.is_open,
        timeless=recorded.hides_times,
        clock=clock,
    )


def reasons(recorded: Recorded, facts: Mapping[str, Any]) -> Sequence[str]:
    verdict = recorded.verdict
    if not verdict.reasons:
        words = explanations.unreasoned(verdict.notice.kind, facts, is_person=recorded.is_person)
        return [words] if words else []
    if not recorded.is_readers:
        return verdicts.because(recorded, facts)
    known = {**facts, **wording.person_facts(verdict.params)}
    first = wording.reason_sentence(verdict.reasons, known)
    return [first, *wording.also(verdict.reasons, known)] if first else []


def _note(recorded: Recorded) -> str:
    verdict, digest = recorded.verdict, recorded.digest
    if recorded.is_open and (required := mail_facts.required(verdict.notice, verdict)):
        return f"{required}."
    if verdict.params.get("last_resort"):
        return "Told as the project’s last resort: nobody else would have been told before morning."
    if digest is None:
        return ""
    if verdict.outcome == Outcome.SKIP:
        return "It was held first, and looked at again before it went out."
    if recorded.delivery is None:
        is_wanted = digest.is_asked_for and recorded.is_open and not recorded.hides_times
        return "You asked for it, so it goes out within moments." if is_wanted else ""
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
