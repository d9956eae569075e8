"""What a person chose, and which choice is in force: built-in < instance < account < project."""

from collections.abc import Mapping
from dataclasses import dataclass

ALERTS, WORKFLOW, DEPLOYS = "alerts", "workflow", "deploys"
OWN_ACTIVITY, CLAIM, FATAL_RINGS, BATCHING = "own_activity", "claim", "fatal_rings", "batching"
HEALTH = "health"  # of integrations, for who looks after them

VALUES: Mapping[str, tuple[str, ...]] = {
    ALERTS: ("on", "off"),
    WORKFLOW: ("always", "participating", "never"),
    DEPLOYS: ("always", "mine", "never"),
    HEALTH: ("on", "off"),
    OWN_ACTIVITY: ("on", "off"),
    CLAIM: ("on", "off"),
    FATAL_RINGS: ("on", "off"),
    BATCHING: ("project", "15", "30", "60"),  # minutes
}
BUILT_IN: Mapping[str, str] = {
    ALERTS: "on",
    WORKFLOW: "always",
    DEPLOYS: "mine",
    HEALTH: "on",
    OWN_ACTIVITY: "off",
    CLAIM: "off",
    FATAL_RINGS: "on",
    BATCHING: "project",
}
PER_PROJECT = (ALERTS, WORKFLOW)
PER_ORGANIZATION = (DEPLOYS,)
# A switch for one kind of workflow change knows these.
SWITCH, SWITCHED_ON = ("on", "off"), "on"
# The words of a value on pages and in mails.
SHOWN: Mapping[str, str] = {
    "on": "On",
    "off": "Off",
    "always": "Always",
    "participating": "Only on issues I subscribe to",
    "mine": "Only with my commits",
    "never": "Never",
    "project": "As the project says",
    "15": "Every 15 minutes",
    "30": "Every 30 minutes",
    "60": "Every 60 minutes",
}
SOURCES: Mapping[str, str] = {
    "built-in": "built-in default",
    "instance": "instance default",
    "account": "from your account",
    "project": "your choice for this project",
    "organization": "your choice for this organization",
}


@dataclass(frozen=True, slots=True)
class InForce:
    """A value and the scope that it comes from."""

    value: str
    source: str


@dataclass(frozen=True, slots=True)
class Choices:
    """Everything about one person and one project that decides whether a message goes out."""

    alerts: InForce = InForce("on", "built-in")
    workflow: InForce = InForce("always", "built-in")
    wants_own: bool = False
    fatal_rings: bool = True
    kinds_off: frozenset[str] = frozenset()
    batching: InForce = InForce("project", "built-in")
    health: InForce = InForce("on", "built-in")
    deploys: InForce = InForce("mine", "built-in")


def in_force(
    category: str,
    *,
    kind: str = "",
    project: str | None = None,
    organization: str | None = None,
    account: str | None = None,
    instance: str | None = None,
) -> InForce:
    """The most specific choice that was made; None means that nothing was chosen at that scope."""
    chosen = (
        ("project", project),
        ("organization", organization),
        ("account", account),
        ("instance", instance),
    )
    for source, value in chosen:
        if value is not None:
            return InForce(value, source)
    return InForce(built_in(category, kind), "built-in")


def built_in(category: str, kind: str = "") -> str:
    """What holds as long as nobody has chosen anything."""
    return SWITCHED_ON if kind else BUILT_IN[category]


def values(category: str, kind: str = "") -> tuple[str, ...]:
    """What can be chosen."""
    return SWITCH if kind else VALUES[category]
