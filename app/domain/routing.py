"""Who hears of a notice, and why, or why not: the one place that decides.

`plan` is pure. Sending, Explain, previews and tests are all views of what it returns. A refusal is an
answer like any other: it is stored with its code, so "why didn't I get this?" is a query.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from app.domain.kinds import ALERTS, DEPLOYS, HEALTH, WORKFLOW, Kind
from app.domain.lifecycle import HIDDEN, IGNORED, UNRESOLVED
from app.domain.preferences import Choices

EMAIL = "email"


class Outcome(StrEnum):
    SEND = "send"
    DEFER = "defer"
    SKIP = "skip"
    COLLAPSE = "collapse"


class Reason(StrEnum):
    """Why somebody is a candidate, the strongest first. A public contract (`experience.md` 1.9)."""

    REQUIRED = "required"
    RESUBSCRIBED = "resubscribed"
    ASSIGNED = "assigned"
    TEAM_ASSIGNED = "team_assigned"
    MENTION = "mention"
    TEAM_MENTION = "team_mention"
    UNASSIGNED = "unassigned"
    COMMENTED = "commented"
    PARTICIPATED = "participated"
    SUBSCRIBED = "subscribed"
    BOOKMARKED = "bookmarked"
    RELEASE_WATCHED = "release_watched"
    OWNER_RULE = "owner_rule"
    TEAM_OWNER_RULE = "team_owner_rule"
    RULE_AUTHOR = "rule_author"
    RULE_MEMBER = "rule_member"
    RULE_TEAM = "rule_team"
    RULE_INTEGRATION = "rule_integration"
    FALLBACK_ALL = "fallback_all"
    COMMITTER = "committer"
    DEPLOYS_ALL = "deploys_all"
    WORKFLOW_ALWAYS = "workflow_always"


STRENGTH = {reason: rank for rank, reason in enumerate(Reason)}


@dataclass(frozen=True, slots=True)
class Happening:
    """The notice to be decided about; `actor_id` is None when Tocsin itself acted."""

    kind: Kind
    actor_id: int | None = None
    is_fatal: bool = False
    may_interrupt: bool = False  # an administrator's word, in a rule: quiet hours do not hold it
    is_required: bool = False  # the same: whoever switched alerts off is told all the same
    storm: str | None = None  # the notice that sums up a storm of new issues, of which this is one
    flapping: str | None = None  # the last notice of an issue that comes back again and again
    told_lately: frozenset[int] = frozenset()  # who was told by that one


@dataclass(frozen=True, slots=True)
class Person:
    """What the decision needs to know about one candidate."""

    id: int
    reasons: frozenset[Reason] = frozenset()
    choices: Choices = field(default_factory=Choices)
    is_active: bool = True
    can_see: bool = True
    unsubscribed: bool = False
    is_muted: bool = False  # for this issue, by this person, at this moment
    muted_until: datetime | None = None
    rule_muted: bool = False  # the rule that rang, by this person, at this moment
    rule_muted_until: datetime | None = None
    rule_silent: bool = False  # the same for everybody, since it rang
    rule_silent_until: datetime | None = None
    has_address: bool = True
    carried_by: str | None = None  # the notice of the same event that already goes to this person
    paused_until: datetime | None = None  # a maintenance window of the project holds it
    paused_for: str = ""  # what people gave as its reason
    quiet_until: datetime | None = None  # quiet hours hold now, until then; being on call ends them
    paced_until: datetime | None = None  # alerts of the project were sent just now; the next come together
    pace_minutes: int = 0
    paced_by: str = "project"  # whose window it is: the project's, the account's or the instance's
    capped_until: datetime | None = None  # so many messages within the hour that more come together
    because: Mapping[str, Any] = field(default_factory=dict)  # what the sentences of the reasons need


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer for one person on one channel, with the code and the facts of what decided."""

    person_id: int
    channel: str
    outcome: Outcome
    code: str
    reasons: tuple[Reason, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gate:
    """One question of the ladder. The first gate that shuts gives its code.

    One that `yields` does not hold up what a required rule tells.
    """

    code: str
    question: str
    shuts: Callable[[Happening, Person], bool]
    params: Callable[[Happening, Person], dict[str, Any]] = lambda what, who: {}
    outcome: Outcome = Outcome.SKIP
    yields: bool = False


def _workflow_scope(what: Happening, who: Person) -> dict[str, Any]:
    return {"scope": who.choices.workflow.source}


def _scope(what: Happening, who: Person) -> dict[str, Any]:
    """Where the choice comes from that let the notice through."""
    chosen = {ALERTS: who.choices.alerts, DEPLOYS: who.choices.deploys}
    return {"scope": chosen.get(what.kind.category, who.choices.workflow).source}


def _is_own(what: Happening, who: Person) -> bool:
    """Who deploys is told of it like everybody else."""
    return who.id == what.actor_id and not who.choices.wants_own and what.kind.category != DEPLOYS


# The order is a product decision (`experience.md` 2.3). A new rule is a new row.
GATES: tuple[Gate, ...] = (
    Gate("inactive", "Is the account switched off?", lambda what, who: not who.is_active),
    Gate("no_access", "Is the project out of reach?", lambda what, who: not who.can_see),
    Gate(
        "own_activity",
        "Did this person do it?",
        _is_own,
        yields=True,
    ),
    Gate("issue_unsubscribed", "Unsubscribed from this issue?", lambda what, who: who.unsubscribed),
    Gate(
        "issue_muted",
        "This issue muted?",
        lambda what, who: who.is_muted,
        lambda what, who: {"until": _text(who.muted_until)},
    ),
    Gate(
        "rule_muted",
        "This rule muted for everyone?",
        lambda what, who: who.rule_silent,
        lambda what, who: {"until": _text(who.rule_silent_until)},
    ),
    Gate(
        "rule_muted_me",
        "This rule muted?",
        lambda what, who: who.rule_muted,
        lambda what, who: {"until": _text(who.rule_muted_until)},
        yields=True,
    ),
    Gate(
        "alerts_off",
        "Alerts off?",
        lambda what, who: what.kind.category == ALERTS and who.choices.alerts.value == "off",
        lambda what, who: {"scope": who.choices.alerts.source},
        yields=True,
    ),
    Gate(
        "health_off",
        "Integration health off?",
        lambda what, who: what.kind.category == HEALTH and who.choices.health.value == "off",
        lambda what, who: {"scope": who.choices.health.source},
    ),
    Gate(
        "deploys_never",
        "Deploys never, or none of this person’s commits in it?",
        lambda what, who: what.kind.category == DEPLOYS and not who.reasons,
        lambda what, who: {**_scope(what, who), "value": who.choices.deploys.value},
    ),
    Gate(
        "workflow_never",
        "Workflow changes never?",
        lambda what, who: what.kind.category == WORKFLOW and who.choices.workflow.value == "never",
        _workflow_scope,
    ),
    Gate(
        "kind_off",
        "This kind of change switched off?",
        lambda what, who: what.kind.switch in who.choices.kinds_off and Reason.MENTION not in who.reasons,
        lambda what, who: {"kind": what.kind.switch},
    ),
    Gate(
        "not_subscribed",
        "Only subscribed issues, and not subscribed to this one?",
        lambda what, who: what.kind.category == WORKFLOW and not who.reasons,
        _workflow_scope,
    ),
    Gate("address_unverified", "No verified address?", lambda what, who: not who.has_address),
    Gate(
        "merged",
        "Told already by another notice of this event?",
        lambda what, who: who.carried_by is not None,
        lambda what, who: {**_scope(what, who), "notice": who.carried_by},
        Outcome.COLLAPSE,
    ),
    Gate(
        "flapping",
        "Told of lately, of an issue that comes back again and again?",
        lambda what, who: what.flapping is not None and who.id in what.told_lately,
        lambda what, who: {**_scope(what, who), "notice": what.flapping},
        Outcome.COLLAPSE,
    ),
    Gate(
        "storm",
        "One of many new issues at once?",
        lambda what, who: what.storm is not None,
        lambda what, who: {**_scope(what, who), "notice": what.storm},
        Outcome.COLLAPSE,
    ),
    # Last, because what is held is promised: nobody is promised what will not come.
    Gate(
        "project_paused",
        "Maintenance?",
        lambda what, who: who.paused_until is not None,
        lambda what, who: {
            **_scope(what, who),
            "until": _text(who.paused_until),
            "maintenance": who.paused_for,
        },
        Outcome.DEFER,
    ),
    Gate(
        "quiet_hours",
        "Quiet hours?",
        lambda what, who: who.quiet_until is not None and not _rings_through(what, who),
        lambda what, who: {
            **_scope(what, who),
            "until": _text(who.quiet_until),
        },
        Outcome.DEFER,
    ),
    Gate(
        "batched",
        "Alerts of the project sent just now?",
        lambda what, who: who.paced_until is not None,
        lambda what, who: {
            **_scope(what, who),
            "until": _text(who.paced_until),
            "minutes": who.pace_minutes,
            "paced_by": who.paced_by,
        },
        Outcome.DEFER,
    ),
    Gate(
        "recipient_cap",
        "Too many messages within the hour?",
        lambda what, who: who.capped_until is not None and not what.is_fatal and not what.is_required,
        lambda what, who: {**_scope(what, who), "until": _text(who.capped_until)},
        Outcome.DEFER,
    ),
)


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _rings_through(what: Happening, who: Person) -> bool:
    return what.may_interrupt or (what.is_fatal and what.kind.category == ALERTS and who.choices.fatal_rings)


def plan(what: Happening, people: Iterable[Person]) -> list[Verdict]:
    """One verdict for every candidate, in their order."""
    return [decide(what, who) for who in people]


def decide(what: Happening, who: Person) -> Verdict:
    """Walk the ladder; whoever passes every gate is told."""
    overruled: list[str] = []
    for gate in GATES:
        if not gate.shuts(what, who):
            continue
        if not (gate.yields and what.is_required):
            return _verdict(who, gate.outcome, gate.code, gate.params(what, who), overruled)
        overruled.append(gate.code)
    through = {"rings_through": True} if who.quiet_until else {}
    return _verdict(who, Outcome.SEND, "send", {**_scope(what, who), **through}, overruled)


def _verdict(
    who: Person, outcome: Outcome, code: str, params: Mapping[str, Any], overruled: Sequence[str]
) -> Verdict:
    """Whom a required rule tells against their choice, learns that first."""
    is_told = outcome != Outcome.SKIP and overruled
    reasons = who.reasons | {Reason.REQUIRED} if is_told else who.reasons
    facts = {
        **params,
        **({"overrules": list(overruled)} if is_told else {}),
        **({"because": dict(who.because)} if who.because else {}),
    }
    return Verdict(who.id, EMAIL, outcome, code, tuple(sorted(reasons, key=STRENGTH.__getitem__)), facts)


def wake(verdicts: Iterable[Verdict], last_resort: Collection[int]) -> list[Verdict]:
    """These verdicts, with those of the last resort told now if the notice would reach nobody awake.

    For fatal alerts (`experience.md` 4.6): what is held for everybody is as good as lost until morning.
    """
    found = list(verdicts)
    if any(verdict.outcome in (Outcome.SEND, Outcome.COLLAPSE) for verdict in found):
        return found
    return [
        replace(
            each,
            outcome=Outcome.SEND,
            code="send",
            params={**_without_holding(each.params), "last_resort": True},
        )
        if each.outcome == Outcome.DEFER and each.code != "project_paused" and each.person_id in last_resort
        else each
        for each in found
    ]


def _without_holding(params: Mapping[str, Any]) -> dict[str, Any]:
    """All that does not say until when something is held, or why."""
    return {name: value for name, value in params.items() if name not in ("until", "minutes", "paced_by")}


def tally(batch: Iterable[Iterable[Verdict]]) -> Counter[int]:
    """Of how many of these notices each person would be told."""
    return Counter(each.person_id for verdicts in batch for each in verdicts if each.outcome == Outcome.SEND)


def gather(
    batch: Sequence[Sequence[Verdict]], of_all: Mapping[int, int] | None = None
) -> list[list[Verdict]]:
    """The verdicts of several notices of one action, so that nobody gets more than one message of it.

    Whoever would be told of two or more is told of all in one summary: those verdicts are deferred into it.
    `of_all` is the tally of the whole action, where the batch is a part of it.
    """
    told = tally(batch) if of_all is None else Counter(of_all)
    return [
        [
            replace(each, outcome=Outcome.DEFER, code="batched", params={**each.params, "issues": count})
            if each.outcome == Outcome.SEND and (count := told[each.person_id]) > 1
            else each
            for each in verdicts
        ]
        for verdicts in batch
    ]


def together(
    verdicts: Iterable[Verdict], told: Mapping[int, int], *, until: datetime, least: int
) -> list[Verdict]:
    """These verdicts, but whoever is told of `least` such things within minutes hears of all in one message.

    `told`: of how many each person is.
    """
    return [
        replace(
            each,
            outcome=Outcome.DEFER,
            code="batched",
            params={**each.params, "issues": told[each.person_id], "until": _text(until)},
        )
        if each.outcome == Outcome.SEND and told.get(each.person_id, 0) >= least
        else each
        for each in verdicts
    ]


def gate_of_notice(kind: Kind, status: str | None) -> str | None:
    """The code with which a notice stops before anybody is considered, or None when it may go on.

    An ignored issue never rings, whatever the rules say; an alert about an issue that was settled or
    deleted meanwhile has nothing left to say. Of a deleted issue nobody hears anything.
    """
    if kind.in_thread and (status is None or status in HIDDEN):
        return "no_longer_open"
    if not kind.in_thread or kind.category != ALERTS or status == UNRESOLVED:
        return None
    return "issue_ignored" if status == IGNORED else "no_longer_open"
