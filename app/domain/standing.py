"""The sentence that says whether an issue reaches its reader, and why."""

from collections.abc import Iterable, Mapping

from app.domain import changes
from app.domain.preferences import SOURCES, InForce
from app.domain.routing import Reason

# Why somebody is subscribed, said to themselves.
TIES: Mapping[str, str] = {
    Reason.RESUBSCRIBED: "you were subscribed again",
    Reason.ASSIGNED: "it is assigned to you",
    Reason.TEAM_ASSIGNED: "it is assigned to your team",
    Reason.MENTION: "you were mentioned",
    Reason.TEAM_MENTION: "your team was mentioned",
    Reason.COMMENTED: "you commented",
    Reason.PARTICIPATED: "you changed its status",
    Reason.COMMITTER: "a commit of yours was said to fix it",
    Reason.SUBSCRIBED: "you subscribed",
    Reason.BOOKMARKED: "you bookmarked it",
    Reason.RELEASE_WATCHED: "you watched the release in which it was first seen",
}
_TURNED_OFF: Mapping[str, str] = {
    "project": "You turned workflow mail off for {project}",
    "account": "You turned workflow mail off for your account",
    "instance": "Workflow mail is off here ({source})",
    "built-in": "Workflow mail is off ({source})",
}


def standing(
    state: str,
    *,
    project: str,
    workflow: InForce,
    alerts: InForce,
    reasons: Iterable[str] = (),
    since: str = "",
    via: str | None = None,
) -> str:
    """Whether an issue reaches its reader, and why; `since` and `via` say when and how they left it."""
    no_alerts = f"alerts are off ({SOURCES[alerts.source]})"
    alerts_on = alerts.value == "on"
    if state == "subscribed":
        ties = ", ".join(TIES.get(reason, reason) for reason in reasons)
        return f"You’re subscribed: {ties}." + ("" if alerts_on else f" But {no_alerts}.")
    if state == "always":
        said = f"Workflow is Always ({SOURCES[workflow.source]})"
        what = "everything" if alerts_on else "every change"
        still = f"You’re not subscribed, but you still get {what} in {project}: {said}"
        return f"{still}." if alerts_on else f"{still}; {no_alerts}."
    if state == "alerts_only":
        what = "only alerts reach you" if alerts_on else f"nothing about it reaches you, for {no_alerts}"
        return f"You’re not subscribed: {what}."
    if state == "unsubscribed":
        way = changes.WAYS.get(via or "", "")
        how = ", ".join(part for part in ("Unsubscribed by you", since, way) if part)
        return f"{how}: nothing about this issue reaches you."
    if state == "off":
        off = _TURNED_OFF[workflow.source].format(project=project, source=SOURCES[workflow.source])
        return f"{off}; alerts still reach you." if alerts_on else f"{off}, and {no_alerts} too."
    return f"You are in no team of {project}, so nothing about it is sent to you."
