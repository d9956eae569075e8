"""Every kind of notice, and which activity makes which: one table each, read by everything."""

from dataclasses import dataclass
from datetime import timedelta

from app.domain.lifecycle import IGNORED

ALERTS, WORKFLOW, SECURITY, TEST = "alerts", "workflow", "security", "test"
HEALTH = "health"  # of integrations
DEPLOYS = "deploys"
OUTWARD = "outward"  # for integrations alone: no person is told
RULE_CHANGED = "rule_changed"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of notice.

    `switch` is the workflow kind with which a person turns it off (`experience.md` 2.2); `word` is the
    state word of its mail; `carries` orders notices that belong together: the highest takes others along;
    `lasts` is how long its message is worth sending. `integration` is the checkbox with which an integration
    asks for it, "" if none gets it; `webhook` is the type of its webhook.
    """

    name: str
    category: str
    word: str
    template: str
    switch: str | None = None
    carries: int = 0
    in_thread: bool = True
    lasts: timedelta = timedelta(hours=24)
    integration: str = ""
    webhook: str = ""


KINDS = {
    kind.name: kind
    for kind in (
        Kind("alert.new", ALERTS, "New", "alert", carries=1, integration="new", webhook="issue.created"),
        Kind(
            "alert.regression",
            ALERTS,
            "Regressed",
            "alert",
            carries=1,
            integration="regression",
            webhook="issue.regressed",
        ),
        Kind(
            "alert.again", ALERTS, "Again", "alert", carries=1, integration="again", webhook="issue.alerted"
        ),
        Kind("regression", WORKFLOW, "Regressed", "regression", "regression", carries=2),
        Kind(
            "resolved",
            WORKFLOW,
            "Resolved",
            "resolved",
            "resolution",
            carries=1,
            integration="resolved",
            webhook="issue.resolved",
        ),
        Kind("reopened", WORKFLOW, "Reopened", "reopened", "resolution"),
        Kind(
            "unignored",
            WORKFLOW,
            "No longer ignored",
            "unignored",
            "ignore",
            carries=2,
            integration="unignored",
            webhook="issue.unignored",
        ),
        Kind("ignored", OUTWARD, "Ignored", "", integration="ignored", webhook="issue.ignored"),
        Kind(
            "deleted", OUTWARD, "Deleted", "", in_thread=False, integration="deleted", webhook="issue.deleted"
        ),
        Kind(
            "assigned",
            WORKFLOW,
            "Assigned",
            "assigned",
            "assignment",
            integration="assigned",
            webhook="issue.assigned",
        ),
        Kind("unassigned", WORKFLOW, "Unassigned", "unassigned", "assignment"),
        Kind(
            "comment",
            WORKFLOW,
            "Comment",
            "comment",
            "comments",
            integration="comment",
            webhook="issue.commented",
        ),
        Kind(
            "digest",
            WORKFLOW,
            "Digest",
            "digest",
            in_thread=False,
            integration="digest",
            webhook="digest",
        ),
        Kind(
            "storm",
            ALERTS,
            "Storm",
            "storm",
            in_thread=False,
            integration="digest",
            webhook="digest",
        ),
        Kind(RULE_CHANGED, WORKFLOW, "Rule changed", "rule_changed", "rules", in_thread=False),
        Kind("test", TEST, "Test", "test", in_thread=False, integration="test", webhook="webhook.test"),
        Kind("deploy", DEPLOYS, "Deployed", "deploy", in_thread=False),
        Kind("integration_off", HEALTH, "Broken", "integration_off", in_thread=False),
        Kind("sign_in", SECURITY, "Sign in", "sign_in", in_thread=False, lasts=timedelta(minutes=15)),
        Kind("invite", SECURITY, "Invitation", "invite", in_thread=False),
        Kind("verify", SECURITY, "Verify", "verify", in_thread=False),
        Kind("address_verified", SECURITY, "Address added", "address_verified", in_thread=False),
        Kind("primary_changed", SECURITY, "Address changed", "primary_changed", in_thread=False),
        Kind("token_made", SECURITY, "Token made", "token_made", in_thread=False),
        Kind("reply_refused", SECURITY, "Not posted", "reply_refused", in_thread=False),
    )
}

# Type of an issue’s activity → the notice it makes. Ignoring exists to reduce noise: no person is told of it.
NOTICE_OF_ACTIVITY: dict[str, str | None] = {
    "set_resolved": "resolved",
    "set_resolved_in_release": "resolved",
    "set_resolved_in_commit": "resolved",
    "set_resolved_by_age": "resolved",
    "set_resolved_by_recovery": "resolved",
    "referenced_in_commit": None,
    "commit_refuted": None,
    "refutation_withdrawn": None,
    "set_unresolved": "reopened",
    "set_ignored": "ignored",
    "set_regression": "regression",
    "note": "comment",
    "note_deleted": None,
    "assigned": "assigned",
    "unassigned": "unassigned",
    "merge": None,
    "set_priority": None,
}
# The activities after which an issue is resolved.
RESOLVING = tuple(name for name, kind in NOTICE_OF_ACTIVITY.items() if kind == "resolved")
# Only what some kind answers to: a switch that switches nothing is a lie.
WORKFLOW_SWITCHES = ("assignment", "resolution", "regression", "comments", "ignore", "rules")


def notice_of(activity: str, *, by_tocsin: bool, was: str | None) -> str | None:
    """The kind of notice that an activity makes, if any; `was` is the state that was left.

    An ignore that ended by itself is told as what it is, not as somebody's reopening.
    """
    if activity == "set_unresolved" and by_tocsin and was == IGNORED:
        return "unignored"
    return NOTICE_OF_ACTIVITY[activity]


# The checkboxes of an integration: what it may be sent, and what it is sent unless somebody says otherwise.
INTEGRATION_KINDS = {
    "new": "New issues",
    "regression": "Regressions",
    "again": "Further alerts about an issue",
    "digest": "Summaries of storms and maintenance",
    "resolved": "Resolved",
    "ignored": "Ignored",
    "unignored": "Ignores that end",
    "assigned": "Assignments",
    "comment": "Comments",
    "deleted": "Deleted, or merged into another issue",
}
USUAL_INTEGRATION_KINDS = ("new", "regression", "again", "digest")
# What opens an incident on a service that pages, and what closes it.
OPENING = ("new", "regression", "again")
CLOSING = ("resolved", "ignored", "deleted")
