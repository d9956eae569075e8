"""An organization's people and teams."""

import pytest
from sqlalchemy import select

from app.models import Delivery, Team, User
from app.services import access, accounts, workspaces

PEOPLE = "/acme/settings/members/"


def invite(client, **form):
    return client.post(
        PEOPLE, data={"email": "eve@example.org", "role": "member", "team": ["shop-team"], **form}
    )


def test_everybody_in_the_organization_sees_who_is_in_it(as_user, cast):
    page = as_user(cast.dee).page(PEOPLE)
    names = [row.find("b").text for row in page.select("tbody tr")]
    assert names == ["Alice", "Bob", "Cy", "Dee"]
    assert page.find("input", {"name": "email"}) is None


def test_strangers_see_nobody(as_user, cast):
    assert as_user(cast.charlie).get(PEOPLE).status_code == 404
    assert as_user(cast.charlie).get("/acme/settings/teams/").status_code == 404


def test_an_invitation_makes_a_pending_member_and_mails_a_link(as_user, cast, session):
    answer = invite(as_user(cast.alice))
    eve = accounts.find_user(session, "eve@example.org")
    assert (eve.password_hash, eve.primary_address.verified_at) == (None, None)
    assert eve.id in access.project_member_ids(session, cast.shop.id)
    delivery = session.scalars(select(Delivery)).one()
    assert (delivery.kind, delivery.address) == ("invite", "eve@example.org")
    assert delivery.data["by"] == "Alice"
    assert delivery.data["url"] in answer.text


def test_the_link_of_an_invitation_works_and_is_not_shown_again(as_user, client, cast, session):
    invite(as_user(cast.alice))
    link = session.scalars(select(Delivery)).one().data["url"]
    assert link not in as_user(cast.alice).get(PEOPLE).text
    form = {"name": "Eve", "password": "correct horse"}
    assert client.post(link.removeprefix("https://tocsin.example.org"), data=form).status_code == 303


def test_inviting_again_replaces_the_link(as_user, client, cast, session):
    alice = as_user(cast.alice)
    invite(alice)
    eve = accounts.find_user(session, "eve@example.org")
    member = workspaces.membership(session, cast.acme, eve)
    alice.post(f"{PEOPLE}{member.id}/invitation")
    old, new = [each.data["url"] for each in session.scalars(select(Delivery).order_by(Delivery.id))]
    assert client.get(old.removeprefix("https://tocsin.example.org")).status_code == 410
    assert client.get(new.removeprefix("https://tocsin.example.org")).status_code == 200


def test_somebody_with_an_account_is_in_at_once(as_user, cast, make, session):
    make.user("Eve", password="correct horse")
    answer = invite(as_user(cast.alice))
    assert answer.status_code == 303
    assert session.scalars(select(Delivery)).all() == []
    assert "Eve" in as_user(cast.alice).page(PEOPLE).find("tbody").text


@pytest.mark.parametrize(
    ("form", "says"),
    [({"email": "nonsense"}, "not a mail address"), ({"role": "emperor"}, "no role emperor")],
)
def test_a_wrong_invitation_comes_back_as_typed(as_user, cast, session, form, says):
    answer = invite(as_user(cast.alice), **form)
    assert answer.status_code == 422
    assert says in answer.text
    assert len(session.scalars(select(User)).all()) == 5


def test_a_member_is_not_invited_twice(as_user, cast):
    cast.bob.password_hash = accounts.hash_password("correct horse")
    answer = invite(as_user(cast.alice), email="bob@example.org")
    assert (answer.status_code, "is a member already" in answer.text) == (422, True)


@pytest.mark.parametrize("path", ["", "{bob}/role", "{bob}/teams", "{bob}/removal", "{bob}/invitation"])
@pytest.mark.parametrize("person", ["bob", "charlie"])
def test_who_may_not_change_members_cannot(as_user, cast, session, path, person):
    bob = workspaces.membership(session, cast.acme, cast.bob)
    answer = as_user(getattr(cast, person)).post(
        PEOPLE + path.format(bob=bob.id), data={"email": "e@x.org", "role": "owner"}
    )
    assert answer.status_code == 404
    session.expire_all()
    assert bob.role == "member"


def test_members_of_another_organization_are_out_of_reach(as_user, cast, session):
    charlie = workspaces.membership(session, cast.rivals, cast.charlie)
    answer = as_user(cast.alice).post(f"{PEOPLE}{charlie.id}/removal")
    assert answer.status_code == 404


def test_a_manager_makes_nobody_owner_and_removes_none(as_user, cast, make, session):
    manager = as_user(make.member(cast.acme, role="manager"))
    bob = workspaces.membership(session, cast.acme, cast.bob)
    alice = workspaces.membership(session, cast.acme, cast.alice)
    assert manager.post(f"{PEOPLE}{bob.id}/role", data={"role": "owner"}).status_code == 422
    assert manager.post(f"{PEOPLE}{alice.id}/role", data={"role": "member"}).status_code == 422
    assert manager.post(f"{PEOPLE}{alice.id}/removal").status_code == 422
    assert invite(manager, role="owner").status_code == 422
    assert manager.post(f"{PEOPLE}{bob.id}/role", data={"role": "admin"}).status_code == 303
    session.expire_all()
    assert (alice.role, bob.role) == ("owner", "admin")


def test_what_cannot_be_changed_is_said_on_the_page_of_the_person(as_user, cast, session):
    alice = workspaces.membership(session, cast.acme, cast.alice)
    answer = as_user(cast.alice).post(f"{PEOPLE}{alice.id}/role", data={"role": "member"})
    assert answer.status_code == 422
    assert "keeps at least one owner" in answer.text
    assert as_user(cast.alice).page(f"{PEOPLE}{alice.id}/").h1.text == "Alice"
    assert as_user(cast.bob).get(f"{PEOPLE}{alice.id}/").status_code == 404


def test_changing_teams_changes_what_a_person_sees(as_user, cast, session):
    dee = workspaces.membership(session, cast.acme, cast.dee)
    as_user(cast.alice).post(f"{PEOPLE}{dee.id}/teams", data={"team": ["shop-team"]})
    assert access.visible_projects(session, cast.dee) == [cast.shop]
    as_user(cast.alice).post(f"{PEOPLE}{dee.id}/teams", data={})
    assert access.visible_projects(session, cast.dee) == []


def test_who_was_removed_sees_nothing_any_more(as_user, cast, session):
    bob = workspaces.membership(session, cast.acme, cast.bob)
    as_user(cast.alice).post(f"{PEOPLE}{bob.id}/removal")
    assert as_user(cast.bob).get(PEOPLE).status_code == 404
    assert access.visible_projects(session, cast.bob) == []


def test_an_admin_makes_a_team_and_is_in_it(as_user, cast, make, session):
    admin = make.member(cast.acme, role="admin")
    as_user(admin).post("/acme/settings/teams/", data={"team": "Night Watch"})
    team = session.scalars(select(Team).where(Team.slug == "night-watch")).one()
    assert team.name == "Night Watch"
    assert "#night-watch" in as_user(admin).page("/acme/settings/teams/").text


def test_a_member_makes_no_team(as_user, cast):
    assert as_user(cast.bob).post("/acme/settings/teams/", data={"team": "x"}).status_code == 404
    assert as_user(cast.bob).page("/acme/settings/teams/").find("form", class_="form") is None


def test_the_teams_page_names_only_projects_one_sees(as_user, cast):
    assert "Shop" in as_user(cast.bob).page("/acme/settings/teams/").find("tbody").text
    assert "Shop" not in as_user(cast.dee).page("/acme/settings/teams/").find("tbody").text
