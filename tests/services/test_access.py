"""Access: what a person sees and may do."""

import pytest

from app.domain.errors import NotFound
from app.services import access
from app.services.people import workspaces

pytestmark = pytest.mark.both_databases


def seen_by(session, user) -> set[str]:
    return {project.slug for project in access.visible_projects(session, user)}


def test_people_see_the_projects_of_their_teams(session, cast):
    assert seen_by(session, cast.bob) == {"shop"}
    assert seen_by(session, cast.dee) == set()
    assert seen_by(session, cast.charlie) == {"other-shop"}


@pytest.mark.parametrize(
    ("role", "sees"),
    [("billing", False), ("member", False), ("admin", False), ("manager", True), ("owner", True)],
)
def test_managers_and_owners_see_every_project_of_their_organization(session, make, cast, role, sees):
    eve = make.member(cast.acme, role=role)
    assert seen_by(session, eve) == ({"shop"} if sees else set())


def test_superusers_see_everything(session, make, cast):
    assert seen_by(session, make.user(is_superuser=True)) == {"shop", "other-shop"}


def test_billing_sees_no_project_even_in_a_team(session, make, cast, now):
    eve = make.member(cast.acme, role="billing")
    workspaces.add_to_team(session, cast.team, eve, now=now)
    assert seen_by(session, eve) == set()
    assert eve.id not in access.project_member_ids(session, cast.shop.id)


def test_a_team_of_an_organization_that_one_left_gives_no_access(session, cast):
    membership = workspaces.membership(session, cast.acme, cast.bob)
    session.delete(membership)
    session.flush()
    assert seen_by(session, cast.bob) == set()


def test_what_one_may_not_see_does_not_exist(session, cast, issue):
    assert access.visible_project(session, cast.bob, "acme", "shop") == cast.shop
    assert access.visible_issue(session, cast.bob, issue.id) == issue
    assert access.visible_issue_by_short_id(session, cast.bob, cast.acme, issue.short_id.lower()) == issue
    for stranger in (cast.dee, cast.charlie):
        with pytest.raises(NotFound):
            access.visible_project(session, stranger, "acme", "shop")
        with pytest.raises(NotFound):
            access.visible_issue(session, stranger, issue.id)
        with pytest.raises(NotFound):
            access.visible_issue_by_short_id(session, stranger, cast.acme, issue.short_id)
    with pytest.raises(NotFound):
        access.visible_organization(session, cast.charlie, "acme")


def test_slugs_of_two_organizations_are_not_mixed(session, cast):
    with pytest.raises(NotFound):
        access.visible_project(session, cast.alice, "rivals", "shop")


def test_members_of_a_project_are_the_active_people_of_its_teams(session, make, cast):
    cast.cy.is_active = False
    session.flush()
    assert access.project_member_ids(session, cast.shop.id) == {cast.alice.id, cast.bob.id}


def test_the_projects_that_concern_a_person_are_those_of_their_teams(session, make, cast):
    root = make.user(is_superuser=True)
    assert access.member_project_ids(session, cast.bob) == {cast.shop.id}
    assert access.member_project_ids(session, root) == access.member_project_ids(session, cast.dee) == set()


def test_issues_can_be_given_to_the_members_and_the_teams(session, cast):
    people, teams = access.assignable(session, cast.shop)
    assert people == [cast.alice, cast.bob, cast.cy]
    assert teams == [cast.team]


PERMISSIONS = {
    "a member acts": ("member", "act", True),
    "a member does not edit": ("member", "edit_project", False),
    "an admin edits": ("admin", "edit_project", True),
    "an admin does not edit members": ("admin", "edit_members", False),
    "a manager does": ("manager", "edit_members", True),
    "billing sees nothing": ("billing", "see", False),
}


@pytest.mark.parametrize(("role", "permission", "allowed"), PERMISSIONS.values(), ids=PERMISSIONS)
def test_what_a_role_may_do_in_its_organization(session, make, cast, role, permission, allowed):
    assert access.can(session, make.member(cast.acme, role=role), cast.acme, permission) is allowed


def test_an_admin_edits_the_projects_of_their_teams_only(session, make, cast, now):
    eve = make.member(cast.acme, role="admin")
    assert not access.can(session, eve, cast.shop, "edit_project")
    workspaces.add_to_team(session, cast.team, eve, now=now)
    assert access.can(session, eve, cast.shop, "edit_project")
    assert not access.can(session, eve, cast.other_shop, "see")


def test_nobody_acts_after_they_were_switched_off(session, make, cast):
    root = make.user(is_superuser=True)
    root.is_active = cast.alice.is_active = False
    session.flush()
    assert not access.can(session, root, cast.shop, "see")
    assert not access.can(session, cast.alice, cast.shop, "see")


def test_the_menu_lists_organizations_with_the_projects_one_sees(session, cast):
    assert access.menu(session, cast.alice) == [(cast.acme, [cast.shop])]
    assert access.menu(session, cast.dee) == [(cast.acme, [])]
