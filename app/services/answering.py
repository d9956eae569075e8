"""Why somebody heard of an issue, or did not: an answer for each of its notices (`experience.md` 3.4)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from app.domain import delivery_states, wording
from app.domain.errors import Refused
from app.domain.routing import Outcome
from app.domain.stopping import masked
from app.models import (
    Attempt,
    Delivery,
    Issue,
    Notice,
    Organization,
    Project,
    SettingAudit,
    User,
    Verdict,
)
from app.services import access, explaining, mail_facts, verdicts

DELIVERED, HELD, REFUSED, COLLAPSED, NO_NOTICE = "delivered", "held", "refused", "collapsed", "no_notice"
NO_ACCESS = "no_access"

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


def why(
    session: Session, issue: Issue, person: User | None, *, own: bool, start: int = 0, count: int = 100
) -> list[Reply]:
    """The newest notice first. Somebody outside the project gets one answer, and so does silence.

    `own` is whether the person is the one who asks: switches are theirs alone to use.
    """
    if person is None or person.id not in access.project_member_ids(session, issue.project_id):
        return [OUTSIDE][start:]
    notices = _notices(session, issue, start, count)
    if not notices:
        return [SILENCE][start:]
    decided = _decided(session, notices, person)
    tries = verdicts.attempts_of(session, [each.delivery.id for each in decided.values() if each.delivery])
    return [
        _of_verdict(notice, verdict, person, tries, own=own) if verdict else _without_verdict(notice)
        for notice in notices
        for verdict in [decided.get(notice.id)]
    ]


def find_issue(session: Session, short_id: str, organization: Organization | None) -> Issue:
    """For an operator, who sees everything. `Refused` when there is no such issue, or more than one."""
    found = select(Issue).join(Issue.project).where(Issue.short_id == short_id.strip().upper())
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
    """Leave a line in the log of a person whose notices somebody else asked about."""
    session.add(
        SettingAudit(
            at=now,
            user_id=of.id,
            actor_id=by.id if by else None,
            category="explanation",
            scope="issue",
            scope_id=issue.id,
            new="looked up",
            via=via,
            detail={"issue": issue.short_id},
        )
    )
    session.flush()


def _notices(session: Session, issue: Issue, start: int, count: int) -> Sequence[Notice]:
    together = (Notice.project, Notice.issue, Notice.activity, Notice.rule, Notice.actor)
    found = select(Notice).where(Notice.issue_id == issue.id).order_by(Notice.id.desc())
    return session.scalars(
        found.offset(start).limit(count).options(*(joinedload(each) for each in together))
    ).all()


def _decided(session: Session, notices: Sequence[Notice], person: User) -> dict[int, Verdict]:
    found = select(Verdict).where(
        Verdict.notice_id.in_([notice.id for notice in notices]),
        Verdict.subject == "user",
        Verdict.subject_id == person.id,
    )
    rows = session.scalars(found.options(joinedload(Verdict.delivery)))
    return {row.notice_id: row for row in rows}


def _without_verdict(notice: Notice) -> Reply:
    """Everybody's answer while it is undecided, or where the notice itself stopped; else who came later."""
    if notice.planned_at is None:
        return Reply(HELD, "Whom to tell is being decided.", notice.public_id)
    if notice.gate_code:
        sentence = wording.code_sentence(notice.gate_code, {})
        return Reply(REFUSED, sentence, notice.public_id, notice.gate_code)
    return Reply(REFUSED, "Was on no team of the project then.", notice.public_id, NO_ACCESS)


def _of_verdict(
    notice: Notice,
    verdict: Verdict,
    person: User,
    tries: Mapping[int, Sequence[Attempt]],
    *,
    own: bool,
) -> Reply:
    delivery = verdict.delivery
    if verdict.outcome == Outcome.SEND:
        answer = _answer(delivery.state if delivery else None)
    else:
        answer = OF_OUTCOME[verdict.outcome]
    sentence = (
        _sent(delivery, tries.get(delivery.id, ()), person)
        if delivery and verdict.code == "send"
        else wording.code_sentence(verdict.code, verdict.params)
    )
    switch = explaining.switch_for(notice, verdict, explaining.facts_of(notice)) if own else None
    return Reply(answer, sentence, notice.public_id, verdict.code, verdict.params.get("scope"), switch)


def _answer(state: str | None) -> str:
    if not delivery_states.of(state).is_final:
        return HELD
    return DELIVERED if state == delivery_states.ACCEPTED else REFUSED


def _sent(delivery: Delivery, tries: Sequence[Attempt], person: User) -> str:
    """What became of the message: when, where to, and the mail server's own words."""
    when = mail_facts.clock(person.timezone)["when"]
    state = delivery_states.of(delivery.state).meaning
    if delivery.state == delivery_states.DEFERRED:
        state = f"{state} {when(delivery.send_at)}"
    words = f"Mail to {masked(delivery.address)}: {state}."
    if not tries:
        return words
    last = tries[-1]
    return f"{words} The mail server's answer of {when(last.at)}: {last.response or last.code}"
