"""The smallest change of somebody's own settings with which they would have been told.

Whether a change is enough is never worked out here: the evaluator is asked again, with the change made.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from app.domain import routing
from app.domain.kinds import ALERTS
from app.domain.preferences import Choices, InForce
from app.domain.routing import Happening, Outcome, Person, Reason

ISSUE, RULE, PROJECT, ACCOUNT = "issue", "rule", "project", "account"
MOST_CHANGES = 3


@dataclass(frozen=True, slots=True)
class Change:
    """`value` None is "Default", or for an issue or a rule: as if nothing had been said about it."""

    name: str  # mute, subscription, rule_mute, alerts, workflow, kind, own_activity
    scope: str
    value: str | None = None
    kind: str = ""

    @property
    def text(self) -> str:
        """For a form; `read` takes it back."""
        return " ".join((self.name, self.scope, self.value or "-", self.kind or "-"))


def read(text: str) -> Change | None:
    """A change that there is, or None."""
    words = text.split()
    if len(words) != 4:
        return None
    name, scope, value, kind = (None if word == "-" else word for word in words)
    found = Change(name or "", scope or "", value, kind or "")
    return found if (found.name, found.scope) in _APPLY else None


def smallest(what: Happening, who: Person, inherited: Choices) -> tuple[Change, ...]:
    """The fewest and narrowest changes with which this person is told; none where none would do.

    `inherited` is what would hold in the project without the person's own choice for it.
    """
    known = offers(what, inherited)
    for number in range(1, MOST_CHANGES + 1):
        for changes in combinations(known, number):
            if is_told(what, applied(changes, who, inherited)):
                return changes
    return ()


def is_told(what: Happening, who: Person) -> bool:
    """Held is told too, later."""
    return routing.decide(what, who).outcome in (Outcome.SEND, Outcome.DEFER)


def offers(what: Happening, inherited: Choices) -> Sequence[Change]:
    """Everything that could be changed, the narrowest first."""
    of_issue = [
        Change("mute", ISSUE),
        Change("subscription", ISSUE),
        Change("subscription", ISSUE, "subscribed"),
    ]
    if what.kind.category == ALERTS:
        of_project = [
            Change("rule_mute", RULE),
            Change("alerts", PROJECT),
            Change("alerts", PROJECT, "on"),
        ]
    else:
        steps = (None, "participating", "always")
        of_project = [Change("workflow", PROJECT, value) for value in steps]
    of_account = [Change("kind", ACCOUNT, "on", what.kind.switch)] if what.kind.switch else []
    return [*of_issue, *of_project, *of_account, Change("own_activity", ACCOUNT, "on")]


def applied(changes: Sequence[Change], who: Person, inherited: Choices) -> Person:
    """The person as the evaluator would see them after these changes."""
    for change in changes:
        who = _APPLY[change.name, change.scope](change, who, inherited)
    return who


def _subscription(change: Change, who: Person, inherited: Choices) -> Person:
    reasons = who.reasons | {Reason.SUBSCRIBED} if change.value else who.reasons
    return replace(who, unsubscribed=False, reasons=reasons)


def _alerts(change: Change, who: Person, inherited: Choices) -> Person:
    value = InForce(change.value, PROJECT) if change.value else inherited.alerts
    return replace(who, choices=replace(who.choices, alerts=value))


def _workflow(change: Change, who: Person, inherited: Choices) -> Person:
    value = InForce(change.value, PROJECT) if change.value else inherited.workflow
    always = {Reason.WORKFLOW_ALWAYS} if value.value == "always" else set()
    reasons = (who.reasons - {Reason.WORKFLOW_ALWAYS}) | always
    return replace(who, choices=replace(who.choices, workflow=value), reasons=reasons)


def _kind(change: Change, who: Person, inherited: Choices) -> Person:
    return replace(who, choices=replace(who.choices, kinds_off=who.choices.kinds_off - {change.kind}))


def _own_activity(change: Change, who: Person, inherited: Choices) -> Person:
    return replace(who, choices=replace(who.choices, wants_own=True))


def _unmute(change: Change, who: Person, inherited: Choices) -> Person:
    return replace(who, is_muted=False, muted_until=None)


def _unmute_rule(change: Change, who: Person, inherited: Choices) -> Person:
    return replace(who, rule_muted=False, rule_muted_until=None)


_APPLY: Mapping[tuple[str, str], Callable[[Change, Person, Choices], Person]] = {
    ("mute", ISSUE): _unmute,
    ("subscription", ISSUE): _subscription,
    ("rule_mute", RULE): _unmute_rule,
    ("alerts", PROJECT): _alerts,
    ("workflow", PROJECT): _workflow,
    ("kind", ACCOUNT): _kind,
    ("own_activity", ACCOUNT): _own_activity,
}
