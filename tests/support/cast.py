"""The people whom tests know by name."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Organization, Project, Team, User
from tests.make import Make


@dataclass
class Cast:
    """Alice owns acme; she, Bob and Cy are on the team of its project shop. Dee is in acme, but not on it.

    Charlie owns another organization and must never see a thing.
    """

    alice: User
    bob: User
    cy: User
    dee: User
    charlie: User
    acme: Organization
    team: Team
    shop: Project
    rivals: Organization
    rivals_team: Team
    other_shop: Project


def made(make: Make) -> Cast:
    alice, bob, cy, dee, charlie = (make.user(name) for name in ("Alice", "Bob", "Cy", "Dee", "Charlie"))
    acme = make.organization("acme", owner=alice)
    team = make.team(acme, "shop-team", members=[alice, bob, cy])
    shop = make.project(acme, "shop", teams=[team])
    make.member(acme, dee)
    rivals = make.organization("rivals", owner=charlie)
    rivals_team = make.team(rivals, "rivals-team", members=[charlie])
    other_shop = make.project(rivals, "other-shop", teams=[rivals_team])
    return Cast(alice, bob, cy, dee, charlie, acme, team, shop, rivals, rivals_team, other_shop)


def found(session: Session) -> Cast:
    """The same, where they have been made before."""
    people = {user.handle: user for user in session.scalars(select(User))}
    teams = {team.slug: team for team in session.scalars(select(Team))}
    projects = {project.slug: project for project in session.scalars(select(Project))}
    team, rivals_team = teams["shop-team"], teams["rivals-team"]
    return Cast(
        **people,
        acme=team.organization,
        team=team,
        shop=projects["shop"],
        rivals=rivals_team.organization,
        rivals_team=rivals_team,
        other_shop=projects["other-shop"],
    )
