"""What would happen right now: the evaluator's own answer, about a notice that does not exist."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain import alerting, explanations, phrases, routing, rule_content, wording
from app.domain.alerting import CannotCheck, Facts, IssueFacts, MadeUpLookup
from app.domain.clocks import Clock
from app.domain.kinds import ALERTS, KINDS
from app.domain.routing import Happening, Outcome, Reason
from app.models import Activity, AlertRule, Event, Notice, Project, User
from app.services import access
from app.services.calm import pacing
from app.services.events import event_body
from app.services.notices import considering
from app.services.people import onboarding
from app.services.preferences.preferring import Defaults
from app.services.rules import rule_silence, targeting


@dataclass(frozen=True, slots=True)
class Situation:
    """`words` complete "If … in checkout"; `tie` is how the activity would name the person."""

    words: str
    kind: str
    is_fatal: bool = False
    tie: str | None = None


IMAGINED: Mapping[str, Situation] = {
    "alert.new": Situation("a new error arrived", "alert.new"),
    "fatal": Situation("a fatal error arrived", "alert.new", is_fatal=True),
    "regression": Situation("a resolved issue came back", "regression"),
    "assigned": Situation("somebody assigned an issue to you", "assigned", tie="assigned"),
    "mention": Situation("somebody mentioned you", "comment", tie="mentioned"),
    "comment": Situation("somebody commented on an issue", "comment"),
    "resolved": Situation("somebody resolved an issue", "resolved"),
}
SITUATIONS: Mapping[str, str] = {name: situation.words for name, situation in IMAGINED.items()}


@dataclass(frozen=True, slots=True)
class Preview:
    """`sentence` is the rest of one that begins with "you would get"."""

    outcome: str
    code: str
    sentence: str

    @property
    def is_told(self) -> bool:
        return self.outcome == Outcome.SEND


def preview(
    session: Session, user: User, project: Project, situation: str, *, instance: Defaults, now: datetime
) -> Preview:
    """For an issue of the project to which this person has no tie yet."""
    imagined = IMAGINED[situation]
    if KINDS[imagined.kind].category == ALERTS:
        return _alert(session, user, project, imagined, instance, now)
    data = {imagined.tie: [user.id]} if imagined.tie else {}
    notice = Notice(kind=imagined.kind, project_id=project.id, data={}, activity=Activity(data=data))
    [person] = considering.people_around(session, notice, instance, now=now, only=[user.id])
    verdict = routing.decide(Happening(KINDS[imagined.kind]), person)
    return _preview(session, project, verdict, Clock(now, user.timezone))


def _preview(
    session: Session, project: Project, verdict: routing.Verdict, clock: Clock, like: str = ""
) -> Preview:
    words = _words(session, project, verdict, clock)
    return Preview(verdict.outcome, verdict.code, f"{words} {like}".rstrip())


def _words(session: Session, project: Project, verdict: routing.Verdict, clock: Clock) -> str:
    if verdict.outcome == Outcome.SKIP:
        return f"no email. {wording.code_sentence(verdict.code, verdict.params, clock=clock)}"
    facts = {"project": project.name, **wording.person_facts(verdict.params)}
    if Reason.FALLBACK_ALL in verdict.reasons:
        facts["because"] = _present(session, project, facts.get("because") or {})
    because = explanations.reason_if_now(verdict.reasons, facts)
    if verdict.code == "batched":
        minutes = -((clock.now - datetime.fromisoformat(verdict.params["until"])) // timedelta(minutes=1))
        within = f"within {phrases.plural(minutes, 'minute')}"
        return f"email {within}, together with other alerts, because {because}."
    if verdict.outcome == Outcome.DEFER:
        until = clock.short(datetime.fromisoformat(verdict.params["until"]))
        return f"email at {until}, {WHEN.get(verdict.code, 'with others')}, because {because}."
    return f"email at once, because {because}."


# Code of a hold → what ends then.
WHEN: Mapping[str, str] = {
    "quiet_hours": "when your quiet hours end",
    "project_paused": "when the maintenance is over",
}


def _present(session: Session, project: Project, because: Mapping[str, Any]) -> dict[str, Any]:
    """What has not happened yet is told in the present."""
    told = str(because.get("everyone", ""))
    members = len(access.project_member_ids(session, project.id))
    if told == wording.everyone(members, project.name):
        return {**because, "everyone": f"its {members} members are" if members > 1 else "its only member is"}
    return {**because, "everyone": f"{told.removesuffix(' were')} are"}


# Alerts


def _alert(
    session: Session, user: User, project: Project, imagined: Situation, instance: Defaults, now: datetime
) -> Preview:
    """Of an error like the newest one, which says where it comes from: so the rules and owners are asked."""
    with session.no_autoflush:
        event = onboarding.newest_event(session, project)
        rules = _firing(session, project, event, imagined.is_fatal, now)
        notices = [_imagined(project, rule, event, imagined, now) for rule in rules]
        named = {
            notice: found.targets.people for notice, found in targeting.of_notices(session, notices).items()
        }
        people = considering.people(session, notices, instance, now=now, only=[user.id], named=named)
        what = considering.happenings(session, notices)
    asked = [notice for notice in notices if user.id in named[notice] or not people[notice][0].can_see]
    verdicts = [
        routing.decide(
            replace(what[notice], is_fatal=imagined.is_fatal),
            pacing.foreseen(session, project.id, people[notice][0], now=now),
        )
        for notice in asked
    ]
    if not verdicts:
        return Preview(Outcome.SKIP, "no_owner", f"no email. {_others(rules, event)}")
    best = min(verdicts, key=lambda each: ORDER.index(each.outcome))
    is_owner = {Reason.OWNER_RULE, Reason.TEAM_OWNER_RULE} & set(best.reasons)
    like = _like(event) if is_owner else ""
    return _preview(session, project, best, Clock(now, user.timezone), like)


ORDER = (Outcome.SEND, Outcome.COLLAPSE, Outcome.DEFER, Outcome.SKIP)


def _others(rules: Sequence[AlertRule], event: Event | None) -> str:
    if not rules:
        return "No alert rule fires for it."
    names = phrases.listed([f"“{rule.name}”" for rule in rules])
    return f"{names} would tell others. {_like(event)}".rstrip()


def _like(event: Event | None) -> str:
    return f"Asked of an error like {event.issue.short_id}, the newest one." if event else ""


def _imagined(
    project: Project, rule: AlertRule, event: Event | None, imagined: Situation, now: datetime
) -> Notice:
    return Notice(
        kind=imagined.kind,
        project_id=project.id,
        rule_id=rule.id,
        rule=rule,
        event_id=event.event_id if event else None,
        data={},
        occurred_at=now,
    )


def _firing(
    session: Session, project: Project, event: Event | None, is_fatal: bool, now: datetime
) -> list[AlertRule]:
    """The rules that fire for a new issue, as far as that can be said without counting."""
    found = select(AlertRule).where(AlertRule.project_id == project.id, AlertRule.is_active)
    facts, silent = _facts(event, is_fatal, now), rule_silence.silent_rules(session, project.id, now=now)
    rules = session.scalars(found.order_by(AlertRule.id))
    return [rule for rule in rules if rule.id not in silent and _fires(rule, facts)]


def _fires(rule: AlertRule, facts: Facts) -> bool:
    try:
        return alerting.fires(alerting.of(rule_content.of(rule)), facts)
    except CannotCheck:
        return False


def _facts(event: Event | None, is_fatal: bool, now: datetime) -> Facts:
    data = event_body.unpack(event.body) if event else {}
    tags = data.pop("tags", ())
    return Facts(
        level="fatal" if is_fatal else "error",
        environment=event.environment if event else "",
        is_new=True,
        is_new_here=True,
        release=event.release if event else None,
        at=now,
        data=data,
        tags=tags,
        issue=IssueFacts(first_seen=now, times_seen=1),
        lookup=MadeUpLookup(event.release if event else None),
    )
