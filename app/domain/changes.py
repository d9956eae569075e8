"""Words for notification settings: what they are called, how they were changed, from what to what."""

from collections.abc import Mapping

from app.domain.preferences import ALERTS, CLAIM, DEPLOYS, FATAL_RINGS, OWN_ACTIVITY, SHOWN, WORKFLOW

CATEGORIES: Mapping[str, str] = {
    ALERTS: "Alerts",
    WORKFLOW: "Workflow",
    DEPLOYS: "Deploys",
    OWN_ACTIVITY: "My own activity",
    CLAIM: "Claim what I resolve",
    FATAL_RINGS: "Fatal alerts in quiet hours",
    "subscription": "Subscription",
    "explanation": "Explanation",
}
NOTES: Mapping[str, str] = {
    ALERTS: "An alert rule fired for an error.",
    WORKFLOW: "Somebody acted on an issue, or it came back.",
    DEPLOYS: "A release was deployed.",
    OWN_ACTIVITY: "What I did myself.",
    CLAIM: "An issue that nobody has becomes mine when I resolve it.",
    FATAL_RINGS: "Fatal alerts reach me in my quiet hours too.",
}
# Workflow kind → its name, and when it rings.
KINDS: Mapping[str, tuple[str, str]] = {
    "assignment": ("Assignments", "An issue is given to somebody, or taken from them."),
    "comments": ("Comments", "Somebody comments. A comment that mentions you always comes."),
    "resolution": ("Resolved and reopened", "Somebody resolves an issue, or opens it again."),
    "regression": ("Regressions", "A resolved issue happens again."),
    "ignore": ("Ignores that end", "An ignored issue got worse, or its time is over."),
}
WAYS: Mapping[str, str] = {
    "one-click": "by one-click in email",
    "mail link": "through a link in email",
    "api": "through the API",
    "system": "by assignment or mention",
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
    return "Only subscribed" if value == "participating" else SHOWN[value]


def sentence(category: str, kind: str, where: str | None, old: str | None, new: str | None) -> str:
    """A change of a setting: "Alerts for checkout: On → Off"; or who looked at it."""
    if category == "explanation":
        return f"Somebody looked up why you were told or not: {where}" if where else "Somebody looked you up"
    return f"{name(category, kind, where)}: {value(old)} → {value(new)}"
