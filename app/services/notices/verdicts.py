"""Verdicts of several notices at once, with their deliveries and attempts, as far as a reader may see them.

The one place that knows who may see what (`experience.md` 3.6). The number of queries does not grow with the
notices.

- One's own: everything.
- Administrators of the project: everything but the hours that somebody keeps quiet.
- Members of the project: who was told or not, what became of the message, and a public reason.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVarTuple

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import Session, aliased

from app.domain import explanations, wording
from app.domain.routing import Outcome
from app.models import Attempt, Delivery, Destination, Digest, Notice, User, Verdict
from app.services import access
from app.services.notices import notice_facts

Ts = TypeVarTuple("Ts")
QUIET = "quiet"
# A verdict has a delivery of its own, or that of the digest which carried it.
OWN, CARRIED = aliased(Delivery), aliased(Delivery)
STATE: ColumnElement[str | None] = func.coalesce(OWN.state, CARRIED.state)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A verdict, and how much of it its reader may see.

    An open one shows which of the person's own settings decided, and what the mail server answered.
    """

    verdict: Verdict
    name: str | None  # None for somebody whose account is gone
    delivery: Delivery | None
    is_readers: bool
    is_open: bool
    attempts: Sequence[Attempt] = ()
    digest: Digest | None = None

    @property
    def is_person(self) -> bool:
        """Not an integration."""
        return self.verdict.subject == "user"

    @property
    def counts(self) -> bool:
        """Whether it is a part of the reach: of integrations only those that were told are."""
        return self.is_person or self.verdict.outcome == Outcome.SEND

    @property
    def hides_times(self) -> bool:
        """Whether a moment of it would give away somebody's quiet hours."""
        was_quiet = self.verdict.code == "quiet_hours" or (self.digest and self.digest.kind == QUIET)
        return bool(was_quiet) and not self.is_readers

    @property
    def until(self) -> datetime | None:
        """When what is held goes out, where the reader may know."""
        is_held = self.verdict.outcome == Outcome.DEFER and self.delivery is None
        if not is_held or self.hides_times:
            return None
        return self.digest.send_at if self.digest else _moment(self.verdict.params.get("until"))

    @property
    def params(self) -> Mapping[str, Any]:
        """The facts of what decided, without those that are not the reader's to know."""
        hidden = {"until"} if self.hides_times else set()
        known = {name: value for name, value in self.verdict.params.items() if name not in hidden}
        # It may have been asked for earlier since it was decided, or put off.
        return known | {"until": self.until.isoformat()} if self.until and "until" in known else known


@dataclass(frozen=True, slots=True)
class Shown:
    """A verdict as programs see it; `code` is None where somebody else's own settings decided."""

    subject: str
    subject_id: int
    name: str | None
    channel: str
    outcome: str
    code: str | None
    sentence: str
    reasons: Sequence[str]
    because: Sequence[str]
    delivery: Delivery | None
    is_open: bool
    hides_times: bool
    until: datetime | None
    attempts: Sequence[Attempt]


def is_carried_by(delivery: type[Delivery]) -> ColumnElement[bool]:
    """Whether the verdict was told with this delivery of a digest."""
    return and_(delivery.digest_id == Verdict.digest_id, Verdict.outcome == Outcome.DEFER)


def with_deliveries(found: Select[*Ts]) -> Select[*Ts]:
    """The query on verdicts, joined with `OWN` and `CARRIED` deliveries and the digest."""
    return (
        found.outerjoin(OWN, OWN.verdict_id == Verdict.id)
        .outerjoin(CARRIED, is_carried_by(CARRIED))
        .outerjoin(Digest, Digest.id == Verdict.digest_id)
    )


def recorded(
    session: Session, notices: Collection[Notice], reader: User, *, only: int | None = None
) -> list[Recorded]:
    """By the person's name; of one person alone if `only` says so. Open are one's own, and an admin's."""
    open_ids = _open_notices(session, notices, reader)
    found = (
        with_deliveries(select(Verdict, _NAME, OWN, CARRIED, Digest))
        .outerjoin(User, _IS_ABOUT)
        .outerjoin(Destination, _GOES_TO)
        .where(Verdict.notice_id.in_([notice.id for notice in notices]))
        .order_by(Verdict.subject.desc(), _NAME, Verdict.id)
    )
    if only is not None:
        found = found.where(_IS_PERSON, Verdict.subject_id == only)
    rows = session.execute(found).all()
    readable = [
        own or carried
        for verdict, _, own, carried, _ in rows
        if _is_of(reader, verdict) or verdict.notice_id in open_ids
    ]
    tries = attempts_of(session, [delivery.id for delivery in readable if delivery])
    return [
        _recorded(verdict, name, own or carried, digest, reader, verdict.notice_id in open_ids, tries)
        for verdict, name, own, carried, digest in rows
    ]


_IS_PERSON = Verdict.subject == "user"
_IS_ABOUT = _IS_PERSON & (User.id == Verdict.subject_id)
_GOES_TO = (Verdict.subject == "destination") & (Destination.id == Verdict.subject_id)
# Of an integration that is removed: what it was called.
_PLACE: ColumnElement[str | None] = func.coalesce(
    Destination.name, case((Verdict.subject == "destination", OWN.address))
)
_NAME: ColumnElement[str | None] = func.coalesce(User.name, _PLACE)


def _is_of(person: User, verdict: Verdict) -> bool:
    return verdict.subject == "user" and verdict.subject_id == person.id


def _recorded(
    verdict: Verdict,
    name: str | None,
    delivery: Delivery | None,
    digest: Digest | None,
    reader: User,
    is_open: bool,
    tries: Mapping[int, Sequence[Attempt]],
) -> Recorded:
    mine = _is_of(reader, verdict)
    attempts = tries.get(delivery.id, ()) if delivery else ()
    return Recorded(verdict, name, delivery, mine, mine or is_open, attempts, digest)


def of_person(
    session: Session, notices: Collection[Notice], person: User, *, own: bool
) -> Mapping[int, Recorded]:
    """What was decided about one person, by the notice's id: for them (`own`), or for who administers all."""
    found = with_deliveries(select(Verdict, OWN, CARRIED, Digest)).where(
        Verdict.notice_id.in_([notice.id for notice in notices]),
        Verdict.subject == "user",
        Verdict.subject_id == person.id,
    )
    rows = session.execute(found).all()
    tries = attempts_of(session, [(mine or other).id for _, mine, other, _ in rows if mine or other])
    return {
        verdict.notice_id: Recorded(
            verdict,
            person.name,
            mine or other,
            is_readers=own,
            is_open=True,
            attempts=tries.get((mine or other).id, ()) if mine or other else (),
            digest=digest,
        )
        for verdict, mine, other, digest in rows
    }


def _open_notices(session: Session, notices: Collection[Notice], reader: User) -> set[int]:
    """Those whose verdicts are open to the reader, because they administer the project."""
    if not any(notice.project for notice in notices):
        return set()
    administered = {row.id for row in access.organizations_where(session, reader, "edit_project")}
    return {
        notice.id for notice in notices if notice.project and notice.project.organization_id in administered
    }


def of(session: Session, notices: Collection[Notice], reader: User) -> Mapping[int, Sequence[Shown]]:
    """By the notice's id; within a notice by the person's name."""
    shown: dict[int, list[Shown]] = defaultdict(list)
    facts = {notice.id: notice_facts.of(notice, zone=reader.timezone) for notice in notices}
    for each in recorded(session, notices, reader):
        shown[each.verdict.notice_id].append(_shown(each, facts[each.verdict.notice_id]))
    return shown


def attempts_of(session: Session, delivery_ids: Collection[int]) -> Mapping[int, list[Attempt]]:
    """The tries of these deliveries, the first one first."""
    tries: dict[int, list[Attempt]] = defaultdict(list)
    if delivery_ids:
        found = select(Attempt).where(Attempt.delivery_id.in_(delivery_ids)).order_by(Attempt.number)
        for attempt in session.scalars(found):
            tries[attempt.delivery_id].append(attempt)
    return tries


Counted = tuple[int, str, str | None, datetime | None, str | None, int]


def counting(notice_ids: Collection[int] | Select[int], reader: User) -> Select[*Counted]:
    """Verdicts by notice, outcome, delivery state and, where the reader may know it, until when held.

    Integrations are counted each by its name.
    """
    may_know = (_IS_PERSON & (Verdict.subject_id == reader.id)) | (Digest.kind != QUIET)
    is_held = (Verdict.outcome == Outcome.DEFER) & STATE.is_(None)
    state = STATE.label("delivery_state")
    until = case((is_held & may_know, Digest.send_at)).label("shown_until")
    place, people = _PLACE.label("place"), func.count().label("people")
    return (
        with_deliveries(select(Verdict.notice_id, Verdict.outcome, state, until, place, people))
        .outerjoin(Destination, _GOES_TO)
        .where(Verdict.notice_id.in_(notice_ids), or_(_IS_PERSON, Verdict.outcome == Outcome.SEND))
        .group_by(Verdict.notice_id, Verdict.outcome, "delivery_state", "shown_until", "place")
    )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def because(each: Recorded, facts: Mapping[str, Any]) -> tuple[str, ...]:
    """Why somebody was to be told, in the third person, as far as the reader may know."""
    known = {**facts, **wording.person_facts(each.verdict.params)}
    return explanations.reasons_of_others(each.verdict.reasons, known, private=each.is_open)


def _shown(each: Recorded, facts: Mapping[str, Any]) -> Shown:
    verdict = each.verdict
    hidden = not each.is_open and wording.CODES[verdict.code].private
    return Shown(
        subject=verdict.subject,
        subject_id=verdict.subject_id,
        name=each.name,
        channel=verdict.channel,
        outcome=verdict.outcome,
        code=None if hidden else verdict.code,
        sentence=wording.code_sentence(
            verdict.code, each.params, own=each.is_open, timeless=each.hides_times
        ),
        reasons=[reason for reason in verdict.reasons if each.is_open or reason not in explanations.PRIVATE],
        because=because(each, facts),
        delivery=each.delivery,
        is_open=each.is_open,
        hides_times=each.hides_times,
        until=each.until,
        attempts=each.attempts,
    )
