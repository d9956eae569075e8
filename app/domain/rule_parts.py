"""What alert rules are put together from: conditions, filters and actions with their fields, as tables.

The editor, the API's checks, the sentence and the documentation are drawn from them (`notifications.md` 3).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "fatal": 50}
# Span → how long it is, in minutes.
SPANS = {"1m": 1, "5m": 5, "15m": 15, "1h": 60, "1d": 1440, "1w": 10_080, "30d": 43_200}
UNITS = {"minute": 1, "hour": 60, "day": 1440, "week": 10_080}
SPAN_WORDS = {
    "1m": "a minute",
    "5m": "5 minutes",
    "15m": "15 minutes",
    "1h": "an hour",
    "1d": "a day",
    "1w": "a week",
    "30d": "30 days",
}
OPERATORS = {
    "eq": "equals",
    "ne": "does not equal",
    "sw": "starts with",
    "nsw": "does not start with",
    "ew": "ends with",
    "new": "does not end with",
    "co": "contains",
    "nc": "does not contain",
    "in": "is one of",
    "nin": "is none of",
    "is": "is set",
    "ns": "is not set",
}
# Those that ask for nothing more, and those that take a comma list.
BARE, LISTING = ("is", "ns"), ("in", "nin")
LEVEL_MATCHES = {"eq": "is", "gte": "is at least", "lte": "is at most"}
ATTRIBUTES = (
    "message",
    "platform",
    "environment",
    "type",
    "exception.type",
    "exception.value",
    "user.id",
    "user.email",
    "user.username",
    "user.ip_address",
    "http.method",
    "http.url",
    "http.status_code",
    "stacktrace.code",
    "stacktrace.module",
    "stacktrace.filename",
    "stacktrace.abs_path",
    "stacktrace.package",
    "error.handled",
    "error.unhandled",
    "sdk.name",
)
# Attributes with a path or key of the reader's own behind them.
OPEN_ATTRIBUTES = ("extra.", "user.")
MATCHES = {"all": "all of", "any": "any of", "none": "none of"}
ONCE, UNTIL_RESOLVED = "once", "until_resolved"
# What the editor offers; the API takes 0 and whatever lies between the shortest and the longest.
SHORTEST, LONGEST, USUAL = 5, 43_200, 30
FREQUENCIES: Mapping[int | str, str] = {
    0: "every time",
    5: "at most every 5 minutes",
    10: "at most every 10 minutes",
    30: "at most every 30 minutes",
    60: "at most every hour",
    180: "at most every 3 hours",
    720: "at most every 12 hours",
    1440: "at most every day",
    10_080: "at most every week",
    LONGEST: "at most every 30 days",
    UNTIL_RESOLVED: "once until it is resolved",
    ONCE: "once, and never again",
}

# How counts are compared; a row that does not say so compares the number itself.
PERCENT = "percent"
# Kinds of fields. TARGET is an id of the project's team or member, by what `target` says; INTEGRATION an
# id, or "all"; KEY the name of a tag.
NUMBER, TEXT, CHOICE, TARGET, INTEGRATION, KEY, ATTRIBUTE, TAGS = (
    "number",
    "text",
    "choice",
    "target",
    "integration",
    "key",
    "attribute",
    "tags",
)


@dataclass(frozen=True, slots=True)
class Field:
    """A member of a row. `choices` maps what is stored to what is shown.

    `default`: what the editor starts with. `assumed`: what a row without it means. `only_if` names another
    field and the values of it with which this one is asked for; else it has none.
    """

    name: str
    label: str
    type: str
    choices: Mapping[str, str] | None = None
    default: Any = None
    only_if: tuple[str, Sequence[str]] | None = None
    is_optional: bool = False
    assumed: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A kind of row. `label` is what it is added by; `pieces` are the words and fields of its sentence.

    `is_costly`: it counts, so it is asked last.
    """

    id: str
    label: str
    pieces: Sequence[str | Field]
    is_costly: bool = False

    @property
    def fields(self) -> Sequence[Field]:
        return [piece for piece in self.pieces if isinstance(piece, Field)]


_OPERATOR = Field("match", "Comparison", CHOICE, OPERATORS, "eq")
_OPERAND = Field("value", "Value", TEXT, only_if=("match", [each for each in OPERATORS if each not in BARE]))
_INTERVAL = Field("interval", "Time", CHOICE, SPAN_WORDS, "1h")
_EARLIER = Field(
    "earlier",
    "Compared with",
    CHOICE,
    {span: f"than {words} earlier" for span, words in SPAN_WORDS.items() if span != "1m"},
    "1d",
    only_if=("comparison", [PERCENT]),
)


def _comparison(noun: str, more: str) -> Field:
    return Field("comparison", "Unit", CHOICE, {"": noun, PERCENT: more}, "", is_optional=True)


LEVEL = Part(
    "level",
    "the level is…",
    (
        "the event's level",
        Field("match", "Comparison", CHOICE, LEVEL_MATCHES, "gte"),
        Field("level", "Level", CHOICE, {name: name for name in reversed(LEVELS)}, "error"),
    ),
)
TAG = Part("tag", "a tag…", ("the tag", Field("key", "Tag", KEY), _OPERATOR, _OPERAND))
EVENT_ATTRIBUTE = Part(
    "attribute",
    "an attribute of the event…",
    ("the event's", Field("attribute", "Attribute", ATTRIBUTE), _OPERATOR, _OPERAND),
)


def _table(*parts: Part) -> Mapping[str, Part]:
    return {part.id: part for part in parts}


CONDITIONS = _table(
    Part("first_seen", "a new issue is seen", ("a new issue is seen",)),
    Part("regression", "an issue regresses", ("a resolved issue comes back",)),
    Part("reappeared", "an ignored issue comes back", ("an ignored issue comes back",)),
    Part(
        "event_count",
        "seen more than N times in…",
        (
            "an issue is seen more than",
            Field("value", "How many", NUMBER, default=100),
            _comparison("times", "% more often"),
            "in",
            _INTERVAL,
            _EARLIER,
        ),
        is_costly=True,
    ),
    Part(
        "user_count",
        "seen by more than N users in…",
        (
            "an issue is seen by more than",
            Field("value", "How many", NUMBER, default=10),
            _comparison("users", "% more users"),
            "in",
            _INTERVAL,
            _EARLIER,
        ),
        is_costly=True,
    ),
    Part("every_event", "every event", ("an event arrives",)),
    LEVEL,
    TAG,
    EVENT_ATTRIBUTE,
)

FILTERS = _table(
    LEVEL,
    TAG,
    EVENT_ATTRIBUTE,
    Part("latest_release", "the release is the latest", ("the event is of the latest release",)),
    Part(
        "assigned_to",
        "assigned to…",
        (
            "the issue is assigned to",
            Field("target", "Whom", CHOICE, {"none": "nobody", "team": "team", "member": "member"}, "none"),
            Field("targetId", "Team or member", TARGET, only_if=("target", ["team", "member"])),
        ),
    ),
    Part(
        "age",
        "the issue is older or newer than…",
        (
            "the issue is",
            Field("match", "Comparison", CHOICE, {"older": "older than", "newer": "newer than"}, "older"),
            Field("value", "How many", NUMBER, default=7),
            Field("unit", "Unit", CHOICE, {unit: f"{unit}s" for unit in UNITS}, "day"),
        ),
    ),
    Part(
        "occurrences",
        "wait for N events first",
        ("the issue was seen at least", Field("value", "How many", NUMBER, default=10), "times in all"),
    ),
)

FALLBACKS = {
    "project": "as the project says",
    "all": "all members",
    "active": "members who were here lately",
    "none": "nobody",
}
MAIL = Part(
    "mail",
    "email…",
    (
        "email",
        Field(
            "target",
            "Whom",
            CHOICE,
            {
                "owners": "the issue's owners",
                "assignee": "the assignee",
                "team": "team",
                "member": "member",
            },
            "owners",
        ),
        Field("targetId", "Team or member", TARGET, only_if=("target", ["team", "member"])),
        Field(
            "fallback",
            "If there is nobody",
            CHOICE,
            FALLBACKS,
            "project",
            only_if=("target", ["owners", "assignee"]),
            assumed="project",
        ),
    ),
)
ACTIONS = _table(
    MAIL,
    Part(
        "integration",
        "an integration…",
        (
            "send it to",
            Field("integration", "Integration", INTEGRATION, default="all"),
            "with the tags",
            Field("tags", "Tags to show", TAGS, is_optional=True),
        ),
    ),
)
TABLES = {"conditions": CONDITIONS, "filters": FILTERS, "actions": ACTIONS}


def is_asked(field: Field, row: Mapping[str, Any]) -> bool:
    """Whether a row has this field, by what its other fields say."""
    if field.only_if is None:
        return True
    name, values = field.only_if
    return row.get(name) in values


def knows_attribute(name: str) -> bool:
    """Whether events can have it: one of the table, or a path of the reader's own."""
    return name in ATTRIBUTES or any(
        name.startswith(start) and len(name) > len(start) for start in OPEN_ATTRIBUTES
    )
