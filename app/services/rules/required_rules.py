"""Alert rules that somebody hears whatever they chose: those that admins made required."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import AlertRule, TeamMember, User
from app.services.rules import targeting

# Targets that may come to be anybody of the project.
OPEN = ("owners", "assignee")


def of(session: Session, user: User, project_ids: Collection[int]) -> Mapping[int, Sequence[AlertRule]]:
    """Those of these projects that may name this person, by name."""
    if not project_ids:
        return {}
    found = (
        select(AlertRule, TeamMember.team_id)
        .outerjoin(TeamMember, TeamMember.user_id == user.id)
        .where(AlertRule.project_id.in_(project_ids), AlertRule.is_active)
        .where(AlertRule.required_reason.is_not(None))
        .order_by(AlertRule.name, AlertRule.id)
    )
    rows = session.execute(found).all()
    teams = {team_id for _, team_id in rows}
    required: dict[int, list[AlertRule]] = defaultdict(list)
    for rule in dict.fromkeys(rule for rule, _ in rows):
        if any(_may_name(row, user.id, teams) for row in rule.actions):
            required[rule.project_id].append(rule)
    return required


def _may_name(row: Mapping[str, Any], user_id: int, teams: Collection[int]) -> bool:
    if row.get("id") != targeting.MAIL:
        return False
    if row["target"] in OPEN:
        return True
    return int(row["targetId"]) in (teams if row["target"] == "team" else (user_id,))
