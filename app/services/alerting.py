"""Alert rules run for every event of a batch; a firing is claimed, and leaves a notice and nothing more."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from app.domain import alerting
from app.domain.alerting import Facts, Rule
from app.domain.lifecycle import UNRESOLVED
from app.models import AlertRule, IssueTag, Notice, RuleFiring
from app.services import timeline
from app.services.digest_issues import Seen
from app.services.upserting import insert_into

log = logging.getLogger(__name__)

Firings = dict[tuple[int, int], datetime]


@dataclass(frozen=True, slots=True)
class Alert:
    """A rule that fires for an event, if its claim is won."""

    rule: AlertRule
    seen: Seen
    facts: Facts


def fire(session: Session, seen: Sequence[Seen], *, now: datetime) -> list[int]:
    """The ids of the notices that the batch's events ring."""
    candidates = [each for each in seen if each.issue.status == UNRESOLVED and not each.was_silent]
    rules = _active_rules(session, {each.project.id for each in candidates})
    if not rules:
        return []
    facts = _facts(session, candidates, rules)
    alerts = _due(candidates, facts, rules, _last_firings(session, candidates, rules), now)
    return _write(session, _claimed(session, alerts, now), now)


def _active_rules(session: Session, project_ids: Iterable[int]) -> dict[int, list[AlertRule]]:
    query = (
        select(AlertRule)
        .where(AlertRule.project_id.in_(project_ids), AlertRule.is_active)
        .order_by(AlertRule.id)
    )
    rules: dict[int, list[AlertRule]] = defaultdict(list)
    for rule in session.scalars(query):
        rules[rule.project_id].append(rule)
    return rules


def _facts(session: Session, seen: Sequence[Seen], rules: dict[int, list[AlertRule]]) -> list[Facts]:
    asked = any(alerting.names_environment(_rule(rule)) for each in rules.values() for rule in each)
    first_here = _first_in_environment(session, seen) if asked else set()
    return [
        Facts(
            level=each.event.level,
            environment=each.event.environment,
            is_new=each.is_new,
            is_new_here=position in first_here,
            is_regression=each.is_regression,
            is_reappeared=each.is_reappeared,
        )
        for position, each in enumerate(seen)
    ]


def _first_in_environment(session: Session, seen: Sequence[Seen]) -> set[int]:
    """Positions of the events that are the first of their issue in their environment.

    The batch is counted already: an environment that was seen no more often than in the batch is new.
    """
    positions: dict[tuple[int, str], list[int]] = defaultdict(list)
    for position, each in enumerate(seen):
        if each.event.environment:
            positions[each.issue.id, each.event.environment].append(position)
    query = select(IssueTag.issue_id, IssueTag.value, IssueTag.count).where(
        IssueTag.key == "environment", IssueTag.issue_id.in_({issue_id for issue_id, _ in positions})
    )
    counts = {(row[0], row[1]): row[2] for row in session.execute(query)}
    return {found[0] for key, found in positions.items() if counts.get(key) == len(found)}


def _last_firings(session: Session, seen: Sequence[Seen], rules: dict[int, list[AlertRule]]) -> Firings:
    rule_ids = [rule.id for each in rules.values() for rule in each]
    query = select(RuleFiring).where(
        RuleFiring.rule_id.in_(rule_ids), RuleFiring.issue_id.in_({each.issue.id for each in seen})
    )
    return {(row.rule_id, row.issue_id): row.last_fired for row in session.scalars(query)}


def _due(
    seen: Sequence[Seen],
    facts: Sequence[Facts],
    rules: dict[int, list[AlertRule]],
    fired: Firings,
    now: datetime,
) -> list[Alert]:
    """Rules within their interval are skipped before anything of them is evaluated."""
    alerts = []
    for each, fact in zip(seen, facts, strict=True):
        for rule in rules.get(each.project.id, ()):
            key = (rule.id, each.issue.id)
            if alerting.rests(fired.get(key), frequency_minutes=rule.frequency_minutes, now=now):
                continue
            if _fires(rule, fact):
                fired[key] = now
                alerts.append(Alert(rule, each, fact))
    return alerts


def _fires(rule: AlertRule, facts: Facts) -> bool:
    try:
        return alerting.fires(_rule(rule), facts)
    except (KeyError, TypeError, AttributeError) as error:
        log.warning("rule %s cannot be evaluated: %s", rule.id, type(error).__name__)
        return False


def _rule(rule: AlertRule) -> Rule:
    return Rule(rule.environment, rule.condition_match, tuple(rule.conditions))


def _claimed(session: Session, alerts: Sequence[Alert], now: datetime) -> list[Alert]:
    """The alerts whose firing nobody else has claimed meanwhile: one conditional upsert for each rule."""
    by_rule: dict[int, list[Alert]] = defaultdict(list)
    for alert in alerts:
        by_rule[alert.rule.id].append(alert)
    kept: list[Alert] = []
    for rule_id in sorted(by_rule):
        won = _claim(session, by_rule[rule_id], now)
        kept += [alert for alert in by_rule[rule_id] if alert.seen.issue.id in won]
    return kept


def _claim(session: Session, alerts: Sequence[Alert], now: datetime) -> set[int]:
    """The issues for which this rule may fire."""
    rule = alerts[0].rule
    issue_ids = sorted({alert.seen.issue.id for alert in alerts})
    statement = insert_into(session, RuleFiring).values(
        [{"rule_id": rule.id, "issue_id": issue_id, "last_fired": now} for issue_id in issue_ids]
    )
    statement = statement.on_conflict_do_update(
        index_elements=("rule_id", "issue_id"),
        set_={"last_fired": now},
        where=RuleFiring.last_fired <= now - timedelta(minutes=rule.frequency_minutes),
    )
    return set(session.scalars(statement.returning(RuleFiring.issue_id)))


def _write(session: Session, alerts: Sequence[Alert], now: datetime) -> list[int]:
    if not alerts:
        return []
    rows = [
        timeline.notice_row(
            alerting.kind(alert.facts),
            alert.seen.issue,
            now=now,
            event_id=alert.seen.event.event_id,
            rule_id=alert.rule.id,
            rule_version=alert.rule.version,
        )
        for alert in alerts
    ]
    return list(session.scalars(insert(Notice).returning(Notice.id), rows))
