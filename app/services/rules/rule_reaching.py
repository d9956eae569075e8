"""Whom rules would reach now, saved or not: the evaluator's own answer, about notices that are imagined."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain import routing, wording
from app.domain.clocks import Clock
from app.domain.routing import Outcome
from app.domain.rule_content import Content
from app.models import AlertRule, Issue, Notice, Project, User
from app.services.integrations import destinations
from app.services.notices import considering
from app.services.people import onboarding
from app.services.preferences.preferring import Defaults

KIND = "alert.new"
INSTEAD = "It does not work and is switched off. Project admins get its alerts by email."


@dataclass(frozen=True, slots=True)
class Reached:
    """People by what would reach them, and integrations; those who are not told with the reason."""

    told: Sequence[str] = ()
    held: Sequence[tuple[str, str]] = ()
    untold: Sequence[tuple[str, str]] = ()
    integrations: Sequence[str] = ()
    broken: Sequence[tuple[str, str]] = ()
    is_replaced: bool = False  # an integration does not work, so mails go out in its place

    @property
    def candidates(self) -> int:
        return len(self.told) + len(self.held) + len(self.untold)

    @property
    def reachable(self) -> int:
        return len(self.told) + len(self.held)

    @property
    def is_short(self) -> bool:
        """Whether somebody whom the rule means would not hear of it, or nobody would at all."""
        return bool(self.untold or self.broken) or not (self.reachable or self.integrations)

    @property
    def words(self) -> str:
        """ "8 of 9 by email, 2 integrations"."""
        parts = [f"{self.reachable} of {self.candidates} by email"] if self.candidates else []
        if self.integrations:
            count = len(self.integrations)
            parts.append("1 integration" if count == 1 else f"{count} integrations")
        if self.is_replaced:
            parts.append("project admins by email in place of what does not work")
        return ", ".join(parts) or "nobody"


def of_rules(
    session: Session, project: Project, rules: Sequence[AlertRule], inquiry: "Inquiry"
) -> Mapping[int, Reached]:
    """For stored rules, by id; the number of queries does not grow with them."""
    found = _reach(session, project, rules, inquiry)
    return {rule.id: reached for rule, reached in zip(rules, found, strict=True)}


def of_draft(session: Session, project: Project, content: Content, inquiry: "Inquiry") -> Reached:
    """For what somebody is writing."""
    [found] = _reach(session, project, [_draft(project, content)], inquiry)
    return found


def numbers(
    session: Session, project: Project, content: Content, instance: Defaults, *, now: datetime
) -> tuple[int, int]:
    """How many people, and how many integrations, would hear of what a rule says."""
    event = onboarding.newest_event(session, project)
    alert = Alert(event.issue if event else None, event.event_id if event else None)
    with session.no_autoflush:
        notice = _notice(alert, _draft(project, content), now)
        [(plan, outward)] = _decided(session, [notice], instance, now)
    people = [each for each in plan if each.outcome != Outcome.SKIP]
    return len(people), sum(each.outcome == Outcome.SEND for each in outward)


def _draft(project: Project, content: Content) -> AlertRule:
    return AlertRule(project_id=project.id, is_active=True, version=0, **content.columns())


def of_alerts(
    session: Session, project: Project, content: Content, alerts: Sequence["Alert"], inquiry: "Inquiry"
) -> list[Reached]:
    """For a draft that rang for some events, were that now; the queries do not grow with them."""
    draft = _draft(project, content)
    with session.no_autoflush:
        return _of_notices(session, [_notice(each, draft, inquiry.now) for each in alerts], inquiry)


@dataclass(frozen=True, slots=True)
class Alert:
    """What a notice would be of: an event of an issue, if there is one."""

    issue: Issue | None
    event_id: str | None
    kind: str = KIND


@dataclass(frozen=True, slots=True)
class Inquiry:
    """When, who wants to know, whether they may know all, and what holds for people who chose nothing."""

    now: datetime
    reader: User
    may_edit: bool
    instance: Defaults


def _reach(session: Session, project: Project, rules: Sequence[AlertRule], inquiry: Inquiry) -> list[Reached]:
    """The notices that the rules would make for the project's newest event are never given to the session."""
    with session.no_autoflush:
        event = onboarding.newest_event(session, project)
        alert = Alert(event.issue if event else None, event.event_id if event else None)
        return _of_notices(session, [_notice(alert, rule, inquiry.now) for rule in rules], inquiry)


def _notice(alert: Alert, rule: AlertRule, now: datetime) -> Notice:
    return Notice(
        kind=alert.kind,
        project_id=rule.project_id,
        issue_id=alert.issue.id if alert.issue else None,
        issue=alert.issue,
        event_id=alert.event_id,
        rule_id=rule.id,
        rule=rule,
        data={},
        occurred_at=now,
    )


def _of_notices(session: Session, notices: Sequence[Notice], inquiry: Inquiry) -> list[Reached]:
    decided = _decided(session, notices, inquiry.instance, inquiry.now)
    names = _names(session, {each.person_id for plan, _ in decided for each in plan})
    return [
        _reached(notice, plan, outward, names, inquiry)
        for notice, (plan, outward) in zip(notices, decided, strict=True)
    ]


def _decided(
    session: Session, notices: Sequence[Notice], instance: Defaults, now: datetime
) -> list[tuple[Sequence[routing.Verdict], Sequence[destinations.Decided]]]:
    """What the evaluator says of each."""
    people = considering.people(session, notices, instance, now=now)
    happenings = considering.happenings(session, notices)
    outward = destinations.decide(session, notices, {})
    return [(routing.plan(happenings[notice], people[notice]), outward.get(notice, ())) for notice in notices]


def _names(session: Session, ids: set[int]) -> Mapping[int, str]:
    return {row.id: row.name for row in session.execute(select(User.id, User.name).where(User.id.in_(ids)))}


def _reached(
    notice: Notice,
    plan: Sequence[routing.Verdict],
    outward: Sequence[destinations.Decided],
    names: Mapping[int, str],
    inquiry: Inquiry,
) -> Reached:
    def those(*outcomes: Outcome) -> list[routing.Verdict]:
        found = (each for each in plan if each.outcome in outcomes)
        return sorted(found, key=lambda each: names[each.person_id].casefold())

    sent = [each for each in outward if each.outcome == Outcome.SEND]
    missed = [each for each in outward if destinations.is_missed(notice, each)]
    return Reached(
        told=[names[each.person_id] for each in those(Outcome.SEND, Outcome.COLLAPSE)],
        held=[(names[each.person_id], _why(each, inquiry)) for each in those(Outcome.DEFER)],
        untold=[(names[each.person_id], _why(each, inquiry)) for each in those(Outcome.SKIP)],
        integrations=[each.destination.name for each in sent],
        broken=[
            (name, INSTEAD if each in missed else wording.code_sentence(each.code, each.params))
            for each in outward
            if (name := each.destination.name) and each.outcome != Outcome.SEND
        ],
        is_replaced=bool(missed),
    )


def _why(verdict: routing.Verdict, inquiry: Inquiry) -> str:
    """As much of it as the reader may know (`verdicts`)."""
    is_own = verdict.person_id == inquiry.reader.id
    return wording.code_sentence(
        verdict.code,
        verdict.params,
        own=is_own or inquiry.may_edit,
        timeless=verdict.code == "quiet_hours" and not is_own,
        clock=Clock(inquiry.now, inquiry.reader.timezone),
    )
