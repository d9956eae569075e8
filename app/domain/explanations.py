"""The sentences of Explain: why a notice exists, and why somebody else was told.

Mails and one's own line speak to the reader ("you commented"); everybody else's line needs the third person.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from app.domain.routing import GATES, Reason
from app.domain.wording import THEIR_OWN, UNKNOWN

# Kind of notice → why there is one. Facts: actor, rule, event, to, was, version; all fit for a sentence.
ORIGINS: Mapping[str, str] = {
    "alert.new": "{rule} fired for event {event}, the first of this issue.",
    "alert.regression": "{rule} fired for event {event}, with which this resolved issue came back.",
    "alert.again": "{rule} fired for event {event}.",
    "regression": "Event {event}{version} reopened this issue, which was resolved.",
    "resolved": "{actor} resolved this issue.",
    "reopened": "{actor} reopened this issue.",
    "unignored": "The ignoring of this issue ended by itself.",
    "assigned": "{actor} assigned this issue to {to}.",
    "unassigned": "{actor} took this issue from {was}.",
    "comment": "{actor} commented on this issue.",
    "test": "You asked for a test message.",
}

# Kind of notice → when there is one, for the help page.
OCCASIONS: Mapping[str, str] = {
    "alert.new": "An alert rule fired for the first event of an issue.",
    "alert.regression": "An alert rule fired for an event of an issue that was resolved.",
    "alert.again": "An alert rule fired for another event of an issue.",
    "regression": "An event reopened an issue that was resolved.",
    "resolved": "Somebody resolved an issue.",
    "reopened": "Somebody reopened an issue that was resolved or ignored.",
    "unignored": "The condition with which an issue was ignored was met, or its time was over.",
    "digest": "Several messages for you came as one.",
    "assigned": "An issue was assigned to a person or a team.",
    "unassigned": "An issue was taken from whoever had it.",
    "comment": "Somebody commented on an issue.",
    "test": "You asked for a test message.",
    "sign_in": "Somebody asked for a link that signs you in.",
    "invite": "Somebody invited you to their organization.",
    "verify": "An address was added to your account, and waits to be confirmed.",
}

# Facts as in `wording.REASONS`.
OF_OTHERS: Mapping[Reason, str] = {
    Reason.RESUBSCRIBED: "being {doing} subscribed them to this issue again",
    Reason.ASSIGNED: "this issue is assigned to them",
    Reason.TEAM_ASSIGNED: "this issue is assigned to {team}",
    Reason.MENTION: "{mentioner} mentioned them",
    Reason.TEAM_MENTION: "{mentioner} mentioned {team}",
    Reason.UNASSIGNED: "they were assigned until {actor} changed it",
    Reason.COMMENTED: "they commented on this issue",
    Reason.PARTICIPATED: "they resolved, ignored or reopened this issue",
    Reason.SUBSCRIBED: "they subscribed to this issue",
    Reason.BOOKMARKED: "they bookmarked this issue",
    Reason.FALLBACK_ALL: "no owner rule matched, so {everyone} told",
    Reason.WORKFLOW_ALWAYS: "they get all workflow changes in {project} ({scope})",
}
# Says how somebody set up their own notifications.
PRIVATE = frozenset({Reason.WORKFLOW_ALWAYS})


def origin(kind: str, facts: Mapping[str, Any]) -> str:
    """Why the notice exists, as a sentence."""
    return ORIGINS[kind].format_map(facts)


def reasons_of_others(reasons: Iterable[str], facts: Mapping[str, Any], *, private: bool) -> tuple[str, ...]:
    """Why somebody else was told, the strongest reason first; with `private` also what only they set up."""
    known = [Reason(reason) for reason in reasons]
    team = str(facts.get("team", UNKNOWN["team"])).replace("your team", "their team")
    said = {**UNKNOWN, **facts, "team": team}
    shown = [OF_OTHERS[reason].format_map(said) for reason in known if private or reason not in PRIVATE]
    if known and not shown:
        return (THEIR_OWN.rstrip(".").lower(),)
    return tuple(shown)


def ladder(code: str) -> tuple[tuple[str, bool], ...]:
    """Every question that was asked, with its answer, up to the one that decided.

    Empty when the decision fell outside the ladder, because of the notice itself.
    """
    codes = [gate.code for gate in GATES]
    if code == "send":
        return tuple((gate.question, False) for gate in GATES)
    if code not in codes:
        return ()
    asked = GATES[: codes.index(code) + 1]
    return tuple((gate.question, gate.code == code) for gate in asked)
