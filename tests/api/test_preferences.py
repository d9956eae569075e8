"""Notification settings as programs read and change them."""

import pytest
from sqlalchemy import select

from app.models import NotificationSetting, SettingAudit

PATH = "/users/me/notification-settings/"


@pytest.fixture
def mine(program, bob):
    return program(bob)


def test_without_any_choice_the_built_in_values_hold(mine):
    assert mine.read(PATH) == {
        "alerts": "on",
        "workflow": "always",
        "workflowKinds": {
            "assignment": True,
            "resolution": True,
            "regression": True,
            "comments": True,
        },
        "ownActivity": False,
        "timezone": "UTC",
        "projects": {"shop": {"alerts": "default", "workflow": "default"}},
        "effective": {
            "shop": {
                "alerts": {"value": "on", "source": "built-in"},
                "workflow": {"value": "always", "source": "built-in"},
            }
        },
    }


def test_ignoring_can_be_said_to_be_on_but_there_is_nothing_to_switch_off(mine):
    before = mine.read(PATH)
    assert mine.put(PATH, {"workflowKinds": {"ignore": True}}).json == before
    assert mine.put(PATH, {"workflowKinds": {"ignore": False}}).status_code == 400


def test_only_what_is_sent_changes(mine):
    before = mine.read(PATH)
    answer = mine.put(PATH, {"workflow": "participating", "timezone": "Europe/Paris"})
    assert answer.json == before | {
        "workflow": "participating",
        "timezone": "Europe/Paris",
        "effective": {
            "shop": {
                "alerts": {"value": "on", "source": "built-in"},
                "workflow": {"value": "participating", "source": "account"},
            }
        },
    }


@pytest.mark.both_databases
def test_every_choice_can_be_made_and_taken_back(mine, session):
    before = mine.read(PATH)
    chosen = {
        "alerts": "off",
        "workflow": "never",
        "workflowKinds": {"comments": False, "resolution": False},
        "ownActivity": True,
        "projects": {"shop": {"alerts": "on", "workflow": "always"}},
    }
    made = mine.put(PATH, chosen).json
    assert (made["alerts"], made["workflow"], made["ownActivity"]) == ("off", "never", True)
    assert [name for name, on in made["workflowKinds"].items() if not on] == ["comments", "resolution"]
    assert made["projects"] == chosen["projects"]
    assert made["effective"]["shop"]["alerts"] == {"value": "on", "source": "project"}
    back = {
        "alerts": "default",
        "workflow": None,
        "workflowKinds": {"comments": True, "resolution": True},
        "ownActivity": False,
        "projects": {"shop": {"alerts": "default", "workflow": "default"}},
    }
    assert mine.put(PATH, back).json == before
    assert session.scalars(select(NotificationSetting)).all() == []


def test_changes_are_in_the_log_with_the_way_they_came(mine, session, bob):
    for _ in range(2):
        mine.put(PATH, {"projects": {"shop": {"alerts": "off"}}})
    audit = session.scalars(select(SettingAudit)).one()
    assert (audit.user_id, audit.actor_id, audit.via) == (bob.id, bob.id, "api")
    assert (audit.category, audit.scope, audit.old, audit.new) == ("alerts", "project", None, "off")


REFUSED = {
    "an unknown value": ({"alerts": "sometimes"}, "detail"),
    "a value of another type": ({"alerts": False}, "alerts"),
    "an unknown member": ({"alert": "on"}, "alert"),
    "what is only read": ({"effective": {}}, "effective"),
    "an unknown kind": ({"workflowKinds": {"deploys": True}}, "detail"),
    "a kind that is no flag": ({"workflowKinds": {"comments": "off"}}, "comments"),
    "kinds that are no object": ({"workflowKinds": ["comments"]}, "workflowKinds"),
    "an unknown time zone": ({"timezone": "Mars/Olympus"}, "timezone"),
    "no time zone": ({"timezone": None}, "timezone"),
    "own activity that is no flag": ({"ownActivity": "yes"}, "ownActivity"),
    "a project of others": ({"projects": {"other-shop": {"alerts": "off"}}}, "projects"),
    "a project that is no object": ({"projects": {"shop": "off"}}, "shop"),
    "an unknown category": ({"projects": {"shop": {"ownActivity": "on"}}}, "ownActivity"),
}


@pytest.mark.parametrize(("sent", "member"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_named_and_nothing_changes(mine, sent, member):
    before = mine.read(PATH)
    answer = mine.put(PATH, {"workflow": "never", **sent})
    assert (answer.status_code, list(answer.json)) == (400, [member])
    assert mine.read(PATH) == before


def test_projects_of_one_name_are_told_apart_by_their_organization(mine, make, cast):
    make.project(cast.rivals, "shop", teams=[make.team(cast.rivals, "us", members=[cast.bob])])
    assert list(mine.read(PATH)["projects"]) == ["acme/shop", "rivals/shop"]
    made = mine.put(PATH, {"projects": {"rivals/shop": {"alerts": "off"}}}).json
    assert {name: each["alerts"]["value"] for name, each in made["effective"].items()} == {
        "acme/shop": "on",
        "rivals/shop": "off",
    }


def test_who_sees_a_project_without_being_on_its_team_has_nothing_to_choose_there(api, make, cast):
    make.project(cast.acme, "aside")
    assert list(api.read(PATH)["projects"]) == ["shop"]


def test_administrators_read_the_settings_of_others(program, make, mine, cast):
    mine.put(PATH, {"alerts": "off"})
    path = f"/users/{cast.bob.id}/notification-settings/"
    root = program(make.user("Root", is_superuser=True))
    assert root.read(path) == mine.read(path) == mine.read(PATH)
    assert root.put(path, {"alerts": "on"}).status_code == 404
    assert root.get("/users/999999/notification-settings/").status_code == 404
    assert program(cast.alice).get(path).status_code == 403


def test_a_token_that_may_only_read_changes_nothing(program, cast):
    reader = program(cast.bob, ["alerts:read", "org:read"])
    assert reader.put(PATH, {"alerts": "off"}).status_code == 403
    assert reader.read(PATH)["alerts"] == "on"
