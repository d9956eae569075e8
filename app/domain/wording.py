"""The sentences for reasons, codes and reach: one table each, for mails, pages, API and help alike.

Reason and outcome codes are a public contract (`experience.md` 1.9 and 2.3).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from app.domain import changes, delivery_states
from app.domain.clocks import Clock
from app.domain.preferences import SHOWN, SOURCES
from app.domain.routing import Outcome, Reason

# What a sentence says when the notice at hand is not the one that tied the person to the issue.
UNKNOWN = {
    "actor": "Tocsin",
    "mentioner": "somebody",
    "team": "your team",
    "doing": "assigned",
    "scope": "",
    "everyone": "all members were",
}
# Facts: project, everyone, actor, mentioner, team, doing; all are text fit for a sentence.
REASONS: Mapping[Reason, str] = {
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
    Reason.FALLBACK_ALL: "no owner rule matched, so {everyone} told",
    Reason.WORKFLOW_ALWAYS: "you get all workflow changes in {project} ({scope})",
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
    "rule_disabled": CodeWords("The rule was switched off, or not made yet."),
    "rule_interval": CodeWords("The rule had fired for this issue already, within its interval."),
    # C: the person
    "inactive": CodeWords("The account is switched off."),
    "no_access": CodeWords("No access to the project."),
    "own_activity": CodeWords("Own activity: nobody is told what they did themselves.", "own_activity"),
    "issue_unsubscribed": CodeWords("Unsubscribed from this issue.", "subscription", private=True),
    "issue_muted": CodeWords("This issue is muted {until}.", "mute", private=True),
    "alerts_off": CodeWords("Alerts are off ({scope}).", "alerts", private=True),
    "workflow_never": CodeWords("Workflow changes: never ({scope}).", "workflow", private=True),
    "kind_off": CodeWords("This kind of workflow change ({kind}) is switched off.", "kinds", private=True),
    "not_subscribed": CodeWords(
        "Workflow changes: only subscribed issues ({scope}), and not subscribed to this one.",
        "workflow",
        private=True,
    ),
    "merged": CodeWords("Told by another notice about the same event."),
    "quiet_hours": CodeWords(
        "Held {until}: quiet hours.", "quiet_hours", private=True, timeless="Held: quiet hours."
    ),
    "batched": CodeWords("Told in one summary of several issues."),
    # D: the channel
    "address_unverified": CodeWords("No verified address to send to.", "addresses"),
}
THEIR_OWN = "Their own settings."
# For who has none: programs, and records.
UTC_CLOCK = Clock(datetime.min.replace(tzinfo=UTC))


def everyone(members: int, project: str) -> str:
    """All members of a project as the subject of a sentence."""
    return f"the only member of {project} was" if members == 1 else f"all {members} members of {project} were"


def reason_sentence(reasons: Iterable[str], facts: Mapping[str, Any]) -> str:
    """Why somebody was told, the strongest reason first: "this issue is assigned to you"."""
    strongest = next(iter(reasons), None)
    if strongest is None:
        return ""
    known = {**UNKNOWN, **facts}
    return REASONS[Reason(strongest)].format_map(known).removesuffix(" ()")


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
    known = {"scope": scope_words(params.get("scope")), "until": until_words(params.get("until"), clock)}
    if "kind" in params:
        known["kind"] = changes.KINDS[params["kind"]][0].lower()
    return words.sentence.format_map({**params, **known})


def until_words(until: str | None, clock: Clock = UTC_CLOCK) -> str:
    """A moment in a verdict's facts as the end of something: "until Tue 24 Nov 2026 08:00 CET"."""
    return f"until {clock.full(datetime.fromisoformat(until))}" if until else "until it gets worse"


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
    know: a single one is said.
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

    def plus(self, outcome: str, delivery_state: str | None, count: int = 1, *, until: str = "") -> "Reach":
        """This reach with `count` more verdicts of one kind; `until` when those that are held go out."""
        sent = outcome == Outcome.SEND or (outcome == Outcome.DEFER and delivery_state is not None)
        bucket = delivery_states.of(delivery_state).bucket if sent else _UNTOLD[outcome]
        moments = self.held_until | {until} if bucket == "held" else self.held_until
        return replace(self, **{bucket: getattr(self, bucket) + count}, held_until=moments)

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
            (f"Told {self.told}", self.told),
            (f"sending {self.sending}", self.sending),
            (f"held {self.held}{self._until}", self.held),
            (f"trying again {self.retrying}", self.retrying),
            (f"{self.failed} failed", self.failed),
            (f"{self.collapsed} told with another notice", self.collapsed),
            (f"{self.not_told} not told", self.not_told),
        )
        said = tuple(text for text, number in counted if number)
        if not (self.told or self.sending or self.held or self.retrying):
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
