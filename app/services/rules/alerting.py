"""Alert rules run for every event of a batch; a firing is claimed, and leaves a notice and nothing more."""

import json
import logging
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Text, bindparam, cast, insert, literal_column, or_, select, update
from sqlalchemy.orm import Session

from app.domain import alerting
from app.domain.alerting import CannotCheck, Facts, Ready, Rule
from app.domain.lifecycle import UNRESOLVED
from app.domain.rule_content import INTERVAL
from app.domain.rule_parts import ONCE, UNTIL_RESOLVED
from app.models import AlertRule, Issue, Notice, RuleFiring, RuleMute
from app.services.events.digest_issues import Seen
from app.services.issues import timeline
from app.services.rules.ceilings import Ceilings
from app.services.rules.event_facts import EventFacts
from app.services.upserting import insert_into

log = logging.getLogger(__name__)

MOST_TROUBLE = 255
# A rule that fails over each event says so once in a while.
SAY_AGAIN = timedelta(minutes=5)

Rules = Mapping[int, Sequence["Armed"]]  # by project
Trouble = dict[int, str]


# One object each, since making a statement costs more than running it.
_IS_MUTED = (RuleMute.rule_id == AlertRule.id) & RuleMute.user_id.is_(None)
_ACTIVE = (
    select(
        AlertRule.id,
        AlertRule.project_id,
        AlertRule.name,
        AlertRule.version,
        AlertRule.environment,
        AlertRule.condition_match,
        AlertRule.filter_match,
        cast(AlertRule.conditions, Text).label("conditions"),
        cast(AlertRule.filters, Text).label("filters"),
        AlertRule.frequency_minutes,
        AlertRule.repeats,
        RuleMute.id.label("mute_id"),
        RuleMute.until.label("muted_until"),
    )
    .outerjoin(RuleMute, _IS_MUTED)
    .where(AlertRule.project_id.in_(bindparam("projects", expanding=True)), AlertRule.is_active)
    .order_by(AlertRule.id)
)
# Of the row that is in the way of a claim; as a plain column the subquery would look through all of them.
_CLAIMED_ISSUE: ColumnElement[int] = literal_column(f"{RuleFiring.__tablename__}.issue_id")


@dataclass(frozen=True, slots=True)
class Armed:
    """A rule that is on and can be evaluated; `row` is what is stored of it."""

    row: Any
    ready: Ready
    frequency: int | str

    def is_muted(self, at: datetime) -> bool:
        """Whether it rings for nobody at that moment."""
        row = self.row
        return row.mute_id is not None and (row.muted_until is None or row.muted_until > at)


@dataclass(frozen=True, slots=True)
class Alert:
    """A rule that fires for an event, if its claim is won."""

    rule: Any
    seen: Seen
    facts: Facts


def fire(
    session: Session, seen: Sequence[Seen], *, now: datetime, ceilings: Ceilings | None = None
) -> list[int]:
    """The ids of the notices that the batch's events ring. `ceilings` spare asking what was asked before."""
    positions = [
        at for at, each in enumerate(seen) if each.issue.status == UNRESOLVED and not each.was_silent
    ]
    trouble: Trouble = {}
    rules = _armed(session, {seen[at].project.id for at in positions}, trouble) if positions else {}
    alerts: list[Alert] = []
    if rules:
        ready = {project_id: [each.ready for each in of] for project_id, of in rules.items()}
        facts = EventFacts(session, seen, ready, ceilings)
        for at in positions:
            alerts += _rung(rules.get(seen[at].project.id, ()), facts, at, trouble, now)
    _remember(session, trouble, now)
    return _write(session, _claimed(session, alerts, now), now)


def _armed(session: Session, project_ids: Collection[int], trouble: Trouble) -> Rules:
    """The active rules that can be evaluated."""
    rules: dict[int, list[Armed]] = defaultdict(list)
    for row in session.connection().execute(_ACTIVE, {"projects": list(project_ids)}):
        made = _ready(row.environment, row.condition_match, row.conditions, row.filter_match, row.filters)
        if isinstance(made, Ready):
            frequency = row.frequency_minutes if row.repeats == INTERVAL else row.repeats
            rules[row.project_id].append(Armed(row, made, frequency))
        else:
            trouble[row.id] = made
    return rules


@lru_cache(maxsize=4096)
def _ready(
    environment: str | None, match: str, conditions: str, filter_match: str, filters: str
) -> Ready | str:
    """A rule made ready, kept as long as it stays as it is; or what is wrong with it."""
    rule = Rule(environment, match, json.loads(conditions), filter_match, json.loads(filters))
    try:
        return alerting.ready(rule)
    except CannotCheck as error:
        return str(error)


def _rung(rules: Sequence[Armed], about: EventFacts, at: int, trouble: Trouble, now: datetime) -> list[Alert]:
    """Rules that are muted or within their interval are skipped before anything of them is evaluated."""
    each, fired = about.seen[at], about.fired
    issue_id, resolved = each.issue.id, about.last_resolved(each.issue.id)
    awake = [
        armed
        for armed in rules
        if not armed.is_muted(each.event.received_at)
        and not alerting.rests(
            fired.get((armed.row.id, issue_id)), frequency=armed.frequency, last_resolved=resolved, now=now
        )
    ]
    if not awake:
        return []
    facts = about.at(at, [armed.ready for armed in awake])
    ringing = [armed.row for armed in awake if _fires(armed, facts, trouble)]
    fired.update({(row.id, issue_id): now for row in ringing})
    return [Alert(row, each, facts) for row in ringing]


def _fires(armed: Armed, facts: Facts, trouble: Trouble) -> bool:
    try:
        return armed.ready.fires(facts)
    except CannotCheck as error:
        trouble[armed.row.id] = str(error)
        return False


def _remember(session: Session, trouble: Trouble, now: datetime) -> None:
    """What is wrong with a rule is shown with it."""
    for rule_id in sorted(trouble):
        words = trouble[rule_id][:MOST_TROUBLE]
        log.warning("rule %s cannot be evaluated: %s", rule_id, words)
        is_news = or_(
            AlertRule.trouble.is_(None), AlertRule.trouble != words, AlertRule.trouble_at <= now - SAY_AGAIN
        )
        session.execute(
            update(AlertRule)
            .where(AlertRule.id == rule_id, is_news)
            .values(trouble=words, trouble_at=now)
            .execution_options(synchronize_session=False)
        )


def _claimed(session: Session, alerts: Sequence[Alert], now: datetime) -> list[Alert]:
    """The alerts whose firing nobody else has claimed meanwhile."""
    by_rule: dict[int, list[Alert]] = defaultdict(list)
    for alert in alerts:
        by_rule[alert.rule.id].append(alert)
    kept: list[Alert] = []
    for rule_id in sorted(by_rule):
        theirs = by_rule[rule_id]
        won = claim(session, theirs[0].rule, {alert.seen.issue.id for alert in theirs}, now)
        kept += [alert for alert in theirs if alert.seen.issue.id in won]
    return kept


def claim(session: Session, rule: Any, issue_ids: Collection[int], now: datetime) -> set[int]:
    """The issues for which this rule may fire now: one conditional upsert, so of two who ask one wins."""
    statement = insert_into(session, RuleFiring).values(
        [{"rule_id": rule.id, "issue_id": issue_id, "last_fired": now} for issue_id in sorted(issue_ids)]
    )
    if rule.repeats == ONCE:
        statement = statement.on_conflict_do_nothing(index_elements=("rule_id", "issue_id"))
    else:
        statement = statement.on_conflict_do_update(
            index_elements=("rule_id", "issue_id"), set_={"last_fired": now}, where=_is_awake(rule, now)
        )
    return set(session.scalars(statement.returning(RuleFiring.issue_id)))


def _is_awake(rule: Any, now: datetime) -> ColumnElement[bool] | None:
    """Whether a rule that fired for an issue may fire again; see `alerting.rests`."""
    if rule.repeats == UNTIL_RESOLVED:
        resolved = select(Issue.last_resolved_at).where(Issue.id == _CLAIMED_ISSUE).scalar_subquery()
        return RuleFiring.last_fired <= resolved
    if rule.frequency_minutes == 0:
        return None
    return RuleFiring.last_fired <= now - timedelta(minutes=rule.frequency_minutes)


def _write(session: Session, alerts: Sequence[Alert], now: datetime) -> list[int]:
    """The notices; the rule's name is kept with each, because rules are renamed and deleted."""
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
            data={"rule": alert.rule.name},
        )
        for alert in alerts
    ]
    return list(session.scalars(insert(Notice).returning(Notice.id), rows))
