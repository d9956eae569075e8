"""A rule in lines, for comparing its versions, and in few words, for a list."""

import pytest

from app.domain import rule_lines
from app.domain.rule_content import Content
from app.domain.rule_rows import Names

NAMES = Names(
    teams={3: "#payments"}, members={7: "Priya"}, integrations={2: "PagerDuty"}, paging=frozenset({2})
)
MAIL = {"id": "mail", "target": "owners", "fallback": "project"}


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (MAIL, "owners, else all members"),
        ({**MAIL, "fallback": "none"}, "owners, else nobody"),
        ({**MAIL, "target": "assignee", "fallback": "all"}, "the assignee, else all members"),
        ({"id": "mail", "target": "team", "targetId": 3}, "#payments"),
        ({"id": "mail", "target": "member", "targetId": 7}, "Priya"),
        ({"id": "mail", "target": "team", "targetId": 4}, "somebody who is gone"),
        ({"id": "integration", "integration": 2}, "PagerDuty"),
        ({"id": "integration", "integration": "all"}, "every integration"),
    ],
)
def test_a_list_says_where_a_rule_sends(action, words):
    assert rule_lines.sends_to([action], NAMES) == words


def test_a_project_that_tells_nobody_says_so_in_the_list():
    assert rule_lines.sends_to([MAIL], Names(tells_all=False)) == "owners, else nobody"


def test_each_thing_that_can_be_changed_is_a_line():
    content = Content(
        name="Fatal",
        environment="production",
        conditions=({"id": "first_seen"}, {"id": "regression"}),
        condition_match="any",
        filters=({"id": "level", "match": "gte", "level": "fatal"},),
        actions=(MAIL, {"id": "integration", "integration": 2}),
        required_reason="payments stop",
        interrupt_reason="payments stop",
    )
    assert rule_lines.lines({**content.as_data(), "active": False}, NAMES) == [
        "Name: Fatal",
        "Environment: production",
        "When any of:",
        "When: a new issue is seen",
        "When: a resolved issue comes back",
        "If all of:",
        "If: the level is at least fatal",
        "Then: email the issue's owners (or all members if there are none)",
        "Then: page PagerDuty",
        "How often: at most every 30 minutes per issue",
        "May interrupt quiet hours: payments stop",
        "Required: payments stop",
        "Switched off",
    ]
