"""Rules copied to other projects: what a project lacks is left out with a note, or the copy waits, broken."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain import roles, rule_content
from app.domain.rule_content import Content
from app.domain.rule_rows import ALL, BadRule, Names
from app.models import AlertRule, Destination, Membership, Project, User
from app.services import access
from app.services.rules import rule_names, ruling


@dataclass(frozen=True, slots=True)
class Copied:
    """A copy; `notes` say what is different, `problem` why it is switched off, "" if it is on."""

    rule: AlertRule
    notes: Sequence[str]
    problem: str


def targets(session: Session, rule: AlertRule, user: User) -> list[Project]:
    """The other projects of the organization whose rules this person may edit, by name."""
    here = Project.organization_id == rule.project.organization_id
    found = select(Project).where(access.sees_project(user), here, Project.id != rule.project_id)
    if not user.is_superuser:
        able = [role for role in roles.ROLES if roles.has(role, "edit_project")]
        mine = (Membership.user_id == user.id) & Membership.role.in_(able)
        found = found.where(Project.organization_id.in_(select(Membership.organization_id).where(mine)))
    return list(session.scalars(found.order_by(Project.name, Project.id)))


def copy(session: Session, rule: AlertRule, to: Project, *, by: User, via: str, now: datetime) -> Copied:
    """A rule of its own, which does not change with this one."""
    names, notes = rule_names.of_project(session, to), []
    content = rule_content.of(rule)
    if content.environment and content.environment not in names.environments:
        notes.append(
            f"{to.name} has no environment {content.environment}: there it holds for all environments."
        )
        content = replace(content, environment=None)
    content = _with_its_integrations(session, content, to)
    problem = _problem(content, names)
    made = ruling.create(session, to, content, by=by, via=via, now=now, trouble=problem or None)
    return Copied(made, notes, problem)


def _problem(content: Content, names: Names) -> str:
    try:
        rule_content.read(content.as_data(), names)
    except BadRule as bad:
        return ruling.trouble_of(bad)
    return ""


def _with_its_integrations(session: Session, content: Content, to: Project) -> Content:
    """Integrations belong to a project: the one of the same kind and name is meant, if there is one."""
    wanted = [row["integration"] for row in content.actions if row.get("integration", ALL) != ALL]
    theirs = session.scalars(select(Destination).where(Destination.id.in_(wanted))).all() if wanted else ()
    ours = session.scalars(select(Destination).where(Destination.project_id == to.id)).all() if theirs else ()
    known = {(each.channel, each.name): each.id for each in ours}
    meant = {each.id: known.get((each.channel, each.name)) for each in theirs}
    actions = [
        {**row, "integration": here} if (here := meant.get(row.get("integration", 0))) else row
        for row in content.actions
    ]
    return replace(content, actions=actions)
