"""Notification settings as programs read and change them."""

import pytest
from sqlalchemy import select

from app.models import EmailAddress, EmailRoute, NotificationDefault, NotificationSetting, SettingAudit

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
            "ignore": True,
            "rules": True,
        },
        "deploys": "mine",
        "batching": "project",
        "integrationHealth": True,
        "ownActivity": False,
        "claimUnassignedOnResolve": False,
        "timezone": "UTC",
        "projects": {"shop": {"alerts": "default", "workflow": "default", "email": None}},
        "organizations": {"acme": {"deploys": "default"}},
        "effective": {
            "shop": {
                "alerts": {"value": "on", "source": "built-in"},
                "workflow": {"value": "always", "source": "built-in"},
            }
        },
    }


def test_sending_back_what_was_read_chooses_nothing(mine, session):
    """But for time zone and values, which are named and so chosen."""
    before = mine.read(PATH)
    back = {name: before[name] for name in ("workflowKinds", "ownActivity", "claimUnassignedOnResolve")}
    back |= {name: before[name] for name in ("timezone", "projects", "organizations")}
    assert mine.put(PATH, back).json == before
    assert session.scalars(select(NotificationSetting)).all() == []


def test_a_flag_against_the_instances_default_is_a_choice(mine, session, now):
    session.add(NotificationDefault(category="claim", value="on", set_at=now))
    assert mine.read(PATH)["claimUnassignedOnResolve"] is True
    assert mine.put(PATH, {"claimUnassignedOnResolve": False}).json["claimUnassignedOnResolve"] is False
    [chosen] = session.scalars(select(NotificationSetting))
    assert (chosen.category, chosen.value) == ("claim", "off")


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
def test_every_choice_can_be_made_and_taken_back(mine, session, bob, now):
    bob.addresses.append(EmailAddress(address="bob@home.example", verified_at=now))
    before = mine.read(PATH)
    chosen = {
        "alerts": "off",
        "workflow": "never",
        "workflowKinds": {"comments": False, "resolution": False},
        "deploys": "all",
        "batching": "30",
        "ownActivity": True,
        "claimUnassignedOnResolve": True,
        "projects": {"shop": {"alerts": "on", "workflow": "always", "email": "bob@home.example"}},
        "organizations": {"acme": {"deploys": "never"}},
    }
    made = mine.put(PATH, chosen).json
    assert (made["alerts"], made["workflow"], made["ownActivity"]) == ("off", "never", True)
    assert [name for name, on in made["workflowKinds"].items() if not on] == ["comments", "resolution"]
    assert {name: made[name] for name in chosen if name != "workflowKinds"} == {
        name: value for name, value in chosen.items() if name != "workflowKinds"
    }
    assert made["effective"]["shop"]["alerts"] == {"value": "on", "source": "project"}
    back = {
        "alerts": "default",
        "workflow": None,
        "workflowKinds": {"comments": True, "resolution": True},
        "deploys": "default",
        "batching": None,
        "ownActivity": False,
        "claimUnassignedOnResolve": False,
        "projects": {"shop": {"alerts": "default", "workflow": "default", "email": None}},
        "organizations": {"acme": {"deploys": "default"}},
    }
    assert mine.put(PATH, back).json == before
    assert session.scalars(select(NotificationSetting)).all() == []
    assert session.scalars(select(EmailRoute)).all() == []


def test_changes_are_in_the_log_with_the_way_they_came(mine, session, bob):
    for _ in range(2):
        mine.put(PATH, {"projects": {"shop": {"alerts": "off"}}})
    audit = session.scalars(select(SettingAudit)).one()
    assert (audit.user_id, audit.actor_id, audit.via) == (bob.id, bob.id, "api")
    assert (audit.category, audit.scope, audit.old, audit.new) == ("alerts", "project", None, "off")


REFUSED = {
    "an unknown value": ({"alerts": "sometimes"}, "alerts"),
    "a value of another type": ({"alerts": False}, "alerts"),
    "an unknown member": ({"alert": "on"}, "alert"),
    "what is only read": ({"effective": {}}, "effective"),
    "an unknown kind": ({"workflowKinds": {"deploys": True}}, "deploys"),
    "the name that deploys have inside": ({"deploys": "always"}, "deploys"),
    "a value of workflow for deploys": ({"deploys": "participating"}, "deploys"),
    "an organization of others": ({"organizations": {"rivals": {"deploys": "all"}}}, "organizations"),
    "a category by organization": ({"organizations": {"acme": {"alerts": "off"}}}, "alerts"),
    "an unknown value for a project": ({"projects": {"shop": {"workflow": "maybe"}}}, "workflow"),
    "an address of others": ({"projects": {"shop": {"email": "alice@example.org"}}}, "email"),
    "an address that is no text": ({"projects": {"shop": {"email": 7}}}, "email"),
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
