"""Notices before anybody is decided about: where each stops as a whole, or whom it concerns, and why them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.routing import Person
from app.models import AlertRule, Notice, RuleVersion, User
from app.services.notices import considering
from app.services.preferences.preferring import Defaults
from app.services.rules import rule_news, rule_silence, targeting
from app.services.rules.targeting import Found


@dataclass(frozen=True, slots=True)
class Considered:
    """A notice's candidates, or the `gate` at which it stops, with its facts.

    `notes` is what the notice remembers of it; `trouble` what is wrong with its rule, "" if nothing is, None
    where that was not asked.
    """

    gate: str | None = None
    people: Sequence[Person] = ()
    notes: Mapping[str, Any] = field(default_factory=dict)
    owners_version: int | None = None
    trouble: str | None = None


def considered(
    session: Session, notices: Collection[Notice], instance: Defaults, *, now: datetime
) -> dict[Notice, Considered]:
    """What there is to decide about each of these, with a number of queries that does not grow with them."""
    stopped = _stopped(session, notices, now)
    going = [notice for notice in notices if notice not in stopped]
    found = targeting.of_notices(session, going)
    for notice, each in found.items():
        if is_ownerless(notice, each):
            stopped[notice] = _noted(each, gate="no_owner", facts=each.targets.nobody)
    going = [notice for notice in going if notice not in stopped]
    named = {notice: found[notice].targets.people for notice in going if notice in found}
    people = considering.people(session, going, instance, now=now, named=named)
    required = _required(session, [notice for notice in going if notice in found])
    answers = {notice: _answer(people[notice], found.get(notice), required.get(notice)) for notice in going}
    for notice, notes in rule_news.notes(session, going, instance, now=now).items():
        answers[notice] = replace(answers[notice], notes={**answers[notice].notes, **notes})
    return {**stopped, **answers}


def _stopped(session: Session, notices: Collection[Notice], now: datetime) -> dict[Notice, Considered]:
    silent = rule_silence.for_everyone(session, notices, now=now)
    ruled = targeting.rules_of(session, [notice for notice in notices if targeting.is_rung(notice)])
    stopped = {}
    for notice in notices:
        if gate := considering.gate(notice):
            stopped[notice] = Considered(gate)
        elif targeting.is_rung(notice) and notice not in ruled:
            stopped[notice] = Considered("rule_disabled")
        elif notice in silent:
            until = silent[notice]
            facts = {"until": until.isoformat() if until else None}
            stopped[notice] = Considered("rule_muted", notes={"gate": facts})
    return stopped


def is_ownerless(notice: Notice, found: Found) -> bool:
    """Whether its rule names nobody, and goes nowhere else either."""
    return found.targets.nobody is not None and not _goes_elsewhere(notice)


def _goes_elsewhere(notice: Notice) -> bool:
    """Whether its rule sends to integrations, which need no owner."""
    actions = notice.rule.actions if notice.rule else ()
    return any(row.get("id") != targeting.MAIL for row in actions)


def _noted(found: Found, *, gate: str | None = None, facts: Mapping[str, Any] | None = None) -> Considered:
    targets = found.targets
    notes = {"audience": list(targets.audience), **({"gate": dict(facts)} if facts else {})}
    return Considered(gate, (), notes, found.owners_version, " ".join(targets.trouble))


def _answer(people: Sequence[Person], found: Found | None, required: Mapping[str, Any] | None) -> Considered:
    noted = _noted(found) if found else Considered()
    notes = {**noted.notes, **({"required": dict(required)} if required else {})}
    return replace(noted, people=people, notes=notes)


# Required rules say who made them so


def _required(session: Session, notices: Sequence[Notice]) -> dict[Notice, Mapping[str, Any]]:
    """Why the rules of these are required, since when, and whose word it is."""
    rules = {notice: notice.rule for notice in notices if notice.rule and notice.rule.required_reason}
    if not rules:
        return {}
    found = (
        select(RuleVersion, User.name)
        .outerjoin(User, User.id == RuleVersion.by_id)
        .where(RuleVersion.rule_id.in_({rule.id for rule in rules.values()}))
        .order_by(RuleVersion.version.desc())
    )
    versions: dict[int, list[tuple[RuleVersion, str | None]]] = {}
    for version, name in session.execute(found):
        versions.setdefault(version.rule_id, []).append((version, name))
    return {notice: _since(rule, versions.get(rule.id, ())) for notice, rule in rules.items()}


def _since(rule: AlertRule, versions: Iterable[tuple[RuleVersion, str | None]]) -> Mapping[str, Any]:
    """From the newest version back, as long as it was required."""
    at, by = rule.created_at, None
    for version, name in versions:
        if not version.content.get("required"):
            break
        at, by = version.at, name
    return {"why": rule.required_reason, "at": at.isoformat(), "by": by}
