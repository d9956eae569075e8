"""The rules of a project at a glance: where each sends, how often it fired, whom it reaches."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain import rule_content, rule_lines
from app.domain.rule_rows import ALL, BadRule, Names
from app.models import AlertRule, Destination, Project
from app.services.rules import rule_history, rule_muting, rule_names, rule_reaching, ruling
from app.services.rules.rule_muting import Silence
from app.services.rules.rule_reaching import Inquiry, Reached


@dataclass(frozen=True, slots=True)
class Listed:
    """A rule; `trouble` is why it does not do what it says, "" if it does."""

    rule: AlertRule
    sends_to: str
    sentence: str
    fired: int
    reached: Reached
    silence: Silence
    trouble: str


def listed(session: Session, project: Project, inquiry: Inquiry) -> list[Listed]:
    """All of them, by name, with a number of queries that does not grow with them."""
    rules = ruling.of_project(session, project)
    names = rule_names.of_project(session, project)
    return _listed(session, project, rules, names, inquiry)


def one(session: Session, rule: AlertRule, names: Names, inquiry: Inquiry) -> Listed:
    [found] = _listed(session, rule.project, [rule], names, inquiry)
    return found


def _listed(
    session: Session, project: Project, rules: Sequence[AlertRule], names: Names, inquiry: Inquiry
) -> list[Listed]:
    ids = [rule.id for rule in rules]
    fired = rule_history.fired_lately(session, ids, now=inquiry.now)
    silences = rule_muting.silences(session, ids, user=inquiry.reader, now=inquiry.now)
    reached = rule_reaching.of_rules(session, project, rules, inquiry) if rules else {}
    off = _switched_off(session, project) if names.integrations else {}
    return [
        Listed(
            rule,
            rule_lines.sends_to(rule.actions, names),
            rule_content.sentence(rule_content.of(rule), names),
            fired.get(rule.id, 0),
            reached[rule.id],
            silences[rule.id],
            trouble(rule, names, off),
        )
        for rule in rules
    ]


def _switched_off(session: Session, project: Project) -> Mapping[int, str]:
    here = (Destination.project_id == project.id) & Destination.enabled.is_(False)
    found = session.execute(select(Destination.id, Destination.name).where(here))
    return {row.id: row.name for row in found}


def trouble(rule: AlertRule, names: Names, switched_off: Mapping[int, str]) -> str:
    """What is wrong with it as things are now; else what was when it was last evaluated."""
    try:
        rule_content.read(rule_content.of(rule).as_data(), names)
    except BadRule as bad:
        return ruling.trouble_of(bad)
    return rule.trouble or _silent(rule, switched_off)


def _silent(rule: AlertRule, switched_off: Mapping[int, str]) -> str:
    named: Collection[object] = {row.get("integration") for row in rule.actions} - {None, ALL}
    gone = [name for key, name in switched_off.items() if key in named]
    return f"{gone[0]} is switched off." if gone else ""
