"""Words for notification settings: what they are called, how they were changed, from what to what."""

from collections.abc import Mapping

from app.domain.preferences import (
    ALERTS,
    BATCHING,
    CLAIM,
    DEPLOYS,
    FATAL_RINGS,
    HEALTH,
    OWN_ACTIVITY,
    SHOWN,
    SOURCES,
    WORKFLOW,
)

CATEGORIES: Mapping[str, str] = {
    ALERTS: "Alerts",
    WORKFLOW: "Workflow",
    DEPLOYS: "Deploys",
    HEALTH: "Integration health",
    OWN_ACTIVITY: "My own activity",
    CLAIM: "Claim unassigned issues I’ve resolved",
    FATAL_RINGS: "Fatal alerts in quiet hours",
    BATCHING: "Batching of alerts",
    "subscription": "Subscription",
    "mute": "Mute",
    "rule_mute": "Mute of an alert rule",
    "watch": "Release watch",
    "rule": "Alert rule",
    "quiet_hours": "Quiet hours",
    "on_call": "On call",
    "route": "Delivery address",
    "address": "Email addresses",
    "pause": "Maintenance",
    "explanation": "Explanation",
    "token": "API tokens",
}
NOTES: Mapping[str, str] = {
    ALERTS: "An alert rule fired for an error.",
    WORKFLOW: "Somebody acted on an issue, or it came back.",
    DEPLOYS: "A release was deployed.",
    HEALTH: "An integration of a project I look after, or of a rule I made, stopped working.",
    OWN_ACTIVITY: "What I did myself.",
    CLAIM: "An issue that nobody has becomes mine when I resolve it.",
    FATAL_RINGS: "Fatal alerts reach me in my quiet hours too.",
    BATCHING: "After a first alert the rest come together. My window is never shorter than the project’s.",
}
# Workflow kind → its name, and when it rings.
KINDS: Mapping[str, tuple[str, str]] = {
    "assignment": ("Assignments", "An issue is given to somebody, or taken from them."),
    "comments": ("Comments", "Somebody comments. A comment that mentions you always comes."),
    "resolution": ("Resolved and reopened", "Somebody resolves an issue, or opens it again."),
    "regression": ("Regressions", "A resolved issue happens again."),
    "ignore": ("Ignores that end", "An ignored issue got worse, or its time is over."),
    "rules": ("Alert rules", "Somebody changes or deletes an alert rule that I made, or that names me."),
}
# By which way somebody changed something; "web", the usual one, needs no words.
WAYS: Mapping[str, str] = {
    "one-click": "by one-click in email",
    "mail link": "through a link in email",
    "email": "by email",
    "api": "through the API",
    "system": "by assignment or mention",
    "command line": "from the command line",
}
_STATES: Mapping[str | None, str] = {
    **{value: words for value, words in SHOWN.items()},
    "subscribed": "subscribed",
    "unsubscribed": "unsubscribed",
    None: "Default",
}


def name(category: str, kind: str = "", where: str | None = None) -> str:
    """What a setting is called: "Alerts for checkout"."""
    called = KINDS[kind][0] if kind else CATEGORIES.get(category, category)
    return f"{called} for {where}" if where else called


def value(chosen: str | None) -> str:
    """What was chosen, in the words of the pages."""
    return _STATES.get(chosen, chosen or "")


def choice(value: str) -> str:
    """A value short enough for a menu."""
    return {"participating": "Only subscribed", "mine": "Only mine"}.get(value) or SHOWN[value]


def source(scope: str, by: str | None) -> str:
    """Where a value comes from that was not chosen here: "instance default, set by Ana"."""
    words = SOURCES[scope]
    return f"{words}, set by {by}" if by and scope == "instance" else words


# What was done with one of a person's addresses.
_ADDRESSES: Mapping[str | None, str] = {
    "added": "added, not verified yet",
    "verified": "verified",
    "primary": "made the primary address",
    "removed": "removed",
}


def sentence(
    category: str,
    kind: str,
    where: str | None,
    old: str | None,
    new: str | None,
    detail: Mapping[str, object] | None = None,
) -> str:
    """A change of a setting: "Alerts for checkout: On → Off"; or who looked at it.

    What has more to it than a value stands in `detail`, as `old` and `new`.
    """
    if category == "explanation":
        return f"Somebody looked up why you were told or not: {where}" if where else "Somebody looked you up"
    if category == "address":
        return f"{where}: {_ADDRESSES[new]}"
    if category == "token":
        return f"API token {(detail or {}).get('token', '')}{(where and f' of {where}') or ''}: {new}"
    if category in ("rule", "rule_mute"):
        return f"Alert rule {where}: {(detail or {}).get('new', '')}"
    said = {"old": value(old), "new": value(new), **(detail or {})}
    return f"{name(category, kind, where)}: {said['old']} → {said['new']}"


# What everybody who chose nothing gets, once this is the default: of one category, in one sentence.
_EFFECTS: Mapping[tuple[str, str], str] = {
    (ALERTS, "on"): "will get alerts by mail",
    (ALERTS, "off"): "will stop getting alerts by mail",
    (WORKFLOW, "always"): "will get mail about every workflow change in their projects",
    (WORKFLOW, "participating"): "will get workflow mail about issues that they subscribe to, and no other",
    (WORKFLOW, "never"): "will stop getting workflow mail",
    (DEPLOYS, "always"): "will get mail about every deploy in their organizations",
    (DEPLOYS, "mine"): "will get mail about deploys with commits of theirs, and no other",
    (DEPLOYS, "never"): "will stop getting mail about deploys",
    (HEALTH, "on"): "will get mail about integrations of theirs that do not work",
    (HEALTH, "off"): "will stop getting mail about integrations that do not work",
    (OWN_ACTIVITY, "on"): "will get mail about what they do themselves",
    (OWN_ACTIVITY, "off"): "will stop getting mail about what they do themselves",
    (CLAIM, "on"): "will get unassigned issues that they resolve assigned",
    (CLAIM, "off"): "will no longer get unassigned issues that they resolve assigned",
    (FATAL_RINGS, "on"): "will get fatal alerts in their quiet hours too",
    (FATAL_RINGS, "off"): "will get fatal alerts only after their quiet hours",
    (BATCHING, "project"): "will get alerts together as often as each project says",
    **{
        (
            BATCHING,
            minutes,
        ): f"will get alerts together every {minutes} minutes, or as seldom as a project says"
        for minutes in ("15", "30", "60")
    },
}


def effect(category: str, kind: str, value: str, people: int) -> str:
    """What a new default does to so many people: "28 people will stop getting workflow mail."""
    if kind:
        what = f"workflow mail of the kind “{KINDS[kind][0]}”"
        does = f"will get {what}" if value == "on" else f"will stop getting {what}"
    else:
        does = _EFFECTS[category, value]
    who = {0: "Nobody", 1: "1 person"}.get(people, f"{people} people")
    return f"{who} {does}."
