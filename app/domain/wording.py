"""The sentences for reasons, codes and reach: one table each, for mails, pages, API and help alike.

Reason and outcome codes are a public contract (`experience.md` 1.9 and 2.3).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from app.domain import changes, delivery_states
from app.domain.clocks import Clock
from app.domain.kinds import INTEGRATION_KINDS
from app.domain.preferences import SHOWN, SOURCES
from app.domain.routing import Outcome, Reason

# What a sentence says when the notice at hand is not the one that tied the person to the issue.
UNKNOWN = {
    "actor": "Tocsin",
    "mentioner": "somebody",
    "team": "your team",
    "doing": "assigned",
    "scope": "",
    "rule": "an alert rule",
    "sends": "sends",
    "line": "?",
    "owner": "",
    "integration": "an integration",
    "project": "the project",
    "nobody": "no owner rule matched",
    "everyone": "all members were",
    "which": "this release",
    "born": "the release",
    "committed": "this issue was said to be fixed by a commit",
    "organization": "the organization",
}
# Facts: project, everyone, actor, mentioner, team, doing, born; of a rule's alert those of `targets`: rule,
# line, owner, nobody; all are text fit for a sentence.
REASONS: Mapping[Reason, str] = {
    Reason.REQUIRED: "admins of {project} require the alert rule “{rule}”, so it ignores {despite}",
    Reason.RESUBSCRIBED: "being {doing} subscribed you to this issue again",
    Reason.ASSIGNED: "this issue is assigned to you",
    Reason.TEAM_ASSIGNED: "this issue is assigned to {team}",
    Reason.MENTION: "{mentioner} mentioned you",
    Reason.TEAM_MENTION: "{mentioner} mentioned {team}",
    Reason.UNASSIGNED: "you were assigned until {actor} changed it",
    Reason.COMMENTED: "you commented on this issue",
    Reason.PARTICIPATED: "you resolved, ignored or reopened this issue",
    Reason.SUBSCRIBED: "you subscribed to this issue",
    Reason.BOOKMARKED: "you bookmarked this issue",
    Reason.RELEASE_WATCHED: "you watched {born}, in which this issue was first seen",
    Reason.OWNER_RULE: "issue owners line {line}{owner} names you",
    Reason.TEAM_OWNER_RULE: "issue owners line {line}{owner} names {team}",
    Reason.RULE_AUTHOR: "you made the alert rule “{rule}”",
    Reason.RULE_MEMBER: "the alert rule “{rule}” {sends} to you",
    Reason.RULE_TEAM: "the alert rule “{rule}” {sends} to {team}",
    Reason.RULE_INTEGRATION: "the alert rule “{rule}” sends to {integration}, and you look after {project}",
    Reason.FALLBACK_ALL: "{nobody}, so {everyone} told",
    Reason.WORKFLOW_ALWAYS: "you get all workflow changes in {project} ({scope})",
    Reason.COMMITTER: "{committed} of yours",
    Reason.DEPLOYS_ALL: "you get all deploys in {organization} ({scope})",
}


@dataclass(frozen=True, slots=True)
class CodeWords:
    """What a code says; `switch` names the control that changes it; `private` ones only their owner reads.

    `timeless` is for administrators, who read private ones too, where the sentence gives away somebody's
    hours.
    """

    sentence: str
    switch: str | None = None
    private: bool = False
    timeless: str | None = None


CODES: Mapping[str, CodeWords] = {
    "send": CodeWords("Told."),
    # A: the notice itself
    "issue_ignored": CodeWords("The issue is ignored: alerts stay silent, whatever the rules say.", "issue"),
    "no_longer_open": CodeWords("The issue was settled or deleted before the message went out."),
    "undone": CodeWords("Whoever did this took it back before anybody was told."),
    "rule_no_match": CodeWords("No rule matched."),
    "rule_disabled": CodeWords("The rule was switched off or deleted, or not made yet."),
    "rule_interval": CodeWords("The rule had fired for this issue already, within its interval."),
    "rule_muted": CodeWords("The rule was muted for everyone {until}."),
    "no_owner": CodeWords("{nobody}, and {by} tells nobody then."),
    "flapping": CodeWords("The issue comes back again and again: told at most every six hours."),
    "storm": CodeWords("One of many new issues at once: told in one message that sums them up."),
    "project_paused": CodeWords("Held {until}: {maintenance}."),
    # C: the person
    "inactive": CodeWords("The account is switched off."),
    "no_access": CodeWords("No access to the project."),
    "own_activity": CodeWords("Own activity: nobody is told what they did themselves.", "own_activity"),
    "issue_unsubscribed": CodeWords("Unsubscribed from this issue.", "subscription", private=True),
    "issue_muted": CodeWords("This issue is muted {until}.", "mute", private=True),
    "rule_muted_me": CodeWords("This rule is muted {until}.", "rule_mute", private=True),
    "alerts_off": CodeWords("Alerts are off ({scope}).", "alerts", private=True),
    "health_off": CodeWords("Integration health is off ({scope}).", "health", private=True),
    "deploys_never": CodeWords("Deploys: {deploys} ({scope}).", "deploys", private=True),
    "workflow_never": CodeWords("Workflow changes: never ({scope}).", "workflow", private=True),
    "kind_off": CodeWords("This kind of workflow change ({kind}) is switched off.", "kinds", private=True),
    "not_subscribed": CodeWords(
        "Workflow changes: only subscribed issues ({scope}), and not subscribed to this one.",
        "workflow",
        private=True,
    ),
    "merged": CodeWords("Told by another notice about the same event or change."),
    "quiet_hours": CodeWords(
        "Held {until}: quiet hours.", "quiet_hours", private=True, timeless="Held: quiet hours."
    ),
    "batched": CodeWords("Told in one summary of several issues."),
    "recipient_cap": CodeWords("Held {until}: 30 messages within an hour are the most."),
    # D: the channel
    "address_unverified": CodeWords("No verified address to send to.", "addresses"),
    "integration_disabled": CodeWords("The integration is switched off."),
    "nothing_to_send": CodeWords("{said}"),
    "reached_nobody": CodeWords("{said}"),
    "integration_removed": CodeWords("The integration was removed."),
    "channel_off": CodeWords("Switched off for this integration: {integration_kind}."),
}
THEIR_OWN = "Their own settings."
_A_FACT = re.compile(r" ?\(\{\w+\}\)| ?[“]?\{\w+\}[”]?")
# Said by the integration itself, or in general.
_SAID = {"nothing_to_send": "There was nothing to send.", "reached_nobody": "It reached nobody there."}
_IN_GENERAL = {
    "“{integration_kind}”": "This kind",
    "{nobody}": "No owner rule matched",
    "{by}": " the project",
    "{maintenance}": " maintenance",
}
# Held because of what was sent just before; `batched` alone is what one action did to several issues.
PACED, PACED_SOMEHOW = "Held {until}: batching, {pace}.", "Held {until}: batching."
# Dropped from what is held, because so much of it came.
COUNTED = "Only counted: so much waited that the newest thousand were kept."
# An integration that wants no summary when the maintenance is over.
UNHELD = "Not told: {maintenance}."
# What a hold without an end waits for.
ENDLESS: Mapping[str, str] = {
    "rule_muted": "until it is unmuted",
    "rule_muted_me": "until it is unmuted",
    "issue_muted": "until it gets worse",
}
# What a required rule passes over → the words for it.
OVERRULED: Mapping[str, str] = {
    "alerts_off": "your Off for {project}",
    "rule_muted_me": "that you muted it",
    "own_activity": "that it was your own doing",
}
# For who has none: programs, and records.
UTC_CLOCK = Clock(datetime.min.replace(tzinfo=UTC))


def everyone(members: int, project: str) -> str:
    """All members of a project as the subject of a sentence."""
    return f"the only member of {project} was" if members == 1 else f"all {members} members of {project} were"


def reason_sentence(reasons: Iterable[str], facts: Mapping[str, Any]) -> str:
    """Why somebody was told, the strongest reason first: "this issue is assigned to you"."""
    strongest = next(iter(reasons), None)
    return said(REASONS, Reason(strongest), facts) if strongest is not None else ""


def said(sentences: Mapping[Reason, str], reason: Reason, facts: Mapping[str, Any]) -> str:
    """A reason in the words of one table, with the facts of the notice and those of the person."""
    known = {**UNKNOWN, **facts, **_because(reason, facts.get("because") or {})}
    known["despite"] = " and ".join(
        OVERRULED[code].format_map(known) for code in facts.get("overrules") or ("alerts_off",)
    )
    return sentences[reason].format_map(known).removesuffix(" ()")


def person_facts(params: Mapping[str, Any]) -> dict[str, Any]:
    """What a verdict's own facts say about its reasons."""
    known = {name: params[name] for name in ("because", "overrules") if name in params}
    return {**known, "scope": scope_words(params.get("scope"))}


def _because(reason: Reason, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of one reason, as recorded by `targets`, fit for its sentence."""
    own = {**facts, **(facts.get("also") or {}).get(reason, {})}
    known = {name: value for name, value in own.items() if name != "also"}
    if known.get("team"):
        known["team"] = f"{known['team']}, your team"
    if known.get("owner"):
        known["owner"] = f", {known['owner']},"
    if known.get("commits"):
        known["committed"] = f"{known.get('which', UNKNOWN['which'])} contains {known['commits']}"
    return known


def also(reasons: Iterable[str], facts: Mapping[str, Any]) -> list[str]:
    """The weaker reasons, as sentences."""
    return [reason_sentence([reason], facts) for reason in list(reasons)[1:]]


def code_sentence(
    code: str,
    params: Mapping[str, Any],
    *,
    own: bool = True,
    timeless: bool = False,
    clock: Clock = UTC_CLOCK,
) -> str:
    """Why somebody was not told; somebody else's private choice is not spelt out.

    With `timeless` their hours are left out; moments are written on the reader's `clock`.
    """
    words = CODES[code]
    if words.private and not own:
        return THEIR_OWN
    if timeless and words.timeless:
        return words.timeless
    sentence = _of_held(params, own=own) or words.sentence
    return sentence.format_map({**params, **_code_facts(code, params, clock)})


def _of_held(params: Mapping[str, Any], *, own: bool) -> str:
    """What is said instead where a window held an alert; somebody's own choice of it is theirs to know."""
    if "counted" in params:
        return COUNTED
    if "unheld" in params:
        return UNHELD
    if "minutes" not in params:
        return ""
    return PACED if own or params.get("paced_by") != "account" else PACED_SOMEHOW


def pace_words(params: Mapping[str, Any]) -> str:
    """How long a window is, and whose: "5 min (project)"."""
    whose = {"account": "account", "instance": "instance default"}.get(params.get("paced_by", ""), "project")
    return f"{params['minutes']} min ({whose})" if "minutes" in params else ""


def _code_facts(code: str, params: Mapping[str, Any], clock: Clock) -> dict[str, str]:
    known = {
        "scope": scope_words(params.get("scope")),
        "until": until_words(params.get("until"), clock, code=code),
        "nobody": sentence_case(str(params.get("nobody") or UNKNOWN["nobody"])),
        "by": str(params.get("by") or "the project"),
        "pace": pace_words(params),
        "maintenance": f"maintenance ({why})" if (why := params.get("maintenance")) else "maintenance",
    }
    if code == "deploys_never":
        never = params.get("value") == "never"
        known["deploys"] = "never" if never else "only with own commits, and it has none"
    if code in _SAID:
        known["said"] = str(params.get("said") or _SAID[code])
    if "integration_kind" in params:
        known["integration_kind"] = INTEGRATION_KINDS[params["integration_kind"]]
    if "kind" in params:
        known["kind"] = changes.KINDS[params["kind"]][0].lower()
    return known


def code_choices() -> list[tuple[str, str]]:
    """Every code with its sentence, without what a single case would fill in: fit for a menu."""
    return [(code, _A_FACT.sub(_in_general, words.sentence).rstrip(".: ")) for code, words in CODES.items()]


def _in_general(fact: re.Match[str]) -> str:
    return _IN_GENERAL.get(fact[0].strip(), "")


def until_words(until: str | None, clock: Clock = UTC_CLOCK, *, code: str = "") -> str:
    """A moment in a verdict's facts as the end of something: "until Tue 24 Nov 2026 08:00 CET"."""
    endless = ENDLESS.get(code, "for a while")
    return f"until {clock.full(datetime.fromisoformat(until))}" if until else endless


def sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]


def scope_words(scope: str | None) -> str:
    """Where a value comes from, in words."""
    return SOURCES.get(scope or "", "")


def shown(value: str) -> str:
    """A setting's value as pages write it."""
    return SHOWN[value]


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a notice got, in numbers of people; `parts` is the sentence, piece by piece.

    `held_until` are the moments until which it is held, in the reader's words, "" for one that they may not
    know: a single one is said. `places` are the integrations that were told.
    """

    told: int = 0
    sending: int = 0
    retrying: int = 0
    failed: int = 0
    held: int = 0
    collapsed: int = 0
    not_told: int = 0
    planned: bool = True
    gate: str | None = None
    held_until: frozenset[str] = field(default=frozenset())
    places: tuple[str, ...] = ()

    def plus(
        self,
        outcome: str,
        delivery_state: str | None,
        count: int = 1,
        *,
        until: str = "",
        place: str | None = None,
    ) -> "Reach":
        """This reach with `count` more verdicts of one kind; `until` when those that are held go out.

        `place`: the integration that it is about, if it is about no person.
        """
        sent = outcome == Outcome.SEND or (outcome == Outcome.DEFER and delivery_state is not None)
        bucket = delivery_states.of(delivery_state).bucket if sent else _UNTOLD[outcome]
        moments = self.held_until | {until} if bucket == "held" else self.held_until
        if place and bucket == "told":
            return replace(self, places=(*self.places, place))
        return replace(self, **{bucket: getattr(self, bucket) + count}, held_until=moments)

    @property
    def _told(self) -> int:
        return self.told + len(self.places)

    @property
    def _until(self) -> str:
        [*moments] = self.held_until
        return f" until {moments[0]}" if len(moments) == 1 and moments[0] else ""

    @property
    def parts(self) -> tuple[str, ...]:
        if not self.planned:
            return ("Deciding whom to tell",)
        if self.gate:
            return ("Told nobody", code_sentence(self.gate, {}).split(":")[0].rstrip(".").lower())
        counted = (
            (f"Told {', '.join([*([str(self.told)] if self.told else []), *self.places])}", self._told),
            (f"sending {self.sending}", self.sending),
            (f"held {self.held}{self._until}", self.held),
            (f"trying again {self.retrying}", self.retrying),
            (f"{self.failed} failed", self.failed),
            (f"{self.collapsed} told with another notice", self.collapsed),
            (f"{self.not_told} not told", self.not_told),
        )
        said = tuple(text for text, number in counted if number)
        if not (self._told or self.sending or self.held or self.retrying):
            return ("Told nobody", *said)
        return (said[0][0].upper() + said[0][1:], *said[1:])

    @property
    def sentence(self) -> str:
        return " · ".join(self.parts)


_UNTOLD: Mapping[str, str] = {
    Outcome.SKIP: "not_told",
    Outcome.COLLAPSE: "collapsed",
    Outcome.DEFER: "held",
}
