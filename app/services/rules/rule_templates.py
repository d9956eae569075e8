"""What new projects start with: the rules that their organization chose, else the usual one."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain import rule_content
from app.domain.errors import NotFound, Refused
from app.domain.rule_content import Content
from app.domain.rule_rows import BadRule, Names
from app.models import AlertRule, Environment, Membership, Organization, Project, RuleTemplate, Team, User
from app.services.rules import rule_names, ruling

MOST = 20
USUAL = Content(
    name="Tell issue owners about new issues",
    conditions=({"id": "first_seen"},),
    actions=({"id": "mail", "target": "owners", "fallback": "project"},),
)
SYSTEM = "system"


def of_organization(session: Session, organization: Organization) -> Sequence[RuleTemplate]:
    here = RuleTemplate.organization_id == organization.id
    return session.scalars(
        select(RuleTemplate).where(here).order_by(RuleTemplate.position, RuleTemplate.id)
    ).all()


def find(session: Session, organization: Organization, template_id: int) -> RuleTemplate:
    row = session.get(RuleTemplate, template_id)
    if row is None or row.organization_id != organization.id:
        raise NotFound
    return row


def add(session: Session, organization: Organization, content: Content) -> RuleTemplate:
    """After those that there are."""
    here = RuleTemplate.organization_id == organization.id
    count, last = session.execute(
        select(func.count(), func.max(RuleTemplate.position)).select_from(RuleTemplate).where(here)
    ).one()
    if count >= MOST:
        raise Refused(f"An organization has at most {MOST} of them.")
    made = RuleTemplate(organization_id=organization.id, position=(last or 0) + 1, content=content.as_data())
    session.add(made)
    session.flush()
    return made


def change(session: Session, template: RuleTemplate, content: Content) -> None:
    template.content = content.as_data()
    session.flush()


def remove(session: Session, template: RuleTemplate) -> None:
    session.delete(template)
    session.flush()


def names(session: Session, organization: Organization) -> Names:
    """What templates may name: any environment, team or member of the organization, and all integrations."""
    here = Project.organization_id == organization.id
    environments = select(Environment.name).join(Project, Project.id == Environment.project_id).where(here)
    teams = select(Team).where(Team.organization_id == organization.id).order_by(Team.slug)
    people = (
        select(User)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.organization_id == organization.id, User.is_active)
        .order_by(User.name, User.id)
    )
    return Names(
        environments=frozenset(session.scalars(environments)),
        teams={team.id: f"#{team.slug}" for team in session.scalars(teams)},
        members={person.id: person.name for person in session.scalars(people)},
    )


def start(session: Session, project: Project, *, now: datetime) -> list[AlertRule]:
    """The rules of a project that was just made. One that names somebody without access is off."""
    known = rule_names.of_project(session, project)
    templates = of_organization(session, project.organization)
    contents = [rule_content.of_data(each.content) for each in templates] or [USUAL]
    return [
        ruling.create(
            session,
            project,
            content,
            by=None,
            via=SYSTEM,
            now=now,
            trouble=_trouble(content, known),
        )
        for content in contents
    ]


def _trouble(content: Content, known: Names) -> str | None:
    """An environment that a new project has not seen yet is none: it will come with the first events."""
    expected = {content.environment} if content.environment else set()
    everything = Names(known.environments | expected, known.teams, known.members, known.integrations)
    try:
        rule_content.read(content.as_data(), everything)
    except BadRule as bad:
        return ruling.trouble_of(bad)
    return None
