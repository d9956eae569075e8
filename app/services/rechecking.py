"""Why no rule rang for an event: asked again later, of the rules as they are now.

Events that match no rule write nothing. What this says is worked out anew, and has to be labelled so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain import alerting, rule_checks
from app.domain.alerting import Facts, Rule
from app.domain.lifecycle import IGNORED, RESOLVED, UNRESOLVED
from app.domain.rule_checks import Check
from app.models import Activity, AlertRule, Event, Issue, Notice

# As in `wording.CODES`.
NO_MATCH, DISABLED, INTERVAL, FIRES = "rule_no_match", "rule_disabled", "rule_interval", "send"
# Activity → the state that it led to.
LED_TO = {
    "set_resolved": RESOLVED,
    "set_resolved_in_release": RESOLVED,
    "set_resolved_in_commit": RESOLVED,
    "set_resolved_by_age": RESOLVED,
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
    """Every rule of the project, with what it would say to the event."""
    facts = _facts(session, issue, event)
    found = select(AlertRule).where(AlertRule.project_id == issue.project_id).order_by(AlertRule.id)
    return [_rechecked(session, issue, event, rule, facts) for rule in session.scalars(found)]


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


def _facts(session: Session, issue: Issue, event: Event) -> Facts:
    earlier = select(func.count()).where(Event.issue_id == issue.id, Event.id < event.id)
    here = earlier.where(Event.environment == event.environment)
    is_first = session.scalar(earlier) == 0 and event.timestamp <= issue.first_seen
    made = session.scalars(
        select(Notice.kind).where(Notice.issue_id == issue.id, Notice.event_id == event.event_id)
    ).all()
    return Facts(
        level=event.level,
        environment=event.environment,
        is_new=is_first,
        is_new_here=bool(event.environment) and session.scalar(here) == 0,
        is_regression="regression" in made,
        is_reappeared="unignored" in made,
    )


def _rechecked(session: Session, issue: Issue, event: Event, row: AlertRule, facts: Facts) -> Rechecked:
    rule = Rule(row.environment, row.condition_match, tuple(row.conditions))
    checks = rule_checks.checks(rule, facts)
    code, sentence = _answer(session, issue, event, row, rule, facts)
    return Rechecked(row.name, code, sentence, checks)


def _answer(
    session: Session, issue: Issue, event: Event, row: AlertRule, rule: Rule, facts: Facts
) -> tuple[str, str]:
    if row.created_at > event.received_at:
        return DISABLED, "It was made after this event."
    if not row.is_active:
        return DISABLED, "It is switched off."
    if not _fires(rule, facts):
        needed = rule_checks.needed(rule)
        return NO_MATCH, f"Not met: it needs {needed}." if needed else "Not met."
    return _interval(session, issue, event, row) or (FIRES, "As it is now, it fires for such an event.")


def _fires(rule: Rule, facts: Facts) -> bool:
    try:
        return alerting.fires(rule, facts)
    except (KeyError, TypeError, AttributeError):  # a condition that nobody knows any more
        return False


def _interval(session: Session, issue: Issue, event: Event, row: AlertRule) -> tuple[str, str] | None:
    since = event.received_at - timedelta(minutes=row.frequency_minutes)
    last = session.scalar(
        select(func.max(Notice.occurred_at)).where(
            Notice.rule_id == row.id,
            Notice.issue_id == issue.id,
            Notice.occurred_at > since,
            Notice.occurred_at <= event.received_at,
        )
    )
    if last is None:
        return None
    minutes = int((event.received_at - last).total_seconds() // 60)
    return (
        INTERVAL,
        f"It had fired for this issue {minutes} min before; its interval is {row.frequency_minutes} min.",
    )
