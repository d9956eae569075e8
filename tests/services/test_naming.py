"""Whom a name means: the same grammar and the same few queries for pages, programs and comments."""

import pytest

from app.domain import assignees
from app.domain.errors import Refused
from app.services.issues import naming
from app.services.people import workspaces


@pytest.fixture
def meant(session, shop):
    return lambda text: naming.assignee(session, shop, assignees.read(text), field="assignee")


FORMS = ["bob", "@bob", "BOB", "bob@example.org", "user:bob", "user:{bob.id}", "{bob.id}"]


@pytest.mark.parametrize("form", FORMS)
def test_a_person_is_meant_by(meant, cast, form):
    assert meant(form.format(bob=cast.bob)) == cast.bob


@pytest.mark.parametrize("form", ["#shop-team", "team:shop-team", "team:{team.id}"])
def test_a_team_is_meant_by(meant, cast, form):
    assert meant(form.format(team=cast.team)) == cast.team


@pytest.mark.parametrize("name", ["dee", "charlie@example.org", "#rivals-team", "user:x", "team:bob"])
def test_who_cannot_have_the_issue_is_nobody_here(meant, name):
    with pytest.raises(Refused, match="Nobody with access to Shop"):
        meant(name)


def test_an_address_is_looked_up_once_however_many_members_there_are(
    session, make, cast, meant, count_statements, now
):
    for _ in range(5):
        workspaces.add_to_team(session, cast.team, make.user(), now=now)
    session.expire_all()
    assert cast.shop.name
    with count_statements() as sent:
        assert meant("bob@example.org").handle == "bob"
    assert len(sent) == 3  # members, teams, the address
