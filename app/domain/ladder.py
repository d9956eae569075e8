"""The ladder of one recorded verdict: every question that was asked, with the answer it was given.

Nothing is decided here. Which gate shut is the verdict's code; that those before it were open, and what was
in force there, follows from it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.domain import changes, wording
from app.domain.kinds import ALERTS, DEPLOYS, HEALTH, RULE_CHANGED, WORKFLOW, Kind
from app.domain.routing import GATES, Gate, Reason

NOTICE = "Stopped for everybody?"
TOGETHER = "Several issues changed by one action?"
# In the facts of a verdict: how many issues are told in one message.
TOLD_TOGETHER = "issues"
# Asked of one category only; of the rest they are nobody's concern.
ONLY_OF: Mapping[str, str] = {
    "rule_muted": ALERTS,
    "rule_muted_me": ALERTS,
    "alerts_off": ALERTS,
    "health_off": HEALTH,
    "deploys_never": DEPLOYS,
    "workflow_never": WORKFLOW,
    "kind_off": WORKFLOW,
    "not_subscribed": WORKFLOW,
}

OF_ISSUES = ("issue_unsubscribed", "issue_muted", "not_subscribed")


@dataclass(frozen=True, slots=True)
class Decided:
    """A verdict, as it was recorded; `until` is its end in the reader's words, "" if they may not know."""

    kind: Kind
    code: str
    reasons: Sequence[str]
    params: Mapping[str, Any]
    until: str = ""
    was_actor: bool = False  # the person it is about made the notice


@dataclass(frozen=True, slots=True)
class Step:
    """A question and its answer; the last one of a ladder decided."""

    question: str
    answer: str
    shut: bool = False


def steps(decided: Decided) -> tuple[Step, ...]:
    """Up to the gate that shut, or all of them."""
    asked = [gate for gate in GATES if _is_asked(gate, decided.kind)]
    codes = [gate.code for gate in asked]
    if decided.code in codes and TOLD_TOGETHER not in decided.params:
        before = asked[: codes.index(decided.code)]
        shut = asked[codes.index(decided.code)]
        return (Step(NOTICE, "no"), *(_open(gate, decided) for gate in before), _shut(shut, decided))
    passed = (Step(NOTICE, "no"), *(_open(gate, decided) for gate in asked))
    if decided.code == "batched":
        return (*passed, Step(TOGETHER, "yes", shut=True))
    if decided.code == "send":
        return passed
    return (Step(NOTICE, "yes", shut=True),)


def _is_asked(gate: Gate, kind: Kind) -> bool:
    """Nobody follows an alert rule: whoever is told of a change is tied to it by more than a setting."""
    if kind.name == RULE_CHANGED and gate.code in OF_ISSUES:
        return False
    return ONLY_OF.get(gate.code, kind.category) == kind.category


def _shut(gate: Gate, decided: Decided) -> Step:
    value = decided.until or wording.scope_words(decided.params.get("scope"))
    pace = wording.pace_words(decided.params) if gate.code == "batched" else ""
    return Step(gate.question, ", ".join(filter(None, ("yes", value, pace))), shut=True)


def _scoped(value: str, decided: Decided) -> str:
    scope = wording.scope_words(decided.params.get("scope"))
    return f"{value}, {scope}" if scope else value


def _workflow(decided: Decided) -> str:
    """Always is a reason to be told, and recorded with the others; of a rule's change it is none."""
    if decided.kind.name == RULE_CHANGED:
        return ""
    always = Reason.WORKFLOW_ALWAYS in decided.reasons
    return _scoped(changes.choice("always" if always else "participating"), decided)


def _deploys(decided: Decided) -> str:
    """The same of deploys."""
    every = Reason.DEPLOYS_ALL in decided.reasons
    return _scoped(changes.choice("always" if every else "mine"), decided)


def _subscribed(decided: Decided) -> str:
    if Reason.WORKFLOW_ALWAYS in decided.reasons:
        return "workflow changes come always"
    return wording.reason_sentence(decided.reasons, {})


def _open(gate: Gate, decided: Decided) -> Step:
    in_force = _IN_FORCE.get(gate.code)
    value = in_force(decided) if in_force else ""
    return Step(gate.question, _THOUGH.get(gate.code, _no)(decided, value))


def _no(decided: Decided, value: str) -> str:
    return f"no: {value}" if value else "no"


def _own(decided: Decided, value: str) -> str:
    return "yes, and wants to hear of it" if decided.was_actor else "no"


def _required(code: str) -> Callable[[Decided, str], str]:
    """Gates that do not hold up what a required rule tells."""

    def answer(decided: Decided, value: str) -> str:
        if code not in decided.params.get("overrules", ()):
            return _no(decided, value)
        return "yes, but the rule is required"

    return answer


def _quiet(decided: Decided, value: str) -> str:
    if decided.params.get("last_resort"):
        return "yes, but nobody awake would have been told"
    return "yes, but this rings through" if decided.params.get("rings_through") else "no"


# Gates that may be met and still stay open.
_THOUGH: Mapping[str, Callable[[Decided, str], str]] = {
    "own_activity": _own,
    "rule_muted_me": _required("rule_muted_me"),
    "alerts_off": _required("alerts_off"),
    "quiet_hours": _quiet,
}
# Gate → what was in force when it stayed open.
_IN_FORCE: Mapping[str, Callable[[Decided], str]] = {
    "alerts_off": lambda decided: _scoped(changes.value("on"), decided),
    "health_off": lambda decided: _scoped(changes.value("on"), decided),
    "deploys_never": _deploys,
    "workflow_never": _workflow,
    "kind_off": lambda decided: f"{changes.KINDS[decided.kind.switch][0]} on" if decided.kind.switch else "",
    "not_subscribed": _subscribed,
}
