"""One situation: who would be told of it now, and who with a draft laid over what is set."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain import alerting, routing, rule_checks, rule_content
from app.domain.alerting import CannotCheck, Facts, IssueFacts, MadeUpLookup
from app.domain.kinds import KINDS
from app.domain.lifecycle import UNRESOLVED
from app.domain.routing import Happening
from app.domain.rule_checks import Check
from app.domain.rule_content import Content
from app.domain.simulating import ORDER, PERSON, Run, Subject, Told, sign
from app.models import Activity, AlertRule, Event, Issue, Notice, Project
from app.services import access
from app.services.events import event_body
from app.services.notices import considering
from app.services.preferences.preferring import Defaults
from app.services.rules import facts_then, rechecking, rule_names
from app.services.simulating import occasions, recorded, world
from app.services.simulating.bell import Bell
from app.services.simulating.drafts import NEW_RULE, NOTHING, Drafts
from app.services.simulating.occasions import IMAGINED, Occasion, Sources
from app.services.simulating.world import Past, World

NEW, REGRESSED, AGAIN, AS_IT_WAS = "new", "regressed", "again", "as_it_was"
HOW = (NEW, REGRESSED, AGAIN)


@dataclass(frozen=True, slots=True)
class Made:
    """A situation by hand. `nth`: which event of its issue, where that is not new."""

    level: str = "error"
    environment: str = ""
    release: str = ""
    path: str = ""
    url: str = ""
    tags: Sequence[tuple[str, str]] = ()
    how: str = NEW
    nth: int = 1


@dataclass(frozen=True, slots=True)
class Situation:
    """What rules are asked about, and the event behind it, stored or not; `issue` if it has one.

    `silent`: why no rule is asked about it at all.
    """

    words: str
    facts: Facts
    event: Event
    issue: Issue | None = None
    silent: str = ""


def by_hand(made: Made, *, now: datetime) -> Situation:
    data: dict[str, Any] = {
        "level": made.level,
        "environment": made.environment,
        "stacktrace": {"frames": [{"filename": made.path, "in_app": True}] if made.path else []},
        "request": {"url": made.url} if made.url else {},
    }
    tags = [list(each) for each in made.tags]
    nth = 1 if made.how == NEW else max(made.nth, 2)
    facts = Facts(
        level=made.level,
        environment=made.environment,
        is_new=made.how == NEW,
        is_new_here=made.how == NEW,
        is_regression=made.how == REGRESSED,
        release=made.release or None,
        at=now,
        data=data,
        tags=tags,
        issue=IssueFacts(first_seen=now, times_seen=nth),
        lookup=MadeUpLookup(made.release or None, nth),
    )
    event = Event(
        event_id="",
        level=made.level,
        environment=made.environment,
        release=made.release or None,
        received_at=now,
        body=event_body.pack({**data, "tags": tags}),
    )
    return Situation(_words(made), facts, event)


def _words(made: Made) -> str:
    which = {NEW: "the first event of a new issue", REGRESSED: "an event that brings a resolved issue back"}
    what = which.get(made.how, f"event number {max(made.nth, 2)} of an issue")
    return f"{what}, level {made.level}" + (f", in {made.environment}" if made.environment else "")


def of_issue(session: Session, issue: Issue, *, how: str = AS_IT_WAS) -> Situation | None:
    """Its latest event, as it was or as another would be; None where none is kept."""
    newest = select(Event).where(Event.issue_id == issue.id)
    event = session.scalar(newest.order_by(Event.received_at.desc(), Event.id.desc()).limit(1))
    return of_event(session, issue, event, how=how) if event else None


def of_event(session: Session, issue: Issue, event: Event, *, how: str = AS_IT_WAS) -> Situation:
    facts = facts_then.facts(session, issue, event)
    if how in HOW:
        facts = replace(
            facts,
            is_new=how == NEW,
            is_new_here=how == NEW or (how == AS_IT_WAS and facts.is_new_here),
            is_regression=how == REGRESSED,
        )
    words = f"an event like the latest of {issue.short_id}"
    if how in HOW or facts.is_regression or facts.is_reappeared:
        return Situation(words, facts, event, issue)
    status = rechecking.status_then(session, issue, event)
    silent = (
        f"{issue.short_id} was {status} when it came: then no rule is asked." if status != UNRESOLVED else ""
    )
    return Situation(words, facts, event, issue, silent)


def recent(session: Session, project: Project, *, limit: int = 10) -> Sequence[Issue]:
    """What is offered: the issues that were seen last."""
    here = select(Issue).where(Issue.project_id == project.id, access.IS_THERE)
    return session.scalars(here.order_by(Issue.last_seen.desc(), Issue.id.desc()).limit(limit)).all()


# The answer


@dataclass(frozen=True, slots=True)
class Side:
    """What one person or integration would get: the answer that counts, of all notices."""

    told: Told
    verdict: routing.Verdict | None = None


@dataclass(frozen=True, slots=True)
class Line:
    subject: Subject
    now: Side | None
    after: Side | None

    @property
    def sign(self) -> str:
        return sign(self.now.told if self.now else None, self.after.told if self.after else None)


@dataclass(frozen=True, slots=True)
class Asked:
    """A rule, and whether it rings now and with the draft; None: there is no such rule then."""

    name: str
    now: bool | None
    after: bool | None
    checks: Sequence[Check] = ()
    trouble: str = ""
    is_draft: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """`lines`: changed ones first. `at`: the moment that it is about."""

    situation: Situation
    at: datetime
    lines: Sequence[Line]
    rules: Sequence[Asked] = ()
    audience: Sequence[str] = ()

    @property
    def is_unreachable(self) -> bool:
        return not any(each.after and each.after.told.is_told for each in self.lines)


@dataclass(frozen=True, slots=True)
class _Ringing:
    """A rule that rings, or does not."""

    id: int
    version: int
    content: Content
    fires: bool
    trouble: str = ""


def answer(
    session: Session,
    project: Project,
    situation: Situation,
    *,
    drafts: Drafts = NOTHING,
    instance: Defaults,
    now: datetime,
    at: datetime | None = None,
) -> Answer:
    """At that moment, else now: then what was told lately holds back what would be told."""
    with session.no_autoflush:
        past = _past(session, project, situation, instance, at or now, is_now=at is None)
        current = _rules(session, project, situation.facts)
        would = _with_draft(current, drafts, situation.facts)
        before = _rung(session, past, situation, NOTHING, current)
        after = before
        if not drafts.is_empty:
            after = _rung(session, past, situation, drafts, would)
        rules = _asked(session, project, situation, current, would, drafts)
    return Answer(situation, at or now, _lines(before, after), rules)


def _past(
    session: Session,
    project: Project,
    situation: Situation,
    instance: Defaults,
    at: datetime,
    *,
    is_now: bool,
) -> Past:
    people = access.project_member_ids(session, project.id)
    known = recorded.standing(session, project, people, at) if is_now else recorded.nothing(at)
    issue_ids = [situation.issue.id] if situation.issue else []
    return world.read(session, project, known, issue_ids, [], instance)


def _rules(session: Session, project: Project, facts: Facts) -> list[_Ringing]:
    found = select(AlertRule).where(AlertRule.project_id == project.id, AlertRule.is_active)
    rows = session.scalars(found.order_by(AlertRule.id))
    return [_ringing(row.id, row.version, rule_content.of(row), facts) for row in rows]


def _ringing(rule_id: int, version: int, content: Content, facts: Facts) -> _Ringing:
    try:
        is_here = content.environment in (None, "", facts.environment)
        return _Ringing(rule_id, version, content, is_here and alerting.fires(alerting.of(content), facts))
    except CannotCheck as error:
        return _Ringing(rule_id, version, content, False, str(error))


def _with_draft(rules: Sequence[_Ringing], drafts: Drafts, facts: Facts) -> list[_Ringing]:
    draft = drafts.rule
    if draft is None:
        return list(rules)
    kept = [each for each in rules if each.id != draft.id]
    if draft.content is None:
        return kept
    version = draft.instead_of.version + 1 if draft.instead_of else 1
    return [*kept, _ringing(draft.id, version, draft.content, facts)]


@dataclass(slots=True)
class _Heard:
    run: Run
    said: Mapping[Any, routing.Verdict] = field(default_factory=dict)


def _rung(
    session: Session, past: Past, situation: Situation, drafts: Drafts, rules: Sequence[_Ringing]
) -> _Heard:
    bell = Bell(session, World(past, drafts))
    made = [_alert(past, situation, each) for each in rules if each.fires and not situation.silent]
    if situation.facts.is_regression:
        made.append(_regression(past, situation))
    known = Sources({situation.event.event_id: situation.event}, {}, occasions.owners_now(session, past))
    bell.ring(
        past.recorded.until,
        occasions.with_targets(session, past, known, made, owners=drafts.owners),
    )
    return _Heard(bell.run, bell.said)


def _alert(past: Past, situation: Situation, each: _Ringing) -> Occasion:
    content, facts = each.content, situation.facts
    rule = occasions.copy_of(content, past, each.id, each.version)
    notice = _notice(past, situation, alerting.kind(facts), IMAGINED + max(each.id, 0))
    notice.rule_id, notice.rule_version, notice.rule = each.id, each.version, rule
    what = Happening(
        KINDS[notice.kind],
        is_fatal=facts.level == considering.FATAL,
        may_interrupt=content.interrupt_reason is not None,
        is_required=content.required_reason is not None,
    )
    return _occasion(past, situation, notice, what)


def _regression(past: Past, situation: Situation) -> Occasion:
    notice = _notice(past, situation, "regression", IMAGINED)
    notice.activity = Activity(type="set_regression", data={})
    return _occasion(past, situation, notice, Happening(KINDS["regression"]))


def _notice(past: Past, situation: Situation, kind: str, number: int) -> Notice:
    return Notice(
        id=number,
        public_id=f"{kind} {number}",
        kind=kind,
        project_id=past.project.id,
        issue_id=situation.issue.id if situation.issue else None,
        event_id=situation.event.event_id,
        data={},
        occurred_at=past.recorded.until,
    )


def _occasion(past: Past, situation: Situation, notice: Notice, what: Happening) -> Occasion:
    return Occasion(
        notice=notice,
        name=notice.public_id,
        at=past.recorded.until,
        group=("event", notice.event_id),
        what=what,
        environment=situation.facts.environment,
        is_open=True,
    )


# Lines


def _lines(before: _Heard, after: _Heard) -> list[Line]:
    now, then = _sides(before), _sides(after)
    lines = [Line(subject, now.get(subject), then.get(subject)) for subject in {*now, *then}]
    return sorted(lines, key=lambda each: (each.sign == "=", each.subject.kind != PERSON, each.subject.id))


def _sides(heard: _Heard) -> dict[Subject, Side]:
    """Of several answers about one, the one that tells soonest."""
    found: dict[Subject, Side] = {}
    for key, told in heard.run.answers.items():
        side = Side(told, heard.said.get(key))
        best = found.get(key.subject)
        if best is None or _rank(told) < _rank(best.told):
            found[key.subject] = side
    return found


def _rank(told: Told) -> int:
    """What comes with another notice is told by that one."""
    return ORDER[routing.Outcome(told.outcome)] if told.code != "merged" else len(ORDER)


def _asked(
    session: Session,
    project: Project,
    situation: Situation,
    current: Sequence[_Ringing],
    would: Sequence[_Ringing],
    drafts: Drafts,
) -> list[Asked]:
    """The rules in their order, the draft first."""
    names = rule_names.of_project(session, project)
    now, after = {each.id: each for each in current}, {each.id: each for each in would}
    drafted = drafts.rule.id if drafts.rule else None
    found = []
    for rule_id in sorted({*now, *after}, key=lambda each: (each != drafted, each == NEW_RULE, each)):
        was, will = now.get(rule_id), after.get(rule_id)
        shown = will or was
        assert shown is not None
        checks: Sequence[Check] = ()
        if not shown.trouble:
            checks = rule_checks.checks(alerting.of(shown.content), situation.facts, names)
        found.append(
            Asked(
                shown.content.name,
                was.fires and not situation.silent if was else None,
                will.fires and not situation.silent if will else None,
                checks,
                shown.trouble,
                rule_id == drafted,
            )
        )
    return found
