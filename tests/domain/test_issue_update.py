"""The body of an update of issues: what it asks for, and what is wrong with it."""

import pytest

from app.domain.assignees import NOBODY, Assignment
from app.domain.issue_update import BadUpdate, Update, read

UNDERSTOOD = {
    "nothing": ({}, Update()),
    "resolving": ({"status": "resolved"}, Update(move="resolve")),
    "reopening": ({"status": "unresolved"}, Update(move="reopen")),
    "ignoring": ({"status": "ignored"}, Update(move="ignore")),
    "sentry-cli's mute": ({"status": "muted", "snoozeDuration": None}, Update(move="ignore")),
    "empty details": ({"status": "ignored", "statusDetails": {}}, Update(move="ignore")),
    "conditions that are not set": ({"ignoreCount": None, "ignoreDuration": 0}, Update()),
    "nobody": ({"assignedTo": None}, Update(assignment=NOBODY)),
    "nobody as empty text": ({"assignedTo": ""}, Update(assignment=NOBODY)),
    "nobody as blanks": ({"assignedTo": "  "}, Update(assignment=NOBODY)),
    "a person": ({"assignedTo": "user:5"}, Update(assignment=Assignment("user", "5"))),
    "a team": ({"assignedTo": "team:3"}, Update(assignment=Assignment("team", "3"))),
    "a team by name": ({"assignedTo": "#payments"}, Update(assignment=Assignment("team", "payments"))),
    "an address": ({"assignedTo": "a@b.c"}, Update(assignment=Assignment("name", "a@b.c"))),
    "an id as a number": ({"assignedTo": 5}, Update(assignment=Assignment("name", "5"))),
    "subscribing": ({"isSubscribed": True}, Update(subscribed=True)),
    "unsubscribing": ({"isSubscribed": False}, Update(subscribed=False)),
    "what has no effect": ({"hasSeen": True, "inbox": False, "priority": "low"}, Update()),
    "all at once": (
        {"status": "resolved", "assignedTo": "team:3", "isSubscribed": True},
        Update(move="resolve", assignment=Assignment("team", "3"), subscribed=True),
    ),
}

REFUSED = {
    "an unknown status": ({"status": "done"}, "status"),
    "a status of another type": ({"status": ["resolved"]}, "status"),
    "the next release": ({"status": "resolvedInNextRelease"}, "detail"),
    "a release": ({"status": "resolved", "statusDetails": {"inRelease": "1.0"}}, "detail"),
    "a condition": ({"status": "ignored", "ignoreDuration": 30}, "detail"),
    "a condition in the details": ({"status": "ignored", "statusDetails": {"ignoreCount": 3}}, "detail"),
    "details that are no object": ({"statusDetails": "x"}, "statusDetails"),
    "an assignee that is no text": ({"assignedTo": {"id": 5}}, "assignedTo"),
    "an assignee that is true": ({"assignedTo": True}, "assignedTo"),
    "a subscription that is no flag": ({"isSubscribed": "yes"}, "isSubscribed"),
    "an unknown member": ({"state": "resolved"}, "state"),
    "what is not offered": ({"merge": True}, "merge"),
}


@pytest.mark.parametrize(("body", "update"), UNDERSTOOD.values(), ids=UNDERSTOOD)
def test_an_update_is_read(body, update):
    assert read(body) == update


@pytest.mark.parametrize(("body", "member"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_done_names_the_member(body, member):
    with pytest.raises(BadUpdate) as refusal:
        read(body)
    assert refusal.value.member == member


@pytest.mark.parametrize(
    ("status", "becomes"), [("resolved", "resolved"), ("muted", "ignored"), ("unresolved", "unresolved")]
)
def test_it_knows_the_status_that_comes_of_it(status, becomes):
    assert read({"status": status}).status == becomes
