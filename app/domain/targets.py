"""Whom an alert rule tells, and why them: its mail actions over who there is in the project.

Pure. Being named is not being told: what people chose is asked of them by `routing` afterwards.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.domain import phrases, wording
from app.domain.routing import STRENGTH, Reason
from app.domain.rule_rows import Row

MOST_ACTIVE = 20
LONGEST_LINE = 120
NO_LINE = wording.UNKNOWN["nobody"]
# Line, its text, and the team that it names if it is not the person.
Named = tuple[int, str, str | None]
Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Squad:
    """A team, and its people as far as the project concerns them; `is_here`: it has the project."""

    slug: str
    members: Sequence[int] = ()
    is_here: bool = True


@dataclass(frozen=True, slots=True)
class Roster:
    """Who there is: the project's members, those who were here last first; teams and names by id."""

    project: str
    members: Sequence[int]
    squads: Mapping[int, Squad] = field(default_factory=dict)
    names: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Owners:
    """Whom the lines name that an event matches, and what is to happen where they name nobody."""

    users: Mapping[int, Named] = field(default_factory=dict)
    lines: Sequence[int] = ()  # that matched
    fallthrough: bool = True
    only_assignee: bool = False


@dataclass(frozen=True, slots=True)
class Assignee:
    """Who has the issue: a person, a team, or nobody."""

    user_id: int | None = None
    team_id: int | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """Why one person is told; `because` is what the sentences of the reasons need."""

    reasons: frozenset[Reason]
    because: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Targets:
    """Whom the actions of a rule name.

    `audience`: each action in words. `nobody`: where nobody is told by intention, why, as facts of the code
    `no_owner`. `trouble`: what names nobody any more.
    """

    people: Mapping[int, Target] = field(default_factory=dict)
    audience: Sequence[str] = ()
    nobody: Mapping[str, str] | None = None
    trouble: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class _Told:
    """What one action comes to: people with a reason and its facts."""

    words: str
    people: Mapping[int, tuple[Reason, Facts]] = field(default_factory=dict)
    nobody: Mapping[str, str] | None = None
    trouble: str = ""


def targets(
    actions: Iterable[Row], roster: Roster, owners: Owners, assignee: Assignee, *, rule: str = ""
) -> Targets:
    """Everybody whom one of the mail actions names, with all reasons for it."""
    told = [
        _TARGETS[row["target"]](row, roster, owners, assignee) for row in actions if row.get("id") == "mail"
    ]
    reasons: dict[int, dict[Reason, Facts]] = {}
    for each in told:
        for user_id, (reason, facts) in each.people.items():
            reasons.setdefault(user_id, {}).setdefault(reason, facts)
    nobody = next((each.nobody for each in told if each.nobody), None)
    return Targets(
        {user_id: _target(theirs, rule) for user_id, theirs in sorted(reasons.items())},
        [each.words for each in told],
        nobody if not reasons else None,
        [each.trouble for each in told if each.trouble],
    )


def _target(reasons: Mapping[Reason, Facts], rule: str) -> Target:
    """The facts of the strongest reason, and those of the others beside them."""
    strongest, *others = sorted(reasons, key=STRENGTH.__getitem__)
    also = {str(reason): dict(reasons[reason]) for reason in others if reasons[reason]}
    because = {"rule": rule, **reasons[strongest], **({"also": also} if also else {})}
    return Target(frozenset(reasons), because)


# What each target comes to


def _owners(row: Row, roster: Roster, owners: Owners, assignee: Assignee) -> _Told:
    if owners.only_assignee and (whose := _assigned(roster, assignee)):
        return _Told("whoever the issue is assigned to, and its owners no longer", whose)
    if owners.users:
        lines = phrases.listed([str(number) for number in owners.lines])
        named = f"the issue’s owners: issue owners line{'' if len(owners.lines) == 1 else 's'} {lines}"
        return _Told(named, {user_id: _named(*why) for user_id, why in owners.users.items()})
    why = NO_LINE
    if owners.lines:
        lines = phrases.listed([str(number) for number in owners.lines])
        verb = "line {} names" if len(owners.lines) == 1 else "lines {} name"
        why = f"issue owners {verb.format(lines)} nobody who has access"
    return _fallback(row, roster, owners, whom="the issue’s owners", why=why)


def _named(line: int, text: str, team: str | None) -> tuple[Reason, Facts]:
    facts = {"line": line, "owner": phrases.shortened(text, LONGEST_LINE)}
    return (Reason.TEAM_OWNER_RULE, {**facts, "team": team}) if team else (Reason.OWNER_RULE, facts)


def _assignee(row: Row, roster: Roster, owners: Owners, assignee: Assignee) -> _Told:
    if whose := _assigned(roster, assignee):
        return _Told("whoever the issue is assigned to", whose)
    has_nobody = assignee.user_id is None and assignee.team_id is None
    why = "nobody is assigned to the issue" if has_nobody else "whoever has the issue has no access"
    return _fallback(row, roster, owners, whom="whoever the issue is assigned to", why=why)


def _assigned(roster: Roster, assignee: Assignee) -> dict[int, tuple[Reason, Facts]]:
    if assignee.user_id is not None:
        return {each: (Reason.ASSIGNED, {}) for each in roster.members if each == assignee.user_id}
    squad = roster.squads.get(assignee.team_id or 0)
    if squad is None or not squad.is_here:
        return {}
    return {each: (Reason.TEAM_ASSIGNED, {"team": f"#{squad.slug}"}) for each in squad.members}


def _team(row: Row, roster: Roster, owners: Owners, assignee: Assignee) -> _Told:
    squad = roster.squads.get(int(row["targetId"]))
    if squad is None or not squad.is_here:
        named = f"#{squad.slug}" if squad else "a team that was deleted"
        words = f"{named}, which has no access to {roster.project} any more"
        return _Told(words, trouble=f"It tells {words}.")
    team = {"team": f"#{squad.slug}"}
    return _Told(f"#{squad.slug}", dict.fromkeys(squad.members, (Reason.RULE_TEAM, team)))


def _member(row: Row, roster: Roster, owners: Owners, assignee: Assignee) -> _Told:
    user_id = int(row["targetId"])
    name = roster.names.get(user_id, "somebody whose account is gone")
    if user_id in roster.members:
        return _Told(name, {user_id: (Reason.RULE_MEMBER, {})})
    words = f"{name}, who has no access to {roster.project} any more"
    return _Told(words, trouble=f"It tells {words}.")


_TARGETS = {"owners": _owners, "assignee": _assignee, "team": _team, "member": _member}


# Where nobody is named


def _fallback(row: Row, roster: Roster, owners: Owners, *, whom: str, why: str) -> _Told:
    chosen = row.get("fallback") or "project"
    by = "the project" if chosen == "project" else "the rule"
    if chosen == "project":
        chosen = "all" if owners.fallthrough else "none"
    if chosen == "none":
        return _Told(f"{whom}; {why}, and {by} tells nobody then", nobody={"nobody": why, "by": by})
    members = roster.members[:MOST_ACTIVE] if chosen == "active" else roster.members
    everyone = _everyone(members, roster)
    facts: Facts = {"everyone": everyone, **({} if why == NO_LINE else {"nobody": why})}
    words = f"{whom}; {why}, so {everyone} told" if members else f"{whom}; {why}, and there are no members"
    return _Told(words, dict.fromkeys(members, (Reason.FALLBACK_ALL, facts)))


def _everyone(members: Sequence[int], roster: Roster) -> str:
    if len(members) < len(roster.members):
        return f"the {len(members)} members of {roster.project} who were here last were"
    return wording.everyone(len(members), roster.project)
