"""The sentences about a reader and an issue, and the menu of reasons."""

import pytest

from app.domain import standing, wording
from app.domain.preferences import SOURCES, InForce

ON, ALWAYS = InForce("on", "built-in"), InForce("always", "built-in")


def test_every_code_is_a_choice_in_plain_words():
    choices = dict(wording.code_choices())
    assert list(choices) == list(wording.CODES)
    assert not [words for words in choices.values() if "{" in words or "()" in words or "  " in words]


@pytest.mark.parametrize("source", SOURCES)
def test_nobody_is_said_to_have_turned_off_what_a_default_did(source):
    if source == "organization":
        return
    said = standing.standing("off", project="Shop", workflow=InForce("never", source), alerts=ON)
    assert said.startswith("You turned") == (source in ("project", "account"))
    assert said.endswith("alerts still reach you.")


@pytest.mark.parametrize(
    ("via", "words"),
    [
        ("web", "Unsubscribed by you, 3 Nov: nothing about this issue reaches you."),
        (
            "mail link",
            "Unsubscribed by you, 3 Nov, through a link in email: nothing about this issue reaches you.",
        ),
    ],
)
def test_the_way_in_which_one_left_is_said_unless_it_is_the_usual_one(via, words):
    said = standing.standing(
        "unsubscribed", project="Shop", workflow=ALWAYS, alerts=ON, since="3 Nov", via=via
    )
    assert said == words
