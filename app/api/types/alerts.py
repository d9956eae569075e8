"""When a project rings: its rules, its issue owners, its maintenance windows."""

from typing import Annotated, Any, NotRequired, Required, TypedDict

from app.api.describing import Moment, about, one_of
from app.api.types.issues import AssigneeJson
from app.api.types.rule_rows import row
from app.api.types.workspaces import PersonJson
from app.domain.pauses import SCOPES
from app.domain.rule_parts import MATCHES
from app.services.rules.rule_muting import FOR_EVERYONE, FOR_ME

# Rules


Row = dict[str, Any]
Condition = Annotated[Row, row("conditions")]
Filter = Annotated[Row, row("filters")]
Action = Annotated[Row, row("actions")]
SentCondition = Annotated[Row, row("conditions", is_sent=True)]
SentFilter = Annotated[Row, row("filters", is_sent=True)]
SentAction = Annotated[Row, row("actions", is_sent=True)]


class RuleContentJson(TypedDict):
    """What a rule says."""

    name: Annotated[str, about(example="Many errors in production")]
    environment: Annotated[str | None, about("Null: all of them.")]
    actionMatch: Annotated[str, about("How many of the conditions must hold."), one_of(MATCHES)]
    filterMatch: Annotated[str, about("How many of the filters must hold."), one_of(MATCHES)]
    frequency: Annotated[
        int | str,
        about(
            "Minutes between alerts about one issue; 0: every time; or `once`, or `until_resolved`.",
            example=30,
        ),
    ]
    conditions: Annotated[
        list[Condition], about(example=[{"id": "event_count", "value": 100, "interval": "1h"}])
    ]
    filters: Annotated[list[Filter], about(example=[{"id": "level", "match": "gte", "level": "error"}])]
    actions: Annotated[
        list[Action], about(example=[{"id": "mail", "target": "owners", "fallback": "project"}])
    ]
    required: Annotated[bool, about("Whether people who turned alerts off hear of it nevertheless.")]
    requiredReason: Annotated[str | None, about("Why, in words they read.", example=None)]
    mayInterrupt: Annotated[bool, about("Whether it rings in quiet hours.")]
    interruptReason: Annotated[str | None, about("Why, in words they read.", example=None)]


class MuteJson(TypedDict):
    until: Annotated[Moment | None, about("Null: until somebody ends it.")]
    by: PersonJson | None
    since: Moment


class MutesJson(TypedDict):
    """Who does not hear of a rule."""

    me: MuteJson | None
    everyone: MuteJson | None


class RuleJson(RuleContentJson):
    """An alert rule."""

    id: Annotated[str, about(example="5")]
    active: Annotated[bool, about(example=True)]
    version: Annotated[int, about("How often it was changed, and one.")]
    trouble: Annotated[str | None, about("Why it could not be evaluated the last time.", example=None)]
    sentence: Annotated[
        str,
        about("The rule in words.", example="When an issue is seen 100 times in an hour, email its owners."),
    ]
    muted: MutesJson
    dateCreated: Moment
    createdBy: PersonJson | None


class SavedRuleJson(RuleJson):
    """The rule as it is now."""

    sameAs: Annotated[list[str], about("Names of rules that say the same.", example=[])]


class RuleWishJson(TypedDict, total=False):
    """A rule, or what is to be different about one. What was read can be sent back."""

    name: str
    environment: str | None
    actionMatch: Annotated[str, one_of(MATCHES)]
    filterMatch: Annotated[str, one_of(MATCHES)]
    frequency: int | str
    conditions: list[SentCondition]
    filters: list[SentFilter] | None
    actions: list[SentAction]
    required: bool
    requiredReason: str | None
    mayInterrupt: bool
    interruptReason: str | None
    active: bool
    id: Annotated[str | int | None, about("In a preview: the rule that is to be changed.")]
    version: Any
    trouble: Any
    muted: Any
    sameAs: Any
    sentence: Any
    dateCreated: Any
    createdBy: Any


RULE: RuleWishJson = {
    "name": "Many errors in production",
    "environment": "production",
    "frequency": 30,
    "conditions": [{"id": "event_count", "value": 100, "interval": "1h"}],
    "filters": [{"id": "level", "match": "gte", "level": "error"}],
    "actions": [{"id": "mail", "target": "owners", "fallback": "project"}],
}
RuleWish = Annotated[RuleWishJson, about(example=RULE)]


class HourJson(TypedDict):
    start: Moment
    firings: int


class FiredJson(TypedDict):
    """An issue that the rule would have rung for."""

    id: str
    shortId: Annotated[str, about(example="SHOP-1")]
    title: str
    firings: int
    first: Moment
    last: Moment
    peopleTold: int


class NoteJson(TypedDict):
    place: Annotated[str, about(example="conditions.0")]
    note: Annotated[str, about(example="Never more than 40 times in an hour so far.")]


class PreviewJson(TypedDict):
    """What a rule would have done."""

    since: Moment
    until: Moment
    events: Annotated[int, about("That were looked at.", example=900)]
    eventsInAll: Annotated[int, about(example=900)]
    isWhole: Annotated[bool, about("Whether that were all of them.", example=True)]
    firings: int
    firingsLastWeek: int
    largestHour: Annotated[HourJson | None, about("The one with the most alerts.")]
    peopleTold: int
    integrationsTold: int
    issueCount: int
    issues: NotRequired[Annotated[list[FiredJson], about("For tokens with `event:read`.")]]
    notes: list[NoteJson]


MuteWishJson = TypedDict(
    "MuteWishJson",
    {
        "for": Required[Annotated[str, one_of((FOR_ME, FOR_EVERYONE))]],
        "until": Annotated[Moment | None, about("Null: until somebody ends it.")],
    },
    total=False,
)


# Issue owners


class OwnershipJson(TypedDict):
    """The issue owners of a project."""

    raw: Annotated[str, about("The rules, one a line.", example="path:src/checkout/* #payments")]
    fallthrough: Annotated[bool, about("Whether everybody is told of what nobody owns.", example=True)]
    autoAssignment: Annotated[bool, about("Whether issues are assigned to their owners.")]
    onlyAssignee: Annotated[bool, about("Whether of an assigned issue the assignee alone is told.")]
    dateUpdated: Moment | None


class OwnershipChangeJson(TypedDict, total=False):
    """What is absent stays. What was read can be sent back."""

    raw: str
    fallthrough: bool
    autoAssignment: bool
    onlyAssignee: bool
    dateUpdated: Any


OwnershipChange = Annotated[
    OwnershipChangeJson, about(example={"raw": "path:src/checkout/* #payments", "autoAssignment": True})
]


class MatchQuestionJson(TypedDict, total=False):
    """A stored event or one sent along, and rules if not those in force."""

    eventId: Annotated[str, about("Needs `event:read`.", example="9c1f0d2b7a6e4f5d8c3b2a1908f7e6d5")]
    event: Annotated[dict[str, Any], about("As an SDK sends it.")]
    raw: Annotated[str, about("Rules, one a line.", example="path:src/checkout/* #payments")]


MatchQuestion = Annotated[MatchQuestionJson, about(example={"eventId": "9c1f0d2b7a6e4f5d8c3b2a1908f7e6d5"})]


class MatchedLineJson(TypedDict):
    line: int
    text: Annotated[str, about(example="path:src/checkout/* #payments")]
    owners: Annotated[list[str], about(example=["#payments"])]
    source: Annotated[str, one_of(("rules", "codeowners"))]
    matched: Annotated[str, about("What of the event.", example="src/checkout/pay.py")]


class MatchedJson(TypedDict):
    """Which lines an event matches; of several the last decides."""

    lines: list[MatchedLineJson]
    assignee: Annotated[AssigneeJson | None, about("Who would be assigned.")]
    isWhole: Annotated[bool, about("Whether all of the event was looked at.", example=True)]


# Maintenance windows


class PauseJson(TypedDict):
    """A maintenance window: what rings meanwhile waits."""

    id: Annotated[str, about(example="3")]
    startsAt: Annotated[Moment, about("Of a weekly one: the first time.")]
    endsAt: Moment
    weekly: bool
    timezone: Annotated[str, about(example="Europe/Paris")]
    environment: Annotated[str | None, about("Null: all of them.")]
    scope: Annotated[str, one_of(SCOPES)]
    reason: Annotated[str, about(example="Moving the database")]
    sentence: Annotated[str, about("When it holds, in words.", example="23 November, 15:04 to 16:04")]
    until: Annotated[Moment | None, about("Until when it holds now.")]
    next: Annotated[Moment | None, about("When it holds again.")]
    dateCreated: Moment
    createdBy: PersonJson | None


class PauseWishJson(TypedDict, total=False):
    """What is absent stays; of a new one, it begins now. What was read can be sent back."""

    startsAt: Moment
    endsAt: Moment
    weekly: bool
    timezone: Annotated[str, about(example="Europe/Paris")]
    environment: Annotated[str | None, about("Null: all of them.")]
    scope: Annotated[str, one_of(SCOPES)]
    reason: Annotated[str | None, about(example="Moving the database")]
    id: Any
    sentence: Any
    until: Any
    next: Any
    dateCreated: Any
    createdBy: Any


PAUSE: PauseWishJson = {
    "startsAt": "2026-11-23T22:00:00Z",
    "endsAt": "2026-11-23T23:00:00Z",
    "scope": "all",
    "reason": "Moving the database",
}
PauseWish = Annotated[PauseWishJson, about(example=PAUSE)]
