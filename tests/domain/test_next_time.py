"""What somebody has to change to be told next time: the least, and the evaluator agrees that it is enough."""

from dataclasses import replace

import pytest
from hypothesis import assume, given

from app.domain import next_time
from app.domain.kinds import KINDS
from app.domain.next_time import Change, applied, is_told, read, smallest
from app.domain.preferences import Choices, InForce
from app.domain.routing import Happening, Person, Reason
from tests.domain.test_ladder import happenings, persons

ALERT, COMMENT = Happening(KINDS["alert.new"]), Happening(KINDS["comment"])
DEFAULTS = Choices()


def chose(**choices):
    return replace(DEFAULTS, **choices)


NEVER_HERE = chose(workflow=InForce("never", "project"))
CASES = {
    "alerts off for the project": (
        ALERT,
        Person(2, frozenset({Reason.FALLBACK_ALL}), chose(alerts=InForce("off", "project"))),
        DEFAULTS,
        ["alerts project - -"],
    ),
    "alerts off for the account": (
        ALERT,
        Person(2, frozenset({Reason.FALLBACK_ALL}), chose(alerts=InForce("off", "account"))),
        chose(alerts=InForce("off", "account")),
        ["alerts project on -"],
    ),
    "unsubscribed": (
        COMMENT,
        Person(2, frozenset({Reason.MENTION}), unsubscribed=True),
        DEFAULTS,
        ["subscription issue - -"],
    ),
    "only subscribed issues, and not this one": (
        COMMENT,
        Person(2, choices=chose(workflow=InForce("participating", "account"))),
        chose(workflow=InForce("participating", "account")),
        ["subscription issue subscribed -"],
    ),
    "never in this project": (COMMENT, Person(2, choices=NEVER_HERE), DEFAULTS, ["workflow project - -"]),
    "muted": (COMMENT, Person(2, frozenset({Reason.ASSIGNED}), is_muted=True), DEFAULTS, ["mute issue - -"]),
    "what one did oneself": (
        replace(COMMENT, actor_id=2),
        Person(2, frozenset({Reason.ASSIGNED})),
        DEFAULTS,
        ["own_activity account on -"],
    ),
    "a kind switched off": (
        COMMENT,
        Person(2, frozenset({Reason.ASSIGNED}), chose(kinds_off=frozenset({"comments"}))),
        DEFAULTS,
        ["kind account on comments"],
    ),
    "unsubscribed, and alerts off": (
        ALERT,
        Person(2, choices=chose(alerts=InForce("off", "project")), unsubscribed=True),
        DEFAULTS,
        ["subscription issue - -", "alerts project - -"],
    ),
    "no address": (ALERT, Person(2, has_address=False), DEFAULTS, []),
    "no access": (ALERT, Person(2, can_see=False), DEFAULTS, []),
}


@pytest.mark.parametrize(("what", "who", "inherited", "changes"), CASES.values(), ids=CASES)
def test_the_smallest_change(what, who, inherited, changes):
    assert [change.text for change in smallest(what, who, inherited)] == changes


@given(happenings, persons)
def test_what_is_offered_is_enough_and_nothing_less_is(what, who):
    assume(not is_told(what, who))
    found = smallest(what, who, DEFAULTS)
    if found:
        assert is_told(what, applied(found, who, DEFAULTS))
        for left_out in found:
            fewer = [change for change in found if change is not left_out]
            assert not is_told(what, applied(fewer, who, DEFAULTS))


def test_a_form_brings_back_what_it_was_given():
    for change in next_time.offers(COMMENT, DEFAULTS):
        assert read(change.text) == change


@pytest.mark.parametrize(
    "text", ["", "alerts", "alerts account on -", "drop table users -", "mute issue - - -"]
)
def test_other_texts_are_no_changes(text):
    assert read(text) is None


def test_changes_are_values():
    assert Change("mute", "issue") == read("mute issue - -")
