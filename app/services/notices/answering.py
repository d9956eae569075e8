"""Why somebody heard of an issue, or did not: an answer for each of its notices (`experience.md` 3.4)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from app.domain import delivery_states
from app.domain.clocks import Clock
from app.domain.errors import Refused
from app.domain.routing import Outcome
from app.domain.stopping import masked
from app.models import Issue, Notice, Organization, Project, SettingAudit, User
from app.services import access, auditing
from app.services.notices import explaining, notice_facts, switches, verdicts
from app.services.notices.verdicts import Recorded

DELIVERED, HELD, REFUSED, COLLAPSED = "delivered", "held", "refused", "collapsed"
NO_NOTICE, NO_EVENT = "no_notice", "no_event"
NO_ACCESS = "no_access"
LOOKED = "explanation"  # somebody asked about somebody else
NOTED_EVERY = timedelta(hours=1)

OF_OUTCOME: Mapping[str, str] = {Outcome.SKIP: REFUSED, Outcome.COLLAPSE: COLLAPSED}


@dataclass(frozen=True, slots=True)
class Reply:
    """`notice` is the notice's public id; `scope` is where the setting that decided was chosen."""

    answer: str
    sentence: str
    notice: str | None = None
    code: str | None = None
    scope: str | None = None
    switch: tuple[str, str] | None = None


OUTSIDE = Reply(REFUSED, "On no team of the project: nobody else is told about it.", code=NO_ACCESS)
SILENCE = Reply(NO_NOTICE, "No notice was made: no rule matched, and nobody changed the issue.")
NOTHING = Reply(NO_EVENT, "No event was received: there was nothing to tell.")


def why(
    session: Session,
    issue: Issue,
    person: User | None,
    *,
    own: bool,
    now: datetime,
    start: int = 0,
    count: int = 100,
) -> list[Reply]:
    """The newest notice first. Somebody outside the project gets one answer, and so does silence.

    `own` is whether the person is the one who asks: switches are theirs alone to use.
    """
    if person is None or is_outside(session, issue.project, person):
        return [OUTSIDE][start:]
    notices = _notices(session, issue, start, count)
    if not notices:
        return [SILENCE if issue.times_seen else NOTHING][start:]
    clock = Clock(now, person.timezone)
    decided = verdicts.of_person(session, notices, person, own=own)
    return [reply(notice, decided.get(notice.id), clock) for notice in notices]


def is_outside(session: Session, project: Project, person: User) -> bool:
    """Whether the project's notices are none of this person's concern."""
    return person.id not in access.project_member_ids(session, project.id)


def find_issue(session: Session, short_id: str, organization: Organization | None) -> Issue:
    """For an operator, who sees everything. `Refused` when there is no such issue, or more than one."""
    named = access.named(short_id.strip().upper())
    found = select(Issue).join(Issue.project).where(named, access.IS_THERE)
    if organization:
        found = found.where(Project.organization_id == organization.id)
    rows = session.scalars(found.order_by(Issue.id.desc())).all()
    if not rows:
        raise Refused(f"There is no issue {short_id}.")
    slugs = sorted({row.project.organization.slug for row in rows})
    if len(slugs) > 1:
        raise Refused(f"There are issues {short_id} in {', '.join(slugs)}: say which organization is meant.")
    return rows[0]


def note_lookup(
    session: Session, issue: Issue, *, of: User, by: User | None, now: datetime, via: str
) -> None:
    """Leave a line in the log of a member whose notices somebody else asked about.

    Of whoever is outside the project there is nothing to learn, so nothing is noted.
    """
    if is_outside(session, issue.project, of):
        return
    note(session, issue.id, issue.short_id, of=of.id, by=by.id if by else None, now=now, via=via)


def note(
    session: Session, issue_id: int, short_id: str, *, of: int, by: int | None, now: datetime, via: str
) -> None:
    """The same, where only ids are at hand. One line an hour says that somebody looked, however often."""
    line = {"user_id": of, "actor_id": by, "category": LOOKED, "scope": "issue", "scope_id": issue_id}
    lately = select(SettingAudit.detail).filter_by(**line).where(SettingAudit.at > now - NOTED_EVERY)
    if any(detail.get("issue") == short_id for detail in session.scalars(lately)):
        return
    detail = {"issue": short_id}
    auditing.note(
        session,
        of,
        LOOKED,
        by_id=by,
        place=("issue", issue_id),
        at=now,
        via=via,
        new="looked up",
        detail=detail,
    )
    session.flush()


def _notices(session: Session, issue: Issue, start: int, count: int) -> Sequence[Notice]:
    found = select(Notice).where(Notice.issue_id == issue.id).order_by(Notice.id.desc())
    together = (joinedload(each) for each in notice_facts.TOGETHER)
    return session.scalars(found.offset(start).limit(count).options(*together)).all()


def reply(notice: Notice, recorded: Recorded | None, clock: Clock) -> Reply:
    """What a notice has to answer about one person; times are those of the `clock`."""
    if recorded is None:
        return _without_verdict(notice, clock)
    verdict = recorded.verdict
    facts = notice_facts.of(notice, zone=clock.zone)
    return Reply(
        answer=_answer(recorded),
        sentence=" ".join([sentence(recorded, clock), *_because(recorded, facts)]),
        notice=notice.public_id,
        code=verdict.code,
        scope=verdict.params.get("scope"),
        switch=switches.link(notice, recorded, facts) if recorded.is_readers else None,
    )


def _without_verdict(notice: Notice, clock: Clock) -> Reply:
    """Everybody's answer while it is undecided, or where the notice itself stopped; else who came later."""
    if notice.planned_at is None:
        return Reply(HELD, "Whom to tell is being decided.", notice.public_id)
    if notice.gate_code:
        return Reply(REFUSED, explaining.gate_sentence(notice, clock), notice.public_id, notice.gate_code)
    if told := notice.data.get("audience"):
        return Reply(REFUSED, f"The rule told others: {'; '.join(told)}.", notice.public_id)
    return Reply(REFUSED, "Was on no team of the project then.", notice.public_id, NO_ACCESS)


def _because(recorded: Recorded, facts: Mapping[str, Any]) -> list[str]:
    """Why they are told, of whoever is."""
    if _answer(recorded) == REFUSED:
        return []
    found = explaining.reasons(recorded, facts)
    return [f"Because {found[0]}."] if found else []


def _answer(recorded: Recorded) -> str:
    verdict, delivery = recorded.verdict, recorded.delivery
    if verdict.outcome in OF_OUTCOME:
        return OF_OUTCOME[verdict.outcome]
    if delivery is None or not delivery_states.of(delivery.state).is_final:
        return HELD
    return DELIVERED if delivery.state == delivery_states.ACCEPTED else REFUSED


def sentence(recorded: Recorded, clock: Clock) -> str:
    """What became of the message: when, where to, and the mail server's own words; else what decided."""
    delivery = recorded.delivery
    called_off = delivery is not None and delivery.state == delivery_states.CANCELLED
    if delivery is None or called_off or recorded.verdict.outcome in OF_OUTCOME:
        return explaining.decided_by(recorded, clock)
    peer = recorded.attempts[-1].peer if recorded.attempts else ""
    state = delivery_states.meaning(delivery.state, peer=peer)
    if delivery.state == delivery_states.DEFERRED:
        state = f"{state} {clock.second(delivery.send_at)}"
    words = f"Mail to {masked(delivery.address)}: {state}."
    if not recorded.attempts or peer == delivery_states.CAPTURED:
        return words
    last = recorded.attempts[-1]
    when = "" if recorded.hides_times else f" of {clock.second(last.at)}"
    return f"{words} The mail server's answer{when}: {last.response or last.code}"
