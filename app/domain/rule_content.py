"""The whole of an alert rule as people shape it: read, checked, written as JSON, and said in one sentence.

The JSON is that of `web-api.md` 6, in versions, templates, drafts, forms and the API alike.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from app.domain import rule_parts, rule_words
from app.domain.phrases import listed
from app.domain.rule_parts import ONCE, UNTIL_RESOLVED
from app.domain.rule_rows import BadRule, Errors, Names, Row, read_rows, whole

LONGEST_NAME, LONGEST_REASON = 64, 200
INTERVAL = "interval"
MEMBERS = (
    "name",
    "environment",
    "actionMatch",
    "filterMatch",
    "frequency",
    "conditions",
    "filters",
    "actions",
    "required",
    "requiredReason",
    "mayInterrupt",
    "interruptReason",
)


class RuleLike(Protocol):
    """A stored rule: its columns are the members of `Content`."""

    name: Any
    environment: Any
    condition_match: Any
    conditions: Any
    filter_match: Any
    filters: Any
    actions: Any
    frequency_minutes: Any
    repeats: Any
    required_reason: Any
    interrupt_reason: Any


@dataclass(frozen=True, slots=True)
class Content:
    """What a rule says. Rows are as in JSON; `repeats` is "interval", "once" or "until_resolved".

    A reason that is set makes the rule required, or lets it interrupt quiet hours.
    """

    name: str
    conditions: Sequence[Row]
    actions: Sequence[Row]
    environment: str | None = None
    condition_match: str = "all"
    filter_match: str = "all"
    filters: Sequence[Row] = ()
    frequency_minutes: int = rule_parts.USUAL
    repeats: str = INTERVAL
    required_reason: str | None = None
    interrupt_reason: str | None = None

    @property
    def frequency(self) -> int | str:
        """Minutes, or the name of how often."""
        return self.frequency_minutes if self.repeats == INTERVAL else self.repeats

    def columns(self) -> dict[str, Any]:
        """As a stored rule keeps it."""
        rows = {name: [dict(row) for row in getattr(self, name)] for name in rule_parts.TABLES}
        return asdict(self) | rows

    def as_data(self) -> dict[str, Any]:
        rows = {name: [dict(row) for row in getattr(self, name)] for name in rule_parts.TABLES}
        return {
            "name": self.name,
            "environment": self.environment,
            "actionMatch": self.condition_match,
            "filterMatch": self.filter_match,
            "frequency": self.frequency,
            **rows,
            "required": self.required_reason is not None,
            "requiredReason": self.required_reason,
            "mayInterrupt": self.interrupt_reason is not None,
            "interruptReason": self.interrupt_reason,
        }


def of(rule: RuleLike) -> Content:
    """What a stored rule says, as it is."""
    return Content(
        name=rule.name,
        environment=rule.environment,
        condition_match=rule.condition_match,
        conditions=tuple(rule.conditions),
        filter_match=rule.filter_match,
        filters=tuple(rule.filters or ()),
        actions=tuple(rule.actions),
        frequency_minutes=rule.frequency_minutes,
        repeats=rule.repeats,
        required_reason=rule.required_reason,
        interrupt_reason=rule.interrupt_reason,
    )


def of_data(data: Mapping[str, Any]) -> Content:
    """What `as_data` wrote; unlike `read` it takes rules as they were, whatever has changed since."""
    frequency = data["frequency"]
    is_named = isinstance(frequency, str)
    return Content(
        name=data["name"],
        environment=data["environment"],
        condition_match=data["actionMatch"],
        conditions=tuple(data["conditions"]),
        filter_match=data["filterMatch"],
        filters=tuple(data["filters"]),
        actions=tuple(data["actions"]),
        frequency_minutes=rule_parts.USUAL if is_named else frequency,
        repeats=frequency if is_named else INTERVAL,
        required_reason=data["requiredReason"],
        interrupt_reason=data["interruptReason"],
    )


def read(data: Any, names: Names | None = None) -> Content:
    """A rule that somebody wrote, or `BadRule` with every place that is wrong.

    Without `names`, as for a template, environment and ids are not looked up.
    """
    errors: Errors = {}
    if not isinstance(data, Mapping):
        raise BadRule({"": "Must be an object."})
    for unknown in sorted(str(name) for name in data if name not in MEMBERS):
        errors[unknown] = f"Unknown. There are: {', '.join(MEMBERS)}."
    minutes, repeats = _frequency(data, errors)
    content = Content(
        name=_name(data, errors),
        environment=_environment(data, names, errors),
        condition_match=_match(data, "actionMatch", errors),
        conditions=_some(data, "conditions", "Add at least one condition.", names, errors),
        filter_match=_match(data, "filterMatch", errors),
        filters=read_rows("filters", data.get("filters") or (), names, errors),
        actions=_some(data, "actions", "Add at least one action.", names, errors),
        frequency_minutes=minutes,
        repeats=repeats,
        required_reason=_reason(data, "required", "requiredReason", errors),
        interrupt_reason=_reason(data, "mayInterrupt", "interruptReason", errors),
    )
    if errors:
        raise BadRule(errors)
    return content


def _name(data: Mapping[str, Any], errors: Errors) -> str:
    value = data.get("name")
    name = " ".join(value.split()) if isinstance(value, str) else ""
    if not name:
        errors["name"] = "Give it a name."
    elif len(name) > LONGEST_NAME:
        errors["name"] = f"At most {LONGEST_NAME} characters."
    return name


def _environment(data: Mapping[str, Any], names: Names | None, errors: Errors) -> str | None:
    value = data.get("environment") or None
    if value is not None and not isinstance(value, str):
        errors["environment"] = "Must be the name of an environment, or null for all."
    elif value and names is not None and value not in names.environments:
        there_are = ", ".join(sorted(names.environments)) or "none yet"
        errors["environment"] = f"The project has no such environment. There are: {there_are}."
    return value


def _match(data: Mapping[str, Any], name: str, errors: Errors) -> str:
    value = data.get(name) or "all"
    if not isinstance(value, str) or value not in rule_parts.MATCHES:
        errors[name] = f"Unknown. There are: {', '.join(rule_parts.MATCHES)}."
        return "all"
    return value


def _some(
    data: Mapping[str, Any], name: str, missing: str, names: Names | None, errors: Errors
) -> tuple[Row, ...]:
    rows = read_rows(name, data.get(name) or (), names, errors)
    if not rows:
        errors.setdefault(name, missing)
    return rows


def _frequency(data: Mapping[str, Any], errors: Errors) -> tuple[int, str]:
    value = data.get("frequency")
    if value in (ONCE, UNTIL_RESOLVED):
        return rule_parts.USUAL, value
    minutes = rule_parts.USUAL if value is None else whole(value)
    if minutes is None or not (minutes == 0 or rule_parts.SHORTEST <= minutes <= rule_parts.LONGEST):
        errors["frequency"] = (
            f"Must be 0 (every time), minutes from {rule_parts.SHORTEST} to {rule_parts.LONGEST}, "
            f'"{ONCE}" or "{UNTIL_RESOLVED}".'
        )
        return rule_parts.USUAL, INTERVAL
    return minutes, INTERVAL


def _reason(data: Mapping[str, Any], flag: str, name: str, errors: Errors) -> str | None:
    """People read why: without a reason nothing is forced on them."""
    wanted, value = data.get(flag) or False, data.get(name)
    if not isinstance(wanted, bool):
        errors[flag] = "Must be true or false."
    if not isinstance(value, str | None):
        errors[name] = "Must be text."
        return None
    reason = " ".join((value or "").split())
    if not wanted:
        return None
    if not reason:
        errors[name] = "Give a reason: people are shown it."
    elif len(reason) > LONGEST_REASON:
        errors[name] = f"At most {LONGEST_REASON} characters."
    return reason


def sentence(content: Content, names: Names) -> str:
    """ "When a new fatal issue is seen in production, email #payments, at most every hour per issue." """
    when = rule_words.when(content.conditions, content.condition_match, content.environment)
    filters = list(content.filters)
    if fatal := rule_words.plainly_fatal(content.conditions, filters, content.filter_match):
        filters.remove(fatal)
        when = when.replace("a new issue", "a new fatal issue", 1)
    only_if = rule_words.provided(filters, content.filter_match, names)
    told = listed([rule_words.action(each, names) for each in content.actions])
    parts = [f"When {when}{only_if}", told, rule_words.how_often(content.frequency)]
    notes = [
        f" It may interrupt quiet hours: {content.interrupt_reason}." if content.interrupt_reason else "",
        f" Nobody can switch it off: {content.required_reason}." if content.required_reason else "",
    ]
    return f"{', '.join(parts)}." + "".join(notes)
