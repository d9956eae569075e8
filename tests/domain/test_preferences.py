"""Which choice is in force: the most specific one that was made."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.preferences import BUILT_IN, PER_PROJECT, SHOWN, SOURCES, VALUES, InForce, in_force

CASES = {
    "nothing chosen": ({}, InForce("on", "built-in")),
    "the instance's default": ({"instance": "off"}, InForce("off", "instance")),
    "the account over the instance": ({"instance": "off", "account": "on"}, InForce("on", "account")),
    "the project over the account": ({"account": "off", "project": "on"}, InForce("on", "project")),
    "the organization over the account": (
        {"account": "off", "organization": "on"},
        InForce("on", "organization"),
    ),
    "the project over all": (
        {"instance": "on", "account": "on", "project": "off"},
        InForce("off", "project"),
    ),
}


@pytest.mark.parametrize(("chosen", "expected"), CASES.values(), ids=CASES)
def test_the_most_specific_choice_is_in_force(chosen, expected):
    assert in_force("alerts", **chosen) == expected


@pytest.mark.parametrize("category", VALUES)
@given(data=st.data())
def test_what_is_in_force_is_always_a_value_of_the_category(category, data):
    values = st.none() | st.sampled_from(VALUES[category])
    chosen = {scope: data.draw(values) for scope in ("project", "organization", "account", "instance")}
    found = in_force(category, **chosen)
    assert found.value in VALUES[category]
    assert found.source in SOURCES


def test_everything_is_on_until_somebody_turns_it_off():
    assert (BUILT_IN["alerts"], BUILT_IN["workflow"]) == ("on", "always")


def test_every_category_has_a_default_among_its_values():
    assert all(BUILT_IN[category] in values for category, values in VALUES.items())
    assert set(PER_PROJECT) < set(VALUES)


def test_every_value_has_its_words():
    assert {value for values in VALUES.values() for value in values} == set(SHOWN)
