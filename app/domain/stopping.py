"""What the link in a mail can stop, as one table; and as little of an address as its owner needs."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from app.domain.mail_tokens import SCOPES as NAMES
from app.domain.preferences import ALERTS, DEPLOYS, HEALTH, WORKFLOW

# Category → the value with which nothing of it comes any more.
STOPPED: Mapping[str, str] = {ALERTS: "off", WORKFLOW: "never", DEPLOYS: "never", HEALTH: "off"}
# The workflow kind that the link in the mail about a changed rule stops, and the value that does.
RULES, KIND_OFF = "rules", "off"


@dataclass(frozen=True, slots=True)
class Scope:
    """One thing to stop. The words may name {issue}, {project} and {organization}."""

    name: str
    choice: str
    question: str
    done: str
    still: str


SCOPES: Mapping[str, Scope] = {
    scope.name: scope
    for scope in (
        Scope(
            "issue",
            "Only this issue",
            "Stop email about {issue}?",
            "No more email about {issue}.",
            "Other mail from {project} still comes. Being assigned this issue or mentioned in it later "
            "subscribes you again.",
        ),
        Scope(
            "issue_week",
            "Only this issue, for one week",
            "Stop email about {issue} for a week?",
            "No email about {issue} for a week.",
            "Other mail from {project} still comes, and in a week mail about {issue} does again.",
        ),
        Scope(
            "project_alerts",
            "All alerts from {project}",
            "Stop alerts from {project}?",
            "No more alerts from {project}.",
            "Workflow email from {project}, such as comments, still comes.",
        ),
        Scope(
            "project_workflow",
            "All workflow email from {project}",
            "Stop workflow email from {project}?",
            "No more workflow email from {project}.",
            "Alerts from {project} still come.",
        ),
        Scope(
            "all_alerts",
            "All alerts, every project",
            "Stop all alerts?",
            "No more alerts from any project.",
            "Workflow email, such as comments, still comes.",
        ),
        Scope(
            "all_workflow",
            "All workflow email, every project",
            "Stop all workflow email?",
            "No more workflow email from any project.",
            "Alerts still come.",
        ),
        Scope(
            "all_health",
            "Mail about integrations that fail, every project",
            "Stop email about integrations that fail?",
            "No more email about integrations that fail.",
            "Alerts that an integration misses still come to who looks after it.",
        ),
        Scope(
            "organization_deploys",
            "All deploys of {organization}",
            "Stop email about deploys of {organization}?",
            "No more email about deploys of {organization}.",
            "Alerts and workflow email still come.",
        ),
        Scope(
            "all_deploys",
            "All deploys, every organization",
            "Stop email about deploys?",
            "No more email about deploys of any organization.",
            "Alerts and workflow email still come.",
        ),
        Scope(
            "rule_changes",
            "Mail about changed alert rules, every project",
            "Stop email about changed alert rules?",
            "No more email about changed alert rules.",
            "Alerts and other workflow email still come.",
        ),
        Scope(
            "everything",
            "Everything except security mail",
            "Stop all email except security mail?",
            "No more email except security mail.",
            "Sign-in links and invitations still come.",
        ),
    )
}


# Of no interest to who wants to leave something else.
APART = ("all_health", "organization_deploys", "all_deploys", "rule_changes")


def choices(own: str, stopped: Collection[str] = ()) -> tuple[str, ...]:
    """The scopes that a link with this scope of its own offers: itself first, then all that are wider.

    A week of silence is none for an issue that was left for good: it promises mail that will not come.
    """
    milder = ("issue_week",) if own == "issue" and "issue" not in stopped else ()
    if own in APART:
        more = ("all_deploys",) if own == "organization_deploys" else ()
        return (own, *more, "everything")
    wider = [name for name in NAMES if name not in (own, *APART) and _width(name) >= _width(own)]
    return (own, *milder, *wider)


# What goes without saying once the wider scope is stopped.
_COVERS: Mapping[str, Collection[str]] = {
    "issue": ("issue_week",),
    "all_alerts": ("project_alerts",),
    "all_workflow": ("project_workflow",),
    "all_deploys": ("organization_deploys",),
    "everything": tuple(name for name in SCOPES if name != "everything"),
}


def besides(done: str, stopped: Collection[str]) -> list[str]:
    """What is stopped apart from what was just done, the widest words for it only."""
    others = [name for name in SCOPES if name in stopped and name != done]
    said = {covered for name in (done, *others) for covered in _COVERS.get(name, ())}
    return [name for name in others if name not in said]


def _width(name: str) -> int:
    """Issue, project, account."""
    return 0 if name == "issue" else 1 if name.startswith("project_") else 2


def masked(address: str) -> str:
    """Enough for its owner to know it: "pr•••@example.com"."""
    local, _, domain = address.partition("@")
    return f"{local[: 2 if len(local) > 2 else 1]}•••@{domain}"
