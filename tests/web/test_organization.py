"""An organization's own settings."""

import pytest

from app.services.people import workspaces

GENERAL = "/acme/settings/"


@pytest.mark.parametrize("role", ["owner", "manager"])
def test_managers_and_owners_switch_privacy_on_and_off(as_user, cast, session, role):
    workspaces.change_role(session, workspaces.membership(session, cast.acme, cast.bob), role)
    bob = as_user(cast.bob)
    assert bob.post(GENERAL, data={"name": "Acme", "enhanced_privacy": "1"}).location == GENERAL
    session.expire_all()
    assert cast.acme.enhanced_privacy
    assert bob.page(GENERAL).find(id="name")["value"] == "Acme"
    assert bob.page(GENERAL).find("input", attrs={"name": "enhanced_privacy"}).has_attr("checked")
    assert "Enhanced privacy is on" in bob.get("/acme/shop/settings/").text
    bob.post(GENERAL, data={"name": "Acme & Sons"})
    session.expire_all()
    assert (cast.acme.enhanced_privacy, cast.acme.name) == (False, "Acme & Sons")


def test_members_read_it_and_change_nothing(as_user, cast, session):
    bob = as_user(cast.bob)
    assert bob.page(GENERAL).select_one("main fieldset[disabled]")
    assert bob.post(GENERAL, data={"name": "Bob's"}).status_code == 404


def test_strangers_see_nothing_of_it(as_user, cast):
    assert as_user(cast.charlie).get(GENERAL).status_code == 404


@pytest.mark.parametrize("name", ["", " ", "x" * 201])
def test_it_needs_a_name(as_user, cast, session, name):
    answer = as_user(cast.alice).post(GENERAL, data={"name": name, "enhanced_privacy": "1"})
    session.expire_all()
    assert (answer.status_code, cast.acme.enhanced_privacy) == (422, False)
