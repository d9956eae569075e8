"""Whether an alert rule fires for an event: its filters and conditions, over facts of that one event."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from app.domain import event_attributes
from app.domain.rule_content import Content
from app.domain.rule_parts import CONDITIONS, LEVELS, ONCE, PERCENT, SPANS, UNITS, UNTIL_RESOLVED
from app.domain.rule_rows import Row
from app.domain.text_match import matcher

EVENTS, USERS = "events", "users"
COUNTED = {"event_count": EVENTS, "user_count": USERS}
A_CENTURY = 100 * 365 * UNITS["day"]  # no issue is older, and dates have an end
# What a check raises over a row or an event that makes no sense.
SENSELESS = (KeyError, TypeError, AttributeError, ValueError)


class CannotCheck(Exception):
    """A rule that cannot be evaluated, in words for those who look after it."""


@dataclass(frozen=True, slots=True)
class Window:
    """What is counted: events or users of an issue, so many minutes back, in one environment or in all."""

    noun: str
    minutes: int
    environment: str | None = None


class Lookup(Protocol):
    """What has to be asked of elsewhere, and is asked only when a rule wants it.

    Windows end with the event in hand, which counts; whatever came in after it does not.
    """

    def exceeds(self, window: Window, limit: int) -> bool:
        """Whether there were more than so many."""

    def grew(self, window: Window, *, earlier: int, percent: int) -> bool:
        """Whether there were over so many percent more than as long a time so many minutes earlier."""

    def number(self, window: Window, *, earlier: int = 0) -> int:
        """How many there were, in a window that ended so many minutes earlier."""

    def newest_release(self, environment: str | None) -> str | None:
        """The newest one of the project, or of those seen in an environment."""


@dataclass(frozen=True, slots=True)
class MadeUpLookup:
    """A lookup at an event that is made up: the `nth` of its issue, all of them lately, by one person.

    Its release is the newest.
    """

    release: str | None
    nth: int = 1

    def number(self, window: Window, *, earlier: int = 0) -> int:
        if earlier:
            return 0
        return self.nth if window.noun == EVENTS else 1

    def exceeds(self, window: Window, limit: int) -> bool:
        return self.number(window) > limit

    def grew(self, window: Window, *, earlier: int, percent: int) -> bool:
        return False

    def newest_release(self, environment: str | None) -> str | None:
        return self.release


@dataclass(frozen=True, slots=True)
class IssueFacts:
    """What is known of the event's issue; `times_seen` with the event, without those after it."""

    first_seen: datetime
    times_seen: int
    assignee_user_id: int | None = None
    assignee_team_id: int | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What an event was and did.

    `is_new_here`: the issue's first event in its environment. `is_reappeared`: it ended an ignore, or is the
    first after a time that was set for one. `data`: the event in its regular form. `at`: when it came in.
    """

    level: str
    environment: str
    is_new: bool = False
    is_new_here: bool = False
    is_regression: bool = False
    is_reappeared: bool = False
    release: str | None = None
    at: datetime | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    tags: Sequence[Sequence[str]] = ()
    issue: IssueFacts | None = None
    lookup: Lookup | None = None
    known: dict[str, list[str]] = field(default_factory=dict, compare=False)

    def values(self, attribute: str) -> list[str]:
        """Those of an attribute; several rules may ask for the same."""
        if attribute not in self.known:
            self.known[attribute] = event_attributes.values(self.data, attribute)
        return self.known[attribute]


@dataclass(frozen=True, slots=True)
class Rule:
    """What of an alert rule decides whether it fires."""

    environment: str | None
    match: str
    conditions: Sequence[Row]
    filter_match: str = "all"
    filters: Sequence[Row] = ()


Check = Callable[[Facts], bool]
# Makes the check of a row, in a rule's environment, once for all events. Raises over a row without sense.
Maker = Callable[[Row, str | None], Check]

_COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "eq": lambda level, wanted: level == wanted,
    "lte": lambda level, wanted: level <= wanted,
    "gte": lambda level, wanted: level >= wanted,
}


def _level(row: Row, environment: str | None) -> Check:
    compare, wanted = _COMPARISONS[row["match"]], LEVELS[row["level"]]
    return lambda facts: compare(LEVELS[facts.level], wanted)


def _tag(row: Row, environment: str | None) -> Check:
    key, match = str(row["key"]), matcher(row["match"], row.get("value") or "")
    return lambda facts: match(event_attributes.tag_values(facts.data, facts.tags, key))


def _attribute(row: Row, environment: str | None) -> Check:
    name, match = row["attribute"], matcher(row["match"], row.get("value") or "")
    event_attributes.values({}, name)
    return lambda facts: match(facts.values(name))


def _count(row: Row, environment: str | None) -> Check:
    window = window_of(row, environment)
    value = _positive(row["value"])
    if row.get("comparison") == PERCENT:
        earlier = SPANS[row["earlier"]]
        return lambda facts: _lookup(facts).grew(window, earlier=earlier, percent=value)
    return lambda facts: _lookup(facts).exceeds(window, value)


def _age(row: Row, environment: str | None) -> Check:
    span = timedelta(minutes=min(_positive(row["value"]) * UNITS[row["unit"]], A_CENTURY))
    is_older = {"older": True, "newer": False}[row["match"]]
    return lambda facts: (_at(facts) - _issue(facts).first_seen > span) is is_older


def _occurrences(row: Row, environment: str | None) -> Check:
    value = _positive(row["value"])
    return lambda facts: _issue(facts).times_seen >= value


def _assigned_to(row: Row, environment: str | None) -> Check:
    if row["target"] == "none":
        wanted: tuple[int | None, int | None] = (None, None)
    else:
        someone = int(row["targetId"])
        wanted = {"member": (someone, None), "team": (None, someone)}[row["target"]]
    return lambda facts: (_issue(facts).assignee_user_id, _issue(facts).assignee_team_id) == wanted


def _latest_release(row: Row, environment: str | None) -> Check:
    return lambda facts: bool(facts.release) and facts.release == _lookup(facts).newest_release(environment)


def _positive(value: Any) -> int:
    if not isinstance(value, int) or value < 1:
        raise ValueError(value)
    return value


def _at(facts: Facts) -> datetime:
    if facts.at is None:
        raise TypeError("nobody knows when it came in")
    return facts.at


def _issue(facts: Facts) -> IssueFacts:
    if facts.issue is None:
        raise TypeError("nothing is known of the issue")
    return facts.issue


def _lookup(facts: Facts) -> Lookup:
    if facts.lookup is None:
        raise TypeError("nothing can be counted")
    return facts.lookup


MAKERS: dict[str, Maker] = {
    "every_event": lambda row, environment: lambda facts: True,
    "first_seen": lambda row, environment: (
        (lambda facts: facts.is_new_here) if environment else (lambda facts: facts.is_new)
    ),
    "regression": lambda row, environment: lambda facts: facts.is_regression,
    "reappeared": lambda row, environment: lambda facts: facts.is_reappeared,
    "level": _level,
    "tag": _tag,
    "attribute": _attribute,
    "event_count": _count,
    "user_count": _count,
    "age": _age,
    "occurrences": _occurrences,
    "assigned_to": _assigned_to,
    "latest_release": _latest_release,
}


def window_of(row: Row, environment: str | None) -> Window:
    """What a counting condition counts."""
    return Window(COUNTED[row["id"]], SPANS[row["interval"]], environment)


@dataclass(frozen=True, slots=True)
class Group:
    """Checks that are matched together; those that count come last, and only where they decide."""

    match: str
    cheap: Sequence[Check]
    costly: Sequence[Check]

    def passes(self, facts: Facts) -> bool | None:
        """What the cheap ones say; None: that depends on the costly ones."""
        settles = self.match != "all"
        for check in self.cheap:
            if check(facts) is settles:
                return self.match == "any"
        return None if self.costly else self.match != "any"

    def passes_in_the_end(self, facts: Facts) -> bool:
        settles = self.match != "all"
        for check in self.costly:
            if check(facts) is settles:
                return self.match == "any"
        return self.match != "any"


@dataclass(frozen=True, slots=True)
class Ready:
    """A rule made ready for many events. `limits`: what it counts, with how many must be exceeded.

    `asks_first_here`: whether it wants to know of the first event of an issue in an environment.
    """

    environment: str | None
    groups: Sequence[Group]
    limits: Sequence[tuple[Window, int]]
    asks_first_here: bool

    def fires(self, facts: Facts) -> bool:
        """Raises `CannotCheck` when a check fails over the event."""
        if self.environment and self.environment != facts.environment:
            return False
        try:
            undecided = []
            for group in self.groups:
                is_met = group.passes(facts)
                if is_met is False:
                    return False
                if is_met is None:
                    undecided.append(group)
            return all(group.passes_in_the_end(facts) for group in undecided)
        except SENSELESS as error:
            raise CannotCheck(f"A check failed: {type(error).__name__}.") from error


def ready(rule: Rule) -> Ready:
    """The rule with its checks made, filters first. Raises `CannotCheck` for one that makes no sense."""
    if not rule.conditions:
        raise CannotCheck("It has no condition.")
    groups = [_group("filters", rule.filter_match, rule.filters, rule.environment)] if rule.filters else []
    groups.append(_group("conditions", rule.match, rule.conditions, rule.environment))
    limits = [
        (window_of(row, rule.environment), row["value"])
        for row in rule.conditions
        if row["id"] in COUNTED and row.get("comparison") != PERCENT
    ]
    asks_first_here = rule.environment is not None and any(
        row["id"] == "first_seen" for row in rule.conditions
    )
    return Ready(rule.environment, groups, limits, asks_first_here)


def _group(name: str, match: str, rows: Sequence[Row], environment: str | None) -> Group:
    if match not in ("all", "any", "none"):
        raise CannotCheck(f"How its {name} are matched is not known.")
    cheap: list[Check] = []
    costly: list[Check] = []
    for position, row in enumerate(rows, 1):
        check = _made(f"{name.removesuffix('s').capitalize()} {position}", row, environment)
        is_costly = row["id"] in CONDITIONS and CONDITIONS[row["id"]].is_costly
        (costly if is_costly else cheap).append(check)
    return Group(match, cheap, costly)


def _made(place: str, row: Row, environment: str | None) -> Check:
    try:
        return MAKERS[row["id"]](row, environment)
    except SENSELESS as error:
        raise CannotCheck(f"{place} makes no sense: {_told(row)}") from error


def _told(row: Any) -> str:
    return str(dict(row) if isinstance(row, Mapping) else row)[:160]


def of(content: Content) -> Rule:
    """What of a rule's content decides whether it fires."""
    return Rule(
        content.environment,
        content.condition_match,
        content.conditions,
        content.filter_match,
        content.filters,
    )


def fires(rule: Rule, facts: Facts) -> bool:
    """Whether it does; `CannotCheck` for a rule that makes no sense, whatever its match."""
    return ready(rule).fires(facts)


def rests(
    last_fired: datetime | None,
    *,
    frequency: int | str,
    last_resolved: datetime | None = None,
    now: datetime,
) -> bool:
    """Whether a rule that fired for this issue is still silent about it; `frequency` as in its content."""
    if last_fired is None or frequency == 0:
        return False
    if frequency == ONCE:
        return True
    if frequency == UNTIL_RESOLVED:
        return last_resolved is None or last_fired > last_resolved
    return last_fired > now - timedelta(minutes=int(frequency))


def kind(facts: Facts) -> str:
    """What an alert is called by what its event did."""
    if facts.is_new:
        return "alert.new"
    return "alert.regression" if facts.is_regression else "alert.again"
