"""The body of an update of issues: what it asks for, and what is wrong with it."""

import pytest

from app.domain import resolutions
from app.domain.assignees import NOBODY, Assignment
from app.domain.issue_update import BY_LEVEL, BadUpdate, IgnoreWish, Update, read

UNDERSTOOD = {
    "nothing": ({}, Update()),
    "resolving": ({"status": "resolved"}, Update(move="resolve")),
    "the next release": (
        {"status": "resolvedInNextRelease"},
        Update(move="resolve", into=resolutions.in_next_release()),
    ),
    "the next release as a detail": (
        {"status": "resolved", "statusDetails": {"inNextRelease": True}},
        Update(move="resolve", into=resolutions.in_next_release()),
    ),
    "not the next release": (
        {"status": "resolved", "statusDetails": {"inNextRelease": False, "inRelease": None}},
        Update(move="resolve"),
    ),
    "a release": (
        {"status": "resolved", "statusDetails": {"inRelease": "1.0"}},
        Update(move="resolve", into=resolutions.in_release("1.0")),
    ),
    "a commit": (
        {
            "status": "resolved",
            "statusDetails": {"inCommit": {"commit": "1f0c3aa", "repository": "acme/shop"}},
        },
        Update(move="resolve", into=resolutions.in_commit("acme/shop", "1f0c3aa")),
    ),
    "reopening": ({"status": "unresolved"}, Update(move="reopen")),
    "ignoring": ({"status": "ignored"}, Update(move="ignore")),
    "sentry-cli's mute": ({"status": "muted", "snoozeDuration": None}, Update(move="ignore")),
    "empty details": ({"status": "ignored", "statusDetails": {}}, Update(move="ignore")),
    "conditions that are not set": ({"ignoreCount": None, "ignoreDuration": 0}, Update()),
    "for half an hour": (
        {"status": "ignored", "ignoreDuration": 30},
        Update(move="ignore", until=IgnoreWish(minutes=30)),
    ),
    "for half an hour, in sentry-cli's words": (
        {"status": "muted", "snoozeDuration": 30},
        Update(move="ignore", until=IgnoreWish(minutes=30)),
    ),
    "until so many in a window, in the details": (
        {"status": "ignored", "statusDetails": {"ignoreCount": 3, "ignoreWindow": 60}},
        Update(move="ignore", until=IgnoreWish(event_count=3, event_window=60)),
    ),
    "until so many users": (
        {"status": "ignored", "ignoreUserCount": 3, "ignoreUserWindow": 1440},
        Update(move="ignore", until=IgnoreWish(user_count=3, user_window=1440)),
    ),
    "until it gets worse": (
        {"status": "ignored", "substatus": "archived_until_escalating"},
        Update(move="ignore", until=IgnoreWish(until_worse=True)),
    ),
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
    "merging": ({"merge": True}, Update(fate="merge")),
    "discarding": ({"discard": True, "merge": False}, Update(fate="discard")),
    "having seen it": ({"hasSeen": True}, Update(seen=True)),
    "a priority": ({"priority": "low"}, Update(importance="low")),
    "the priority of its level": ({"priority": None}, Update(importance=BY_LEVEL)),
    "what has no effect": ({"inbox": True, "isPublic": False, "substatus": "ongoing"}, Update()),
    "all at once": (
        {"status": "resolved", "assignedTo": "team:3", "isSubscribed": True},
        Update(move="resolve", assignment=Assignment("team", "3"), subscribed=True),
    ),
}

REFUSED = {
    "a target without its status": ({"statusDetails": {"inRelease": "1.0"}}, "statusDetails"),
    "a target of another status": (
        {"status": "ignored", "statusDetails": {"inNextRelease": True}},
        "statusDetails",
    ),
    "two targets": (
        {"status": "resolved", "statusDetails": {"inNextRelease": True, "inRelease": "1.0"}},
        "statusDetails",
    ),
    "a target that contradicts the status": (
        {"status": "resolvedInNextRelease", "statusDetails": {"inRelease": "1.0"}},
        "statusDetails",
    ),
    "a release without a name": ({"status": "resolved", "statusDetails": {"inRelease": " "}}, "inRelease"),
    "a release that is no text": ({"status": "resolved", "statusDetails": {"inRelease": 4}}, "inRelease"),
    "the next release by name": (
        {"status": "resolved", "statusDetails": {"inNextRelease": "1.0"}},
        "inNextRelease",
    ),
    "a commit as text": ({"status": "resolved", "statusDetails": {"inCommit": "abc"}}, "inCommit"),
    "a commit of no repository": (
        {"status": "resolved", "statusDetails": {"inCommit": {"commit": "abc"}}},
        "inCommit",
    ),
    "an unknown status": ({"status": "done"}, "status"),
    "a status of another type": ({"status": ["resolved"]}, "status"),
    "a condition without its status": ({"ignoreDuration": 30}, "ignoreDuration"),
    "a condition for another status": ({"status": "resolved", "ignoreCount": 3}, "ignoreCount"),
    "a condition that is no number": ({"status": "ignored", "ignoreCount": "3"}, "ignoreCount"),
    "a condition that is true": ({"status": "ignored", "ignoreCount": True}, "ignoreCount"),
    "a condition below zero": ({"status": "muted", "statusDetails": {"ignoreWindow": -1}}, "ignoreWindow"),
    "details that are no object": ({"statusDetails": "x"}, "statusDetails"),
    "an assignee that is no text": ({"assignedTo": {"id": 5}}, "assignedTo"),
    "an assignee that is true": ({"assignedTo": True}, "assignedTo"),
    "a subscription that is no flag": ({"isSubscribed": "yes"}, "isSubscribed"),
    "an unknown priority": ({"priority": "urgent"}, "priority"),
    "a priority of another type": ({"priority": ["high"]}, "priority"),
    "a look that is no flag": ({"hasSeen": 1}, "hasSeen"),
    "a look that is neither": ({"hasSeen": None}, "hasSeen"),
    "a subscription that is neither": ({"isSubscribed": None}, "isSubscribed"),
    "a bookmark that is neither": ({"isBookmarked": None}, "isBookmarked"),
    "what would be public": ({"isPublic": True}, "isPublic"),
    "merging and something seen": ({"merge": True, "hasSeen": True}, "merge"),
    "an unknown member": ({"state": "resolved"}, "state"),
    "what is not offered": ({"explode": True}, "explode"),
    "merging and something else": ({"merge": True, "status": "resolved"}, "merge"),
    "two fates": ({"merge": True, "discard": True}, "merge"),
    "a fate that is no flag": ({"discard": "yes"}, "discard"),
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
