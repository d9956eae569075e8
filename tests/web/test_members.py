"""An organization's people and teams."""

import re

import pytest
from sqlalchemy import select

from app.models import Delivery, Invitation, Team, TeamMember, User
from app.services import access
from app.services.people import accounts, workspaces

PEOPLE = "/acme/settings/members/"
PERSON = {"name": "Eve", "password": "correct horse"}


def invite(client, **form):
    return client.post(
        PEOPLE, data={"email": "eve@example.org", "role": "member", "team": ["shop-team"], **form}
    )


@pytest.fixture
def mailed_link(run_jobs, mailbox, session):
    """The link in the newest mail, as whoever reads that mailbox has it."""

    def read(to="eve@example.org"):
        run_jobs()
        session.expire_all()
        mail = [each for each in mailbox() if each.to == to][-1]
        return re.search(r"https://tocsin\.example\.org(/auth/invite/\S+)", mail.text)[1]

    return read


def waiting(session) -> Invitation:
    session.expire_all()
    return session.scalars(select(Invitation)).one()


def test_everybody_in_the_organization_sees_who_is_in_it(as_user, cast):
    page = as_user(cast.dee).page(PEOPLE)
    names = [row.find("b").text for row in page.select("#people tbody tr")]
    assert names == ["Alice", "Bob", "Cy", "Dee"]
    assert page.find("input", {"name": "email"}) is None


def test_strangers_see_nobody(as_user, cast):
    assert as_user(cast.charlie).get(PEOPLE).status_code == 404
    assert as_user(cast.charlie).get("/acme/settings/teams/").status_code == 404


def test_an_invitation_is_mailed_and_shown_to_nobody(as_user, cast, session, mailed_link):
    alice = as_user(cast.alice)
    answer = invite(alice)
    assert (answer.status_code, answer.location) == (303, PEOPLE)
    page = alice.get(PEOPLE).text
    assert "We mailed eve@example.org; the link works for 7 days." in page
    link = mailed_link()
    assert "/auth/invite/" not in answer.text + page + alice.get(PEOPLE).text
    assert link not in page
    assert accounts.find_user(session, "eve@example.org") is None


def test_the_mail_names_who_invites_and_to_what(as_user, cast, mailed_link, mailbox):
    invite(as_user(cast.alice))
    mailed_link()
    [mail] = mailbox()
    assert mail["Subject"] == "Alice invites you to Acme on Tocsin at tocsin.example.org"


def test_a_newcomer_accepts_chooses_a_password_and_sees_the_projects(
    as_user, client, cast, session, mailed_link
):
    invite(as_user(cast.alice))
    link = mailed_link()
    assert client.page(link).find("input", {"name": "password"})
    assert client.post(link, data=PERSON | {"password": "x"}).status_code == 422
    assert client.post(link, data=PERSON).status_code == 303
    assert "Shop" in client.page("/").text
    eve = accounts.find_user(session, "eve@example.org")
    assert eve.primary_address.verified_at
    assert eve.id in access.project_member_ids(session, cast.shop.id)
    assert client.get(link).status_code == client.post(link, data=PERSON).status_code == 410


def test_an_account_joins_by_the_mailed_link_and_keeps_its_password(
    as_user, client, cast, make, session, mailed_link
):
    eve = make.user("Eve", password="her own password")
    invite(as_user(cast.alice))
    link = mailed_link()
    assert as_user(eve).get(PEOPLE).status_code == 404
    assert client.page(link).find("input", {"name": "password"}) is None
    assert client.post(link, data=PERSON).status_code == 303
    assert client.get("/welcome/").status_code == 303, "joining signs nobody in"
    assert accounts.check_password(session, "eve@example.org", "her own password") == eve
    assert as_user(eve).get(PEOPLE).status_code == 200
    assert access.project_member_ids(session, cast.shop.id) >= {eve.id}


def test_whoever_invites_learns_nothing_of_accounts(as_user, cast, make, session):
    make.user("Eve", password="correct horse")
    alice = as_user(cast.alice)
    pages = []
    for email in ("eve@example.org", "nil@example.org"):
        answer = invite(alice, email=email)
        row = str(alice.page(PEOPLE).select_one("#invited tbody"))
        row = re.sub(r'invitations?[-/]\d+|(datetime|title)="[^"]+"|value="[^"]+"', "", row)
        pages.append((answer.status_code, answer.location, row.replace(email, "")))
        alice.post(f"/acme/settings/invitations/{waiting(session).id}/removal")
    assert pages[0] == pages[1]


def test_inviting_again_replaces_the_link(as_user, client, cast, session, mailed_link):
    alice = as_user(cast.alice)
    invite(alice)
    old = mailed_link()
    alice.post(f"/acme/settings/invitations/{waiting(session).id}/mail")
    new = mailed_link()
    assert client.get(old).status_code == 410
    assert client.get(new).status_code == 200


def test_an_invitation_can_be_withdrawn(as_user, client, cast, session, mailed_link):
    invite(as_user(cast.alice))
    link = mailed_link()
    as_user(cast.alice).post(f"/acme/settings/invitations/{waiting(session).id}/removal")
    assert client.get(link).status_code == 410
    assert as_user(cast.alice).page(PEOPLE).select_one("#invited") is None


@pytest.mark.parametrize("verb", ["mail", "removal"])
def test_a_manager_cannot_touch_the_invitation_of_an_owner(as_user, cast, make, session, verb):
    invite(as_user(cast.alice), role="owner")
    before = waiting(session).secret_hash
    manager = as_user(make.member(cast.acme, role="manager"))
    assert manager.post(f"/acme/settings/invitations/{waiting(session).id}/{verb}").status_code == 422
    assert invite(manager, role="member").status_code == 422
    assert (waiting(session).role, waiting(session).secret_hash) == ("owner", before)


@pytest.mark.parametrize("person", ["bob", "charlie"])
@pytest.mark.parametrize("verb", ["mail", "removal"])
def test_who_may_not_change_members_cannot_touch_invitations(as_user, cast, session, person, verb):
    invite(as_user(cast.alice))
    path = f"settings/invitations/{waiting(session).id}/{verb}"
    for org in ("acme", "rivals"):
        assert as_user(getattr(cast, person)).post(f"/{org}/{path}").status_code == 404
    assert as_user(cast.bob).page(PEOPLE).select_one("#invited") is None


def test_thirty_invitations_an_hour_are_enough(as_user, cast, session):
    alice = as_user(cast.alice)
    answers = [invite(alice, email=f"eve{n}@example.org").status_code for n in range(31)]
    assert answers == [303] * 30 + [429]
    again = alice.post(f"/acme/settings/invitations/{session.scalars(select(Invitation.id)).first()}/mail")
    assert again.status_code == 429, "sending one again counts too"
    assert invite(as_user(cast.charlie)).status_code == 404, "somebody else has their own count"


@pytest.mark.parametrize(
    ("form", "says"),
    [({"email": "nonsense"}, "not a mail address"), ({"role": "emperor"}, "no role emperor")],
)
def test_a_wrong_invitation_comes_back_as_typed(as_user, cast, session, form, says):
    answer = invite(as_user(cast.alice), **form)
    assert answer.status_code == 422
    assert says in answer.text
    assert len(session.scalars(select(User)).all()) == 5
    assert session.scalars(select(Delivery)).all() == []


def test_a_member_is_not_invited_twice(as_user, cast):
    cast.bob.password_hash = accounts.hash_password("correct horse")
    answer = invite(as_user(cast.alice), email="bob@example.org")
    assert (answer.status_code, "is a member already" in answer.text) == (422, True)


@pytest.mark.parametrize("path", ["", "{bob}/role", "{bob}/teams", "{bob}/removal"])
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


def test_a_manager_does_not_choose_the_teams_of_an_owner(as_user, cast, make, session):
    manager = as_user(make.member(cast.acme, role="manager"))
    alice = workspaces.membership(session, cast.acme, cast.alice)
    assert manager.post(f"{PEOPLE}{alice.id}/teams", data={}).status_code == 422
    assert session.get(TeamMember, (cast.team.id, cast.alice.id))
    assert manager.page(f"{PEOPLE}{alice.id}/").select("main form") == []


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


@pytest.mark.parametrize("name", ["shop-team", "Shop Team"])
def test_making_a_team_that_exists_puts_nobody_in_it(as_user, cast, make, session, name):
    admin = make.member(cast.acme, role="admin")
    answer = as_user(admin).post("/acme/settings/teams/", data={"team": name})
    assert (answer.status_code, "There is a team" in answer.text) == (422, True)
    assert session.get(TeamMember, (cast.team.id, admin.id)) is None
    assert access.visible_projects(session, admin) == []


def test_a_member_makes_no_team(as_user, cast):
    assert as_user(cast.bob).post("/acme/settings/teams/", data={"team": "x"}).status_code == 404
    assert as_user(cast.bob).page("/acme/settings/teams/").find("form", class_="form") is None


def test_the_teams_page_names_only_projects_one_sees(as_user, cast):
    assert "Shop" in as_user(cast.bob).page("/acme/settings/teams/").find("tbody").text
    assert "Shop" not in as_user(cast.dee).page("/acme/settings/teams/").find("tbody").text
