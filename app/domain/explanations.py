"""The sentences of Explain: why a notice exists, and why somebody else was told.

Mails and one's own line speak to the reader ("you commented"); everybody else's line needs the third person.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from app.domain.kinds import ALERTS, DEPLOYS, KINDS, OUTWARD, RULE_CHANGED, WORKFLOW
from app.domain.routing import Outcome, Reason
from app.domain.wording import REASONS, THEIR_OWN, said

# Kind of notice → why there is one. Facts: actor, rule, event, to, was, version, how, cause, asker, tested;
# all fit for a sentence.
ORIGINS: Mapping[str, str] = {
    "alert.new": "{rule} fired for event {event}, the first of this issue.",
    "alert.regression": "{rule} fired for event {event}, with which this resolved issue came back.",
    "alert.again": "{rule} fired for event {event}.",
    "regression": "Event {event}{version} reopened this issue, which was resolved.",
    "resolved": "{actor} resolved this issue{how}.",
    "reopened": "{actor} reopened this issue{how}.",
    "unignored": "This issue is no longer ignored: {cause}.",
    "ignored": "{actor} ignored this issue.",
    "deleted": "{actor} deleted this issue, or merged it into another one.",
    "assigned": "{actor} assigned this issue to {to}.",
    "unassigned": "{actor} took this issue from {was}.",
    "comment": "{actor} commented on this issue.",
    "digest": "{summary}",
    "storm": "More than 20 new issues came up in {project} within 10 minutes.",
    "deploy": "{actor} deployed release {release} to {environment}.",
    "test": "{asker} asked for a test{tested}.",
    "integration_off": "{integration} does not work any more.",
    RULE_CHANGED: "{did}.",
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
    "ignored": "Somebody ignored an issue. Integrations are told, people are not.",
    "deleted": "Somebody deleted an issue, or merged it. Integrations are told, people are not.",
    "digest": "Several messages for you came as one.",
    "storm": "More than 20 new issues came up in a project within 10 minutes. Told again every hour.",
    "assigned": "An issue was assigned to a person or a team.",
    "unassigned": "An issue was taken from whoever had it.",
    "comment": "Somebody commented on an issue.",
    "deploy": "A release was deployed.",
    "test": "You asked for a test message.",
    "integration_off": "An integration of your project does not work any more.",
    RULE_CHANGED: "Somebody changed or deleted an alert rule that you made, or that names you or your team.",
    "sign_in": "Somebody asked for a link that signs you in.",
    "invite": "Somebody invited you to their organization.",
    "reply_refused": "You answered a mail, and the answer could not be posted.",
    "verify": "An address was added to your account, and waits to be confirmed.",
    "address_verified": "Another address of your account was verified.",
    "primary_changed": "Another address became the primary one of your account.",
    "token_made": "A token for the API was made by your account.",
}

# Facts as in `wording.REASONS`.
OF_OTHERS: Mapping[Reason, str] = {
    Reason.REQUIRED: "admins of {project} require the alert rule “{rule}”, so it ignores {despite}",
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
    Reason.RELEASE_WATCHED: "they watched {born}, in which this issue was first seen",
    Reason.OWNER_RULE: "issue owners line {line}{owner} names them",
    Reason.TEAM_OWNER_RULE: "issue owners line {line}{owner} names {team}",
    Reason.RULE_AUTHOR: "they made the alert rule “{rule}”",
    Reason.RULE_MEMBER: "the alert rule “{rule}” {sends} to them",
    Reason.RULE_TEAM: "the alert rule “{rule}” {sends} to {team}",
    Reason.RULE_INTEGRATION: "the alert rule “{rule}” sends to {integration}",
    Reason.FALLBACK_ALL: "{nobody}, so {everyone} told",
    Reason.WORKFLOW_ALWAYS: "they get all workflow changes in {project} ({scope})",
    Reason.COMMITTER: "{committed} of theirs",
    Reason.DEPLOYS_ALL: "they get all deploys in {organization} ({scope})",
}
# The same of what has not happened: facts everyone (the subject alone) and those of `wording.REASONS`.
IF_NOW: Mapping[Reason, str] = {
    Reason.ASSIGNED: "the issue would be yours",
    Reason.MENTION: "you would be mentioned",
    Reason.FALLBACK_ALL: "no owner rule matches, so {everyone} told",
}
# Category, or kind → why everybody in a team that has the project is considered, or those few.
AUDIENCES: Mapping[str, str] = {
    ALERTS: "they are whom the rule tells",
    WORKFLOW: "workflow changes go to whoever chose Always or follows the issue",
    DEPLOYS: "deploys go to whoever chose Always, or has commits in the release",
    RULE_CHANGED: "they made the rule, or it names them or their team, now or before",
}

# Kind → who is considered, where that is no audience of members. Facts: project.
FEW: Mapping[str, str] = {
    "test": "whoever asked for the test, and where it was to go",
    "integration_off": "admins of {project}, and whoever made a rule that sends to it",
}
# Kind → why somebody was told whose verdict holds no reason. Facts as in `ORIGINS`.
UNREASONED: Mapping[str, str] = {
    "test": "{asker} asked for it",
    "integration_off": "admins of {project} are told, and whoever made a rule that sends to it",
}
OF_INTEGRATION = "messages of this kind are sent to it"

# Says how somebody set up their own notifications, or what they did for themselves.
PRIVATE = frozenset(
    {
        Reason.REQUIRED,
        Reason.WORKFLOW_ALWAYS,
        Reason.RESUBSCRIBED,
        Reason.BOOKMARKED,
        Reason.RELEASE_WATCHED,
        Reason.DEPLOYS_ALL,
    }
)


# Outcome of a verdict → what it means, for the help page.
OUTCOMES: Mapping[Outcome, str] = {
    Outcome.SEND: "Told at once. What became of the message stands beside it.",
    Outcome.DEFER: "Held, and told later with what else is held: nothing is dropped. It is decided again "
    "before it goes out, and what nobody wants any more by then is not sent.",
    Outcome.SKIP: "Not told, with the code of what decided.",
    Outcome.COLLAPSE: "Told with another notice about the same event or change, which it leads to.",
}


def origin(kind: str, facts: Mapping[str, Any]) -> str:
    """Why the notice exists, as a sentence."""
    return ORIGINS[kind].format_map(facts)


def audience(kind: str, members: int, project: str, told: Sequence[str] = ()) -> str:
    """Who was considered, and why they: "12 members of checkout, because …".

    `told`: whom an alert's rule names, as `targets` says it.
    """
    if kind in FEW:
        return FEW[kind].format(project=project)
    concern = kind if kind in AUDIENCES else KINDS[kind].category
    if concern not in AUDIENCES:
        return ""
    if not members:
        return f"no people, because the rule tells {'; '.join(told)}" if told else "integrations, no people"
    people = f"{members} member of {project}" if members == 1 else f"{members} members of {project}"
    because = f"the rule tells {'; '.join(told)}" if told else AUDIENCES[concern]
    return f"{people}, because {because}"


def nobody(kind: str, told: Sequence[str]) -> str:
    """Why nobody was considered; `told` as in `audience`."""
    if kind == RULE_CHANGED:
        return "Nobody was considered: nobody who is here made the rule, and it names no person or team."
    if KINDS[kind].category == OUTWARD:
        return "Nobody was considered: of this integrations are told, and no people."
    if told:
        return f"Nobody was considered: the rule tells {'; '.join(told)}."
    return "Nobody was considered: the project had no members then."


def versions(rule: int | None, owners: int | None) -> str:
    """What was asked, as it was then: "version 7 of the rule, version 3 of the issue owners"."""
    asked = ((rule, "of the rule"), (owners, "of the issue owners"))
    return ", ".join(f"version {number} {of}" for number, of in asked if number)


def unreasoned(kind: str, facts: Mapping[str, Any], *, is_person: bool) -> str:
    """Why somebody, or an integration, was told of what needs no reason of their own."""
    words = UNREASONED.get(kind, "" if is_person else OF_INTEGRATION)
    return words.format_map(facts)


def reason_if_now(reasons: Sequence[Reason], facts: Mapping[str, Any]) -> str:
    """Why somebody would be told, the strongest reason alone: to follow "because"."""
    return said({**REASONS, **IF_NOW}, reasons[0], facts)


def reasons_of_others(reasons: Iterable[str], facts: Mapping[str, Any], *, private: bool) -> tuple[str, ...]:
    """Why somebody else was told, the strongest reason first; with `private` also what only they set up."""
    known = [Reason(reason) for reason in reasons]
    told = [reason for reason in known if private or reason not in PRIVATE]
    shown = [_of_others(said(OF_OTHERS, reason, facts)) for reason in told]
    if known and not shown:
        return (THEIR_OWN.rstrip(".").lower(),)
    return tuple(shown)


def _of_others(sentence: str) -> str:
    """What facts say in the second person."""
    for ours, theirs in _TURNED.items():
        sentence = sentence.replace(ours, theirs)
    return sentence


_TURNED: Mapping[str, str] = {
    "your team": "their team",
    "your Off for": "their Off for",
    "that you muted it": "that they muted it",
    "that it was your own doing": "that it was their own doing",
}
