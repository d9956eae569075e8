"""Why no rule rang for an event: asked again later, of the rules as they were when it came.

Events that match no rule write nothing. What this says is worked out anew, and has to be labelled so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app.domain import alerting, rule_checks, rule_content
from app.domain.alerting import CannotCheck, Facts
from app.domain.lifecycle import IGNORED, RESOLVED, UNRESOLVED
from app.domain.rule_checks import Check
from app.domain.rule_content import Content
from app.domain.rule_parts import ONCE, UNTIL_RESOLVED
from app.models import Activity, AlertRule, Event, Issue, Notice, RuleMute, RuleVersion
from app.services.rules import facts_then, rule_names

# As in `wording.CODES`.
NO_MATCH, DISABLED, INTERVAL, FIRES = "rule_no_match", "rule_disabled", "rule_interval", "send"
MUTED = "rule_muted"
# Activity → the state that it led to.
LED_TO = {
    "set_resolved": RESOLVED,
    "set_resolved_in_release": RESOLVED,
    "set_resolved_in_commit": RESOLVED,
    "set_resolved_by_age": RESOLVED,
    "set_resolved_by_recovery": RESOLVED,
    "set_ignored": IGNORED,
    "set_unresolved": UNRESOLVED,
    "set_regression": UNRESOLVED,
}


@dataclass(frozen=True, slots=True)
class Rechecked:
    """What a rule says to an event, with each of its conditions."""

    rule: str
    code: str
    sentence: str
    checks: Sequence[Check]


def rules(session: Session, issue: Issue, event: Event) -> list[Rechecked]:
    """Every rule of the project, with what it would have said to the event."""
    facts = facts_then.facts(session, issue, event)
    names = rule_names.of_project(session, issue.project)
    found = select(AlertRule).where(AlertRule.project_id == issue.project_id).order_by(AlertRule.id)
    contents = _contents(session, issue.project_id, event)
    rechecked = []
    for row in session.scalars(found):
        content = contents.get(row.id) or rule_content.of(row)
        rule = alerting.of(content)
        code, sentence = _answer(session, issue, event, row, content, facts)
        checks = rule_checks.checks(rule, facts, names)
        rechecked.append(Rechecked(content.name, code, sentence, checks))
    return rechecked


def _contents(session: Session, project_id: int, event: Event) -> Mapping[int, Content]:
    """What each rule said when the event came, where its versions tell."""
    found = (
        select(RuleVersion)
        .join(AlertRule, AlertRule.id == RuleVersion.rule_id)
        .where(AlertRule.project_id == project_id, RuleVersion.at <= event.received_at)
        .order_by(RuleVersion.version)
    )
    return {row.rule_id: rule_content.of_data(row.content) for row in session.scalars(found)}


def status_then(session: Session, issue: Issue, event: Event) -> str:
    """In which state the issue was when the event came: rules are asked about unresolved ones only."""
    last = session.scalar(
        select(Activity.type)
        .where(
            Activity.issue_id == issue.id,
            Activity.type.in_(LED_TO),
            Activity.created_at < event.received_at,
        )
        .order_by(Activity.id.desc())
        .limit(1)
    )
    return LED_TO[last] if last else UNRESOLVED


def _answer(
    session: Session, issue: Issue, event: Event, row: AlertRule, content: Content, facts: Facts
) -> tuple[str, str]:
    if row.created_at > event.received_at:
        return DISABLED, "It was made after this event."
    if not row.is_active:
        return DISABLED, "It is switched off."
    if _was_muted(session, row, event):
        return MUTED, "It was muted for everyone."
    rule = alerting.of(content)
    try:
        is_met = alerting.fires(rule, facts)
    except CannotCheck as error:
        return NO_MATCH, f"It cannot be evaluated. {error}"
    if not is_met:
        needed = rule_checks.needed(rule)
        return NO_MATCH, f"Not met: it needs {needed}." if needed else "Not met."
    return _interval(session, issue, event, row, content) or (FIRES, "It would have fired for this event.")


def _was_muted(session: Session, row: AlertRule, event: Event) -> bool:
    mute = session.scalar(select(RuleMute).where(RuleMute.rule_id == row.id, RuleMute.user_id.is_(None)))
    if mute is None or mute.created_at > event.received_at:
        return False
    return mute.until is None or mute.until > event.received_at


def _interval(
    session: Session, issue: Issue, event: Event, row: AlertRule, content: Content
) -> tuple[str, str] | None:
    """Whether it had fired too lately, by the notices that it left."""
    fired = select(func.max(Notice.occurred_at)).where(
        Notice.rule_id == row.id, Notice.issue_id == issue.id, Notice.occurred_at <= event.received_at
    )
    last = session.scalar(fired.where(Notice.event_id != event.event_id))
    resolved = session.scalar(_resolved(issue, event)) if content.frequency == UNTIL_RESOLVED else None
    if last is None or not alerting.rests(
        last, frequency=content.frequency, last_resolved=resolved, now=event.received_at
    ):
        return None
    if content.frequency == ONCE:
        return INTERVAL, "It had fired for this issue already, and does so once."
    if content.frequency == UNTIL_RESOLVED:
        return INTERVAL, "It had fired for this issue already, and it had not been resolved since."
    ago = (event.received_at - last) // timedelta(minutes=1)
    return (
        INTERVAL,
        f"It had fired for this issue {ago} min before; its interval is {content.frequency} min.",
    )


def _resolved(issue: Issue, event: Event) -> Select[*tuple[Any, ...]]:
    resolving = [name for name, state in LED_TO.items() if state == RESOLVED]
    return select(func.max(Activity.created_at)).where(
        Activity.issue_id == issue.id,
        Activity.type.in_(resolving),
        Activity.created_at <= event.received_at,
    )
