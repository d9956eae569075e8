"""What a project has that its alert rules may name: environments, teams, members and integrations."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.channels import rings
from app.domain.rule_rows import Names
from app.models import Destination, Environment, Ownership, Project
from app.services import access


def of_project(session: Session, project: Project) -> Names:
    """Four queries."""
    people, teams = access.assignable(session, project)
    found = session.scalars(select(Destination).where(Destination.project_id == project.id)).all()
    fallthrough = session.scalar(select(Ownership.fallthrough).where(Ownership.project_id == project.id))
    return Names(
        environments=frozenset(
            session.scalars(select(Environment.name).where(Environment.project_id == project.id))
        ),
        teams={team.id: f"#{team.slug}" for team in teams},
        members={person.id: person.name for person in people},
        integrations={each.id: each.name for each in found},
        paging=frozenset(each.id for each in found if rings(each.channel)),
        tells_all=fallthrough is not False,
    )
