"""What a person chose, at which scope, and which choice is in force."""

from itertools import product

import pytest
from sqlalchemy import select

from app.domain.errors import Refused
from app.domain.preferences import BUILT_IN, VALUES, InForce
from app.models import NotificationDefault, NotificationSetting, SettingAudit
from app.services.preferences import preferring
from app.services.preferences.preferring import Defaults


@pytest.fixture
def choose(session, cast, now):
    """Chooses for Bob."""

    def choose_now(category, value, **where):
        return preferring.choose(session, cast.bob, category, value, via="web", now=now, **where)

    return choose_now


@pytest.fixture
def in_force(session, cast):
    """What holds for Bob in a project."""

    def look(instance=None, project=cast.shop):
        return preferring.choices(session, [cast.bob.id], project.id, Defaults(instance or {}))[cast.bob.id]

    return look


# Where a value was chosen, weakest first → what is in force.
LADDER = {
    "nothing": ({}, InForce("always", "built-in")),
    "instance": ({"instance": "never"}, InForce("never", "instance")),
    "account": ({"instance": "never", "account": "participating"}, InForce("participating", "account")),
    "project": ({"instance": "never", "account": "never", "project": "always"}, InForce("always", "project")),
    "project alone": ({"project": "never"}, InForce("never", "project")),
    "account equal to the instance's": (
        {"instance": "never", "account": "never"},
        InForce("never", "account"),
    ),
}


@pytest.mark.parametrize(("chosen", "expected"), LADDER.values(), ids=LADDER)
def test_the_most_specific_choice_is_in_force(cast, choose, in_force, chosen, expected):
    if "account" in chosen:
        choose("workflow", chosen["account"])
    if "project" in chosen:
        choose("workflow", chosen["project"], project=cast.shop)
    instance = {"workflow": chosen["instance"]} if "instance" in chosen else {}
    assert in_force(instance).workflow == expected


def every_ladder(category):
    """Each combination of a choice, or none, at the instance, the account and one place."""
    choices = (None, *VALUES[category])
    for instance, account, place in product(choices, repeat=3):
        yield category, instance, account, place


@pytest.mark.parametrize(
    ("category", "instance", "account", "place"),
    [case for category in ("alerts", "workflow") for case in every_ladder(category)],
)
def test_the_project_beats_the_account_beats_the_instance_beats_what_is_built_in(
    cast, choose, in_force, category, instance, account, place
):
    choose(category, account)
    choose(category, place, project=cast.shop)
    found = getattr(in_force({category: instance} if instance else {}), category)
    expected = [("project", place), ("account", account), ("instance", instance)]
    expected.append(("built-in", BUILT_IN[category]))
    source, value = next((source, value) for source, value in expected if value)
    assert found == InForce(value, source)


@pytest.mark.parametrize(("category", "instance", "account", "place"), list(every_ladder("deploys")))
def test_deploys_are_chosen_by_organization(session, cast, choose, category, instance, account, place):
    choose(category, account)
    choose(category, place, organization=cast.acme)
    defaults = Defaults({category: instance} if instance else {})
    [row] = preferring.place_rows(session, cast.bob, category, [cast.acme], defaults)
    expected = [("organization", place), ("account", account), ("instance", instance)]
    expected.append(("built-in", BUILT_IN[category]))
    source, value = next((source, value) for source, value in expected if value)
    assert (row.now, row.chosen) == (InForce(value, source), place)


SWITCHES = [("own_activity", ""), ("claim", ""), ("workflow", "comments")]


@pytest.mark.parametrize(("category", "kind"), SWITCHES)
@pytest.mark.parametrize("account", [None, "on", "off"])
@pytest.mark.parametrize("instance", [None, "on", "off"])
def test_switches_of_the_account_beat_the_instance(
    session, cast, choose, now, category, kind, account, instance
):
    if instance:
        session.add(NotificationDefault(category=category, kind=kind, value=instance, set_at=now))
    choose(category, account, kind=kind)
    expected = account or instance or ("on" if kind else BUILT_IN[category])
    defaults = preferring.defaults(session, workflow="always")
    row = preferring.account_row(session, cast.bob, category, defaults, kind)
    assert row.now.value == expected
    held = preferring.choices(session, [cast.bob.id], cast.shop.id, defaults)[cast.bob.id]
    shown = {
        "own_activity": held.wants_own,
        "claim": preferring.claims(session, cast.bob),
        "workflow": "comments" not in held.kinds_off,
    }
    assert shown[category] is (expected == "on")


def test_a_choice_for_one_project_leaves_others_alone(make, cast, choose, in_force):
    billing = make.project(cast.acme, "billing", teams=[cast.team])
    choose("alerts", "off", project=cast.shop)
    assert in_force(project=cast.shop).alerts.value == "off"
    assert in_force(project=billing).alerts.value == "on"


def test_a_choice_of_one_person_leaves_others_alone(session, cast, choose):
    choose("alerts", "off")
    found = preferring.choices(session, [cast.alice.id, cast.bob.id], cast.shop.id, Defaults({}))
    assert {person: choices.alerts.value for person, choices in found.items()} == {
        cast.alice.id: "on",
        cast.bob.id: "off",
    }


def test_choosing_default_leaves_no_row(session, choose):
    choose("alerts", "off")
    assert choose("alerts", None) == "off"
    assert session.scalar(select(NotificationSetting)) is None


def test_choosing_the_same_again_is_not_a_change(session, choose):
    assert choose("alerts", "off") is None
    assert choose("alerts", "off") == "off"
    assert len(session.scalars(select(SettingAudit)).all()) == 1


def test_every_change_is_in_the_log(session, cast, choose, now):
    choose("alerts", "off", project=cast.shop)
    choose("alerts", None, project=cast.shop, by=cast.alice)
    first, second = session.scalars(select(SettingAudit).order_by(SettingAudit.id))
    assert (first.scope, first.scope_id, first.old, first.new) == ("project", cast.shop.id, None, "off")
    assert (second.user_id, second.actor_id, second.old, second.new) == (
        cast.bob.id,
        cast.alice.id,
        "off",
        None,
    )


def test_each_change_raises_the_version(session, cast, choose):
    versions = []
    for value in ("off", "on", "off"):
        choose("alerts", value)
        versions.append(preferring.account_row(session, cast.bob, "alerts", Defaults({})).version)
    assert versions == [1, 2, 3]


REFUSED = {
    "no such category": {"category": "security", "value": "off"},
    "no such value": {"category": "alerts", "value": "never"},
    "a value of another category": {"category": "workflow", "value": "on"},
    "no such kind": {"category": "workflow", "value": "off", "kind": "weather"},
    "a kind of alerts": {"category": "alerts", "value": "off", "kind": "comments"},
    "a kind takes on and off": {"category": "workflow", "value": "never", "kind": "comments"},
}


@pytest.mark.parametrize("asked", REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_chosen_is_refused(session, choose, asked):
    with pytest.raises(Refused):
        choose(asked["category"], asked["value"], kind=asked.get("kind", ""))
    assert session.scalar(select(SettingAudit)) is None


ELSEWHERE = {
    "own activity by project": ("own_activity", "on", {"project": "shop"}),
    "deploys by project": ("deploys", "never", {"project": "shop"}),
    "alerts by organization": ("alerts", "off", {"organization": "acme"}),
    "a kind by project": ("workflow", "off", {"project": "shop", "kind": "comments"}),
}


@pytest.mark.parametrize(("category", "value", "where"), ELSEWHERE.values(), ids=ELSEWHERE)
def test_a_choice_is_only_made_where_it_is_heard(cast, choose, category, value, where):
    places = {name: getattr(cast, slug) for name, slug in where.items() if name != "kind"}
    with pytest.raises(Refused):
        choose(category, value, **places, kind=where.get("kind", ""))


def test_kinds_that_are_off(choose, in_force):
    choose("workflow", "off", kind="comments")
    choose("workflow", "on", kind="assignment")
    assert in_force().kinds_off == {"comments"}


@pytest.mark.parametrize(("value", "wants"), [("on", True), ("off", False), (None, False)])
def test_own_activity_is_wanted_only_when_asked_for(choose, in_force, value, wants):
    choose("own_activity", value)
    assert in_force().wants_own is wants


@pytest.mark.parametrize(("environment", "chosen"), [("always", None), ("never", "never")])
def test_the_instances_default_is_what_the_environment_says(session, environment, chosen):
    assert preferring.defaults(session, workflow=environment).of("workflow") == chosen


def test_a_default_that_an_administrator_saved_beats_the_environment(session, cast, now):
    row = {"category": "workflow", "value": "participating", "set_by_id": cast.alice.id, "set_at": now}
    session.add(NotificationDefault(**row))
    found = preferring.defaults(session, workflow="never")
    assert found.in_force("workflow") == InForce("participating", "instance")
    assert found.setter("workflow") == "Alice"


def test_the_instances_defaults_are_one_query(session, cast, count_statements):
    with count_statements() as sent:
        preferring.defaults(session, workflow="never")
    assert len(sent) == 1


def test_a_row_shows_what_would_hold_without_it(session, cast, choose):
    choose("workflow", "participating")
    choose("workflow", "never", project=cast.shop)
    [row] = preferring.place_rows(session, cast.bob, "workflow", [cast.shop], Defaults({}))
    assert (row.chosen, row.now) == ("never", InForce("never", "project"))
    assert row.inherited == InForce("participating", "account")


def test_reading_for_many_is_one_query(session, cast, count_statements):
    people = [cast.alice.id, cast.bob.id, cast.cy.id]
    with count_statements() as sent:
        preferring.choices(session, people, cast.shop.id, Defaults({}))
    assert len(sent) == 1


@pytest.mark.both_databases
def test_choosing_on_both_databases(session, cast, choose, in_force):
    choose("alerts", "off", project=cast.shop)
    choose("alerts", "on", project=cast.shop)
    session.commit()
    assert in_force().alerts == InForce("on", "project")
