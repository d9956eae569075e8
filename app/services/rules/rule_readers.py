"""Whom a change of an alert rule is for: who made the rule, and whom it names, before or after."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain import rule_news
from app.domain.kinds import RULE_CHANGED
from app.domain.routing import Reason
from app.domain.targets import Target
from app.models import Notice, Team, TeamMember, team_projects

TEAM, MEMBER = "team", "member"


@dataclass(slots=True)
class Squad:
    """A team that has the project, and its people."""

    slug: str
    people: list[int] = field(default_factory=list)


Squads = Mapping[tuple[int, int], Squad]  # by project and team


def named(session: Session, notices: Iterable[Notice]) -> dict[Notice, Mapping[int, Target]]:
    """Everybody whom one of these changes concerns, members or not, with why. One query for all teams."""
    asked = [notice for notice in notices if notice.kind == RULE_CHANGED]
    squads = _squads(session, asked)
    return {notice: _targets(notice, squads) for notice in asked}


def _squads(session: Session, notices: Sequence[Notice]) -> Squads:
    teams = {
        team_id for notice in notices for state in _states(notice) for team_id in rule_news.named(state, TEAM)
    }
    if not teams:
        return {}
    found = (
        select(team_projects.c.project_id, Team.id, Team.slug, TeamMember.user_id)
        .join(Team, Team.id == team_projects.c.team_id)
        .join(TeamMember, TeamMember.team_id == Team.id)
        .where(Team.id.in_(teams))
        .where(team_projects.c.project_id.in_({notice.project_id for notice in notices}))
        .order_by(TeamMember.user_id)
    )
    squads: dict[tuple[int, int], Squad] = {}
    for project_id, team_id, slug, user_id in session.execute(found):
        squads.setdefault((project_id, team_id), Squad(slug)).people.append(user_id)
    return squads


def _states(notice: Notice) -> tuple[Any, Any]:
    """As it is now first: what still holds is what is said."""
    return notice.data["now"], notice.data["was"]


def _targets(notice: Notice, squads: Squads) -> dict[int, Target]:
    reasons: dict[int, dict[Reason, Mapping[str, str]]] = defaultdict(dict)
    if notice.data["author"] is not None:
        reasons[notice.data["author"]][Reason.RULE_AUTHOR] = {}
    for state, sends in zip(_states(notice), ("sends", "sent"), strict=True):
        for user_id in rule_news.named(state, MEMBER):
            reasons[user_id].setdefault(Reason.RULE_MEMBER, {"sends": sends})
        for team_id in rule_news.named(state, TEAM):
            squad = squads.get((notice.project_id or 0, team_id), Squad(""))
            for user_id in squad.people:
                facts = {"sends": sends, "team": f"#{squad.slug}"}
                reasons[user_id].setdefault(Reason.RULE_TEAM, facts)
    name = str(notice.data["was"]["name"])
    return {user_id: _target(theirs, name) for user_id, theirs in reasons.items()}


def _target(reasons: Mapping[Reason, Mapping[str, str]], rule: str) -> Target:
    also = {str(reason): dict(facts) for reason, facts in reasons.items() if facts}
    return Target(frozenset(reasons), {"rule": rule, **({"also": also} if also else {})})
