"""The notices of a past as they are planned again, and those that a draft adds or changes."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session, undefer

from app.domain import rule_content, storms
from app.domain.kinds import ALERTS, KINDS
from app.domain.routing import Happening
from app.domain.rule_content import Content
from app.models import (
    Activity,
    AlertRule,
    Codeowners,
    Event,
    Issue,
    Notice,
    Ownership,
    OwnershipVersion,
    RuleVersion,
)
from app.services.issues.issue_courses import chunks
from app.services.notices import considering
from app.services.owners import owning
from app.services.owners.owning import OwnersInForce
from app.services.rules import targeting
from app.services.rules.rule_replaying import Firing
from app.services.rules.targeting import Ask, Found
from app.services.simulating.drafts import NEW_RULE, Drafts, RuleDraft
from app.services.simulating.world import Past

# Imagined notices are newer than all that are stored.
IMAGINED = 10**15
Group = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Occasion:
    """A notice that is planned again, at the moment at which it was.

    The notice is a copy that no session knows. `found`: whom its rule names. `stands`: it stays as it is on
    record, because what decided about it is no longer kept. `is_open`: its issue is imagined to be.
    """

    notice: Notice
    name: str
    at: datetime
    group: Group
    what: Happening
    environment: str | None = None
    found: Found | None = None
    gate: str | None = None
    stands: bool = False
    is_open: bool = False

    @property
    def is_alert(self) -> bool:
        return self.what.kind.category == ALERTS


@dataclass(slots=True)
class Sources:
    """What the notices were about: events, rules as they were, and the owners who were asked."""

    events: Mapping[str, Event]
    rules: Mapping[tuple[int, int], AlertRule]
    owners: Mapping[int, OwnersInForce]
    issues: dict[int, Issue] = field(default_factory=dict)


def sources(session: Session, past: Past, *, with_lines: bool, also: Iterable[str] = ()) -> Sources:
    """`with_lines`: a draft asks for owners, so that events are needed as a whole. `also`: further events."""
    notices = past.recorded.notices
    owners = _owners(session, past, {each.owners_version for each in notices if each.owners_version})
    with_lines = with_lines or any(each.rules.lines for each in owners.values())
    wanted = {each.event_id for each in notices if each.event_id} | set(also)
    return Sources(_events(session, past, wanted, whole=with_lines), _rules(session, past, notices), owners)


def _events(session: Session, past: Past, names: Collection[str], *, whole: bool) -> Mapping[str, Event]:
    query = select(Event).options(undefer(Event.body)) if whole else select(Event)
    return {
        event.event_id: event
        for some in chunks(sorted(names))
        for event in session.scalars(
            query.where(Event.project_id == past.project.id, Event.event_id.in_(some))
        )
    }


def _rules(session: Session, past: Past, notices: Iterable[Notice]) -> Mapping[tuple[int, int], AlertRule]:
    """The rules that rang, each as it was then; copies, which no session knows."""
    rang = {(each.rule_id, each.rule_version) for each in notices if each.rule_id}
    stored = session.scalars(select(AlertRule).where(AlertRule.project_id == past.project.id)).all()
    versions = (
        {
            (row.rule_id, row.version): rule_content.of_data(row.content)
            for row in session.scalars(
                select(RuleVersion).where(tuple_(RuleVersion.rule_id, RuleVersion.version).in_(rang))
            )
        }
        if rang
        else {}
    )
    found = {}
    for rule in stored:
        now = rule_content.of(rule)
        for version in {version for rule_id, version in rang if rule_id == rule.id} | {rule.version}:
            then = now if version == rule.version else versions.get((rule.id, version or 0), now)
            found[rule.id, version or 0] = copy_of(then, past, rule.id, version or 0)
    return found


def copy_of(content: Content, past: Past, rule_id: int, version: int) -> AlertRule:
    return AlertRule(
        id=rule_id, project_id=past.project.id, version=version, is_active=True, **content.columns()
    )


def _owners(session: Session, past: Past, versions: Collection[int]) -> Mapping[int, OwnersInForce]:
    found = select(OwnershipVersion).where(
        OwnershipVersion.project_id == past.project.id, OwnershipVersion.version.in_(versions)
    )
    rows = session.scalars(found).all() if versions else ()
    current = owning.rules_of(session, past.project.id)
    return {current.version: current} | {
        row.version: in_force(row.content, row.version) for row in rows if row.version != current.version
    }


def owners_now(session: Session, past: Past) -> Mapping[int, OwnersInForce]:
    return _owners(session, past, ())


def in_force(content: Mapping[str, Any], version: int) -> OwnersInForce:
    """Owners as a version keeps them."""
    kept = content["codeowners"]
    file = (
        Codeowners(
            raw=kept["raw"],
            names=kept["names"],
            stack_root=kept["stackRoot"],
            source_root=kept["sourceRoot"],
        )
        if kept
        else None
    )
    row = Ownership(
        raw=content["raw"],
        fallthrough=content["fallthrough"],
        auto_assign=content["autoAssignment"],
        only_assignee=content["onlyAssignee"],
        version=version,
    )
    return owning.in_force(row, file)


# As it was


def of_record(session: Session, past: Past, known: Sources) -> list[Occasion]:
    made = [_again(past, known, notice) for notice in past.recorded.notices if notice.kind != storms.STORM]
    return with_targets(session, past, known, made, owners=None)


def _again(past: Past, known: Sources, notice: Notice) -> Occasion:
    at = notice.planned_at or notice.occurred_at
    event = known.events.get(notice.event_id or "")
    rule = known.rules.get((notice.rule_id or 0, notice.rule_version or 0))
    issue = _issue(past, known, notice.issue_id)
    kind = KINDS[notice.kind]
    lacks_something = issue is None or (targeting.is_rung(notice) and (rule is None or event is None))
    return Occasion(
        notice=_copy(notice, issue, rule),
        name=notice.public_id,
        at=at,
        group=_group(notice),
        what=_happening(notice, rule, event),
        environment=event.environment if event else None,
        gate=notice.gate_code if notice.gate_code == "undone" else None,
        stands=not kind.in_thread or lacks_something,
    )


def _group(notice: Notice) -> Group:
    if notice.batch:
        return "batch", notice.batch
    return ("event", notice.event_id) if notice.event_id else ("notice", notice.id)


def _copy(notice: Notice, issue: Issue | None, rule: AlertRule | None) -> Notice:
    activity = notice.activity
    return Notice(
        id=notice.id,
        public_id=notice.public_id,
        kind=notice.kind,
        project_id=notice.project_id,
        issue_id=notice.issue_id,
        issue=issue,
        event_id=notice.event_id,
        rule_id=notice.rule_id,
        rule_version=notice.rule_version,
        rule=rule,
        owners_version=notice.owners_version,
        actor_id=notice.actor_id,
        batch=notice.batch,
        data=dict(notice.data),
        occurred_at=notice.occurred_at,
        activity=Activity(
            id=activity.id,
            project_id=activity.project_id,
            issue_id=activity.issue_id,
            type=activity.type,
            actor_id=activity.actor_id,
            data=activity.data,
            created_at=activity.created_at,
        )
        if activity
        else None,
    )


def _issue(past: Past, known: Sources, issue_id: int | None) -> Issue | None:
    """A copy with what storms ask for."""
    found = past.issues.known.get(issue_id or 0)
    if found is None:
        return None
    if found.id not in known.issues:
        known.issues[found.id] = Issue(
            id=found.id, project_id=past.project.id, number=found.number, first_seen=found.first_seen
        )
    return known.issues[found.id]


def _happening(notice: Notice, rule: AlertRule | None, event: Event | None) -> Happening:
    kind = KINDS[notice.kind]
    return Happening(
        kind,
        notice.actor_id,
        is_fatal=kind.category == ALERTS and event is not None and event.level == considering.FATAL,
        may_interrupt=rule is not None and rule.interrupt_reason is not None,
        is_required=rule is not None and rule.required_reason is not None,
    )


def with_targets(
    session: Session,
    past: Past,
    known: Sources,
    made: Sequence[Occasion],
    *,
    owners: OwnersInForce | None,
) -> list[Occasion]:
    """The same with whom their rules name: by the owners who were asked then, or by those of a draft."""
    asked = [each for each in made if each.notice.rule and not each.stands]
    asks = [_ask(past, known, each, owners) for each in asked]
    found = dict(zip((each.name for each in asked), targeting.of(session, asks), strict=True))
    return [replace(each, found=found[each.name]) if each.name in found else each for each in made]


def _ask(past: Past, known: Sources, occasion: Occasion, owners: OwnersInForce | None) -> Ask:
    notice, rule = occasion.notice, occasion.notice.rule
    assert rule is not None
    return Ask(
        project_id=past.project.id,
        actions=rule.actions,
        rule=rule.name,
        event=known.events.get(notice.event_id or ""),
        assignee=past.issues.assignee(notice.issue_id or 0, occasion.at),
        owners=owners or _owners_then(past, known, notice),
    )


def _owners_then(past: Past, known: Sources, notice: Notice) -> OwnersInForce:
    """Those that were asked; of a notice for which none were, those of the newest version."""
    if notice.owners_version == 0:
        return OwnersInForce()
    newest = known.owners[max(known.owners)]
    return known.owners.get(notice.owners_version or 0, newest)


# With a draft


@dataclass(frozen=True, slots=True)
class Changed:
    """What the draft of a rule changes about when it fires: events by name, and the firings it adds."""

    removed: Collection[tuple[int, str]] = ()  # issue, event
    added: Sequence[tuple[Firing, str]] = ()


def drafted(
    session: Session,
    past: Past,
    known: Sources,
    made: Sequence[Occasion],
    drafts: Drafts,
    changed: Changed,
) -> list[Occasion]:
    """The occasions as they would have been."""
    found = list(made)
    if drafts.rule:
        found = [each for each in found if not _is_removed(each, drafts.rule, changed)]
        found = _redrafted(session, past, known, found, drafts, changed)
    if drafts.owners:
        asking = [each for each in found if _asks_owners(each)]
        anew = {each.name: each for each in with_targets(session, past, known, asking, owners=drafts.owners)}
        found = [anew.get(each.name, each) for each in found]
    return found


def _is_removed(occasion: Occasion, draft: RuleDraft, changed: Changed) -> bool:
    notice = occasion.notice
    if draft.instead_of is None or notice.rule_id != draft.instead_of.id:
        return False
    return draft.content is None or (notice.issue_id, notice.event_id) in changed.removed


def _redrafted(
    session: Session,
    past: Past,
    known: Sources,
    found: list[Occasion],
    drafts: Drafts,
    changed: Changed,
) -> list[Occasion]:
    """What the rule still rings, with its new words; and what it would have rung besides."""
    draft = drafts.rule
    if draft is None or draft.content is None:
        return found
    version = draft.instead_of.version + 1 if draft.instead_of else 1
    rule = copy_of(draft.content, past, draft.id, version)
    planned = {each.notice.event_id: each for each in found if each.group[0] == "event"}
    theirs = [
        _ruled(each, rule, known)
        for each in found
        if draft.id != NEW_RULE and each.notice.rule_id == draft.id
    ]
    more = [_imagined(past, known, rule, firing, name, planned) for firing, name in changed.added]
    anew = {
        each.name: each for each in with_targets(session, past, known, [*theirs, *more], owners=drafts.owners)
    }
    return [anew.pop(each.name, each) for each in found] + list(anew.values())


def _ruled(occasion: Occasion, rule: AlertRule, known: Sources) -> Occasion:
    notice = occasion.notice
    if occasion.stands:
        return occasion
    again = _copy(notice, notice.issue, rule)
    again.rule_version = rule.version
    event = known.events.get(notice.event_id or "")
    return replace(occasion, notice=again, what=_happening(again, rule, event))


def _imagined(
    past: Past,
    known: Sources,
    rule: AlertRule,
    firing: Firing,
    event_name: str,
    planned: Mapping[str | None, Occasion],
) -> Occasion:
    """Planned with what else is told of its event."""
    beside = planned.get(event_name)
    event = known.events.get(event_name)
    at = beside.at if beside else firing.at
    notice = Notice(
        id=IMAGINED + firing.event,
        public_id=f"draft {firing.event}",
        kind=firing.kind,
        project_id=past.project.id,
        issue_id=firing.issue_id,
        issue=_issue(past, known, firing.issue_id),
        event_id=event_name,
        rule_id=rule.id,
        rule_version=rule.version,
        rule=rule,
        data={},
        occurred_at=firing.at,
    )
    return Occasion(
        notice=notice,
        name=notice.public_id,
        at=at,
        group=("event", event_name),
        what=_happening(notice, rule, event),
        environment=event.environment if event else None,
        stands=notice.issue is None or event is None,
    )


def _asks_owners(occasion: Occasion) -> bool:
    rule = occasion.notice.rule
    return rule is not None and not occasion.stands and any(map(targeting.asks_owners, rule.actions))
