"""The words for what became of a rule, and whom it names."""

import pytest

from app.domain import rule_news

WAS = {"name": "Fatal", "frequency": 30, "actions": [], "active": True}
LONGER, OFF = {**WAS, "frequency": 60}, {**WAS, "active": False}

BECAME = {
    "another content": (WAS, LONGER, False, "changed"),
    "an earlier content": (LONGER, WAS, True, "restored"),
    "off": (WAS, OFF, False, "switched off"),
    "on": (OFF, WAS, False, "switched on"),
    "on, by restoring": (OFF, WAS, True, "switched on"),
    "off and other": (WAS, {**LONGER, "active": False}, False, "changed"),
    "gone": (WAS, None, False, "deleted"),
}


@pytest.mark.parametrize(("was", "now", "is_restored", "words"), BECAME.values(), ids=BECAME)
def test_what_became_of_a_rule_has_a_word(was, now, is_restored, words):
    assert rule_news.what_became(was, now, is_restored=is_restored) == words


def test_a_rule_names_those_to_whom_its_mail_goes_and_no_integrations():
    actions = [
        {"id": "mail", "target": "owners", "fallback": "all"},
        {"id": "mail", "target": "team", "targetId": "3"},
        {"id": "mail", "target": "member", "targetId": 7},
        {"id": "integration", "integration": 9},
    ]
    state = {**WAS, "actions": actions}
    assert (rule_news.named(state, "team"), rule_news.named(state, "member")) == ([3], [7])
    assert rule_news.named(None, "team") == []


REACH = {
    "people": ((6, 0), (2, 0), "told 6 before, 2 now"),
    "nobody": ((1200, 1), (0, 1), "told 1,200 before, nobody now"),
    "integrations": ((1, 2), (1, 0), "told 1 before, 1 now; integrations: 2 before, none now"),
}


@pytest.mark.parametrize(("before", "now", "words"), REACH.values(), ids=REACH)
def test_its_reach_is_said_before_and_after(before, now, words):
    assert rule_news.reach_words(before, now) == words
