"""Whom alert rules tell: what `domain/targets` needs to know, read for many alerts at once.

The number of queries grows with the projects, not with alerts or people; events are read with one.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select, tuple_
from sqlalchemy.orm import Session, object_session, undefer

from app.domain import targets
from app.domain.kinds import KINDS, RULE_CHANGED
from app.domain.ownership_lines import Match
from app.domain.routing import Reason
from app.domain.rule_rows import Row
from app.domain.targets import Assignee, Owners, Roster, Squad, Target, Targets
from app.models import (
    AlertRule,
    Event,
    Issue,
    Notice,
    Project,
    RuleVersion,
    Team,
    TeamMember,
    User,
    Verdict,
    team_projects,
)
from app.services import access
from app.services.owners import owning
from app.services.owners.owning import Directory, OwnersInForce

MAIL = "mail"
# Kinds of notices that a rule rang.
RUNG = frozenset(kind.name for kind in KINDS.values() if kind.template == "alert")
# Told to whom rules would have told of each issue.
STORM = "storm"
# What is for certain people, beside alerts.
NAMING = (STORM, RULE_CHANGED)
NOBODY, NOBODY_KNOWN = Assignee(), OwnersInForce()


@dataclass(frozen=True, slots=True)
class Ask:
    """Whom these actions tell of an event, and of its issue as it is assigned.

    `owners` is a draft, if given, else those in force are asked. Without an event no line matches.
    """

    project_id: int
    actions: Sequence[Row]
    rule: str = ""
    event: Event | None = None
    assignee: Assignee = NOBODY
    owners: OwnersInForce | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """Who it is; `owners_version` is that of the owners who were asked, None if none were."""

    targets: Targets
    owners_version: int | None = None


def of_notices(session: Session, notices: Collection[Notice]) -> dict[Notice, Found]:
    """Whom each of these alerts is for, by the rule as it was when it rang."""
    alerts = [each for each in notices if is_rung(each)]
    if not alerts:
        return {}
    rules = rules_of(session, alerts)
    actions = _actions(session, alerts, rules)
    asking = {each.project_id for each in alerts if any(map(asks_owners, actions[each]))}
    in_force = owning.rules_of_all(session, {key for key in asking if key})
    events = _events(session, [each for each in alerts if _has_lines(in_force, each)])
    asks = [_ask(each, actions[each], rules.get(each), events, in_force) for each in alerts]
    return dict(zip(alerts, of(session, asks), strict=True))


def is_rung(notice: Notice) -> bool:
    """Whether a rule rang it, which says whom to tell."""
    return notice.kind in RUNG and notice.project_id is not None


def _actions(
    session: Session, alerts: Sequence[Notice], rules: Mapping[Notice, AlertRule]
) -> dict[Notice, Sequence[Row]]:
    """Of a rule that was changed since, those it had. A rule that is gone tells nobody."""
    changed = {
        (each.rule_id, each.rule_version)
        for each, rule in rules.items()
        if each.rule_version not in (None, rule.version)
    }
    before = _versions(session, changed)
    return {
        each: before.get((each.rule_id, each.rule_version)) or (rules[each].actions if each in rules else ())
        for each in alerts
    }


def rules_of(session: Session, notices: Collection[Notice]) -> dict[Notice, AlertRule]:
    """The rule behind each that has one. One that is only imagined brings its own along."""
    ids = {each.rule_id for each in notices if each.rule_id}
    known = session.scalars(select(AlertRule).where(AlertRule.id.in_(ids))).all() if ids else ()
    stored = {row.id: row for row in known}
    found = {each: stored.get(each.rule_id or 0) if object_session(each) else each.rule for each in notices}
    return {each: rule for each, rule in found.items() if rule is not None}


def _versions(
    session: Session, keys: Collection[tuple[int | None, int | None]]
) -> Mapping[tuple[int | None, int | None], Sequence[Row]]:
    if not keys:
        return {}
    found = select(RuleVersion).where(tuple_(RuleVersion.rule_id, RuleVersion.version).in_(keys))
    return {(row.rule_id, row.version): row.content["actions"] for row in session.scalars(found)}


def asks_owners(row: Row) -> bool:
    return row.get("id") == MAIL and row.get("target") == "owners"


def _has_lines(in_force: Mapping[int, OwnersInForce], notice: Notice) -> bool:
    known = in_force.get(notice.project_id or 0)
    return known is not None and bool(known.rules.lines)


Key = tuple[int | None, str | None]


def _events(session: Session, alerts: Iterable[Notice]) -> dict[Key, Event]:
    """The events that rang them, each with all that was kept of it."""
    keys = {(each.project_id, each.event_id) for each in alerts if each.event_id}
    if not keys:
        return {}
    found = select(Event).where(tuple_(Event.project_id, Event.event_id).in_(keys))
    rows = session.scalars(found.options(undefer(Event.body)).execution_options(populate_existing=True))
    return {(row.project_id, row.event_id): row for row in rows}


def _ask(
    notice: Notice,
    actions: Sequence[Row],
    rule: AlertRule | None,
    events: Mapping[Key, Event],
    in_force: Mapping[int, OwnersInForce],
) -> Ask:
    return Ask(
        project_id=notice.project_id or 0,
        actions=actions,
        rule=rule.name if rule else "",
        event=events.get((notice.project_id, notice.event_id)),
        assignee=assignee_of(notice.issue),
        owners=in_force.get(notice.project_id or 0, NOBODY_KNOWN),
    )


def assignee_of(issue: Issue | None) -> Assignee:
    return Assignee(issue.assignee_user_id, issue.assignee_team_id) if issue else Assignee()


def of(session: Session, asks: Sequence[Ask]) -> list[Found]:
    """The answers, in the order of the questions."""
    of_project: dict[int, list[Ask]] = defaultdict(list)
    for ask in asks:
        of_project[ask.project_id].append(ask)
    found: dict[int, Found] = {}
    for project_id, theirs in of_project.items():
        answers = _in_project(session, project_id, theirs)
        found |= {id(ask): answer for ask, answer in zip(theirs, answers, strict=True)}
    return [found[id(ask)] for ask in asks]


def _in_project(session: Session, project_id: int, asks: Sequence[Ask]) -> list[Found]:
    roster = _roster(session, project_id, asks)
    drafts_missing = any(each.owners is None and any(map(asks_owners, each.actions)) for each in asks)
    usual = owning.rules_of(session, project_id) if drafts_missing else NOBODY_KNOWN
    lines = [_Lines(usual if each.owners is None else each.owners, each.event, each.actions) for each in asks]
    named = [owner for each in lines for match in each.matches for owner in match.line.owners]
    known = owning.directory(session, project_id, named) if named else Directory({}, {}, {})
    return [_found(ask, each, known, roster) for ask, each in zip(asks, lines, strict=True)]


class _Lines:
    """What the project's lines say of an event, where an action asks for its owners."""

    def __init__(self, owners: OwnersInForce, event: Event | None, actions: Iterable[Row]) -> None:
        self.owners = owners
        self.are_asked = any(map(asks_owners, actions))
        asked = self.are_asked and event is not None
        self.matches: Sequence[Match] = owning.matches_of(owners.rules, event) if asked and event else ()


def _found(ask: Ask, lines: _Lines, known: Directory, roster: Roster) -> Found:
    owners = Owners(
        users=known.resolve(lines.matches).users,
        lines=[match.number for match in lines.matches],
        fallthrough=lines.owners.fallthrough,
        only_assignee=lines.owners.only_assignee,
    )
    people = targets.targets(ask.actions, roster, owners, ask.assignee, rule=ask.rule)
    return Found(people, lines.owners.version if lines.are_asked else None)


# Who there is


def _roster(session: Session, project_id: int, asks: Sequence[Ask]) -> Roster:
    project = session.get_one(Project, project_id)
    rows = [row for ask in asks for row in ask.actions if row.get("id") == MAIL]
    team_ids = {int(row["targetId"]) for row in rows if row["target"] == "team"}
    user_ids = {int(row["targetId"]) for row in rows if row["target"] == "member"}
    members = _members(session, project_id)
    return Roster(
        project=project.name,
        members=members,
        squads=_squads(session, project_id, team_ids | _assigned_teams(asks), members),
        names=_names(session, user_ids),
    )


def _assigned_teams(asks: Iterable[Ask]) -> set[int]:
    return {ask.assignee.team_id for ask in asks if ask.assignee.team_id}


def _members(session: Session, project_id: int) -> list[int]:
    """The project's people: who was here last comes first, who never was at the end."""
    found = session.execute(select(User.id, User.last_active_at).where(access.is_member(project_id)))
    here = [(at, user_id) for user_id, at in found]
    return [user_id for at, user_id in sorted(here, key=lambda each: _since(each[0], each[1]))]


def _since(at: datetime | None, user_id: int) -> tuple[float, int]:
    return (-at.timestamp() if at else 0.0), user_id


def _squads(
    session: Session, project_id: int, team_ids: Collection[int], members: Collection[int]
) -> Mapping[int, Squad]:
    if not team_ids:
        return {}
    here = set(session.scalars(_team_ids(project_id)))
    people = set(members)
    slugs: dict[int, str] = {}
    theirs: dict[int, list[int]] = defaultdict(list)
    for team_id, slug, user_id in session.execute(_people_of(team_ids)):
        slugs[team_id] = slug
        if user_id in people:
            theirs[team_id].append(user_id)
    return {team_id: Squad(slug, theirs[team_id], team_id in here) for team_id, slug in slugs.items()}


def _team_ids(project_id: int) -> Select[int]:
    return select(team_projects.c.team_id).where(team_projects.c.project_id == project_id)


def _people_of(team_ids: Collection[int]) -> Select[*tuple[Any, ...]]:
    return (
        select(Team.id, Team.slug, TeamMember.user_id)
        .outerjoin(TeamMember, TeamMember.team_id == Team.id)
        .where(Team.id.in_(team_ids))
        .order_by(Team.id, TeamMember.user_id)
    )


def _names(session: Session, user_ids: Collection[int]) -> Mapping[int, str]:
    if not user_ids:
        return {}
    found = session.execute(select(User.id, User.name).where(User.id.in_(user_ids)))
    return {user_id: name for user_id, name in found}


# What was recorded


def recorded(
    session: Session, notices: Collection[Notice], user_ids: Collection[int]
) -> dict[Notice, Mapping[int, Target]]:
    """Whom these were for when that was decided, among these people."""
    rung = {notice.id: notice for notice in notices if is_rung(notice) or notice.kind in NAMING}
    found: dict[Notice, dict[int, Target]] = {notice: {} for notice in rung.values()}
    stored = [notice_id for notice_id in rung if notice_id is not None]
    if not stored:
        return dict(found)
    columns = (Verdict.notice_id, Verdict.subject_id, Verdict.reasons, Verdict.params)
    theirs = select(*columns).where(Verdict.subject == "user", Verdict.subject_id.in_(user_ids))
    for row in session.execute(theirs.where(Verdict.notice_id.in_(stored))):
        reasons = frozenset(Reason(name) for name in row.reasons) - {Reason.REQUIRED}
        found[rung[row.notice_id]][row.subject_id] = Target(reasons, row.params.get("because") or {})
    return dict(found)
