"""Issues, and what clients may ask to be done with them."""

from typing import Annotated, Any, Literal, NotRequired, TypedDict

from app.api.describing import Moment, about, one_of
from app.api.types.comments import ActivityJson
from app.api.types.workspaces import SeenByJson
from app.domain.importance import CHOICES as PRIORITIES
from app.domain.issue_update import STATUSES as WORDS
from app.domain.lifecycle import STATUSES
from app.domain.rule_parts import LEVELS

ShortId = Annotated[str, about(example="SHOP-1")]
Count = Annotated[int, about(example=12)]


class IssueProjectJson(TypedDict):
    id: str
    slug: str
    name: str
    platform: str


class IssueMetadataJson(TypedDict, total=False):
    """What went wrong, and where; what is unknown is missing."""

    type: Annotated[str, about(example="ValueError")]
    value: Annotated[str, about(example="cart is empty")]
    filename: Annotated[str, about(example="shop/views.py")]
    function: Annotated[str, about(example="pay")]


class AssigneeJson(TypedDict):
    """A person or a team."""

    type: Literal["user", "team"]
    id: str
    name: Annotated[str, about("Of the person; the slug of the team.", example="Ann")]
    email: NotRequired[Annotated[str, about("Of a person.")]]


class NamedRepositoryJson(TypedDict):
    name: Annotated[str, about(example="acme/shop")]


class ResolvingCommitJson(TypedDict):
    id: Annotated[str, about(example="356a192b7913b04c54574d18c28d46e6395428ab")]
    repository: NamedRepositoryJson


class StatusDetailsJson(TypedDict, total=False):
    """In what it is resolved, or until when it is ignored; empty if plainly so."""

    inRelease: Annotated[str, about("The version.", example="shop@1.4.0")]
    inNextRelease: Literal[True]
    inCommit: ResolvingCommitJson
    ignoreUntil: Moment
    ignoreCount: Annotated[int, about("Until so many further events.", example=100)]
    ignoreWindow: Annotated[int, about("Within so many minutes.", example=60)]
    ignoreUserCount: Annotated[int, about("Until so many further people have it.", example=10)]
    ignoreUserWindow: Annotated[int, about("Within so many minutes.", example=60)]
    ignoreUntilEscalating: Annotated[Literal[True], about("Until it gets worse.")]


StatsJson = TypedDict(
    "StatsJson",
    {
        "24h": Annotated[
            list[list[int]],
            about(
                "Of each of the last 24 hours its beginning, in seconds since 1970, and its events. "
                "Lists have it, an issue by itself does not.",
                example=[[1795449600, 12]],
            ),
        ]
    },
)


class IssueJson(TypedDict):
    """An issue, as lists have it."""

    id: str
    shortId: ShortId
    title: str
    culprit: Annotated[str, about("Where it happened.")]
    level: Annotated[str, about(example="error"), one_of(LEVELS)]
    type: Annotated[str, one_of(("error", "default"))]
    status: Annotated[str, one_of(STATUSES)]
    substatus: Annotated[
        str | None,
        about(
            "`new`, `ongoing`, `regressed` or `escalating`; of ignored ones `archived_until_escalating`, "
            "`archived_until_condition_met` or `archived_forever`.",
            example="new",
        ),
    ]
    statusDetails: Annotated[StatusDetailsJson, about(example={})]
    platform: str
    project: IssueProjectJson
    metadata: IssueMetadataJson
    count: Annotated[str, about("Events of it, as text.", example="12")]
    userCount: Annotated[int, about("People who had it.", example=3)]
    firstSeen: Moment
    lastSeen: Moment
    assignedTo: AssigneeJson | None
    isBookmarked: Annotated[bool, about("By the token's person.")]
    isSubscribed: Annotated[bool, about("Whether the token's person follows it.")]
    hasSeen: Annotated[
        bool, about("Whether the token's person looked at it since it last became unresolved.", example=False)
    ]
    isPublic: Annotated[bool, about("Always false.", example=False)]
    logger: Annotated[str | None, about(example="shop.checkout")]
    annotations: Annotated[list[str], about("Always empty.", example=[])]
    numComments: int
    shareId: None
    permalink: Annotated[str, about("Its page.")]
    priority: Annotated[
        str, about("As somebody chose; else by its level.", example="high"), one_of(PRIORITIES)
    ]
    stats: StatsJson


class VersionJson(TypedDict):
    version: str


class TagShareJson(TypedDict):
    value: Annotated[str, about(example="production")]
    percent: Annotated[int, about("Of the events that have the tag.", example=75)]


class IssueTagJson(TypedDict):
    """A tag, with its most frequent values."""

    key: Annotated[str, about(example="environment")]
    name: Annotated[str, about("The key again.", example="environment")]
    topValues: list[TagShareJson]


class IssueDetailsJson(IssueJson):
    """An issue with its history and its tags."""

    firstRelease: VersionJson | None
    lastRelease: VersionJson | None
    tags: list[IssueTagJson]
    activity: Annotated[list[ActivityJson], about("The newest 100, newest first.")]
    seenBy: Annotated[
        list[SeenByJson], about("The 100 of the organization who looked at it last, the last one first.")
    ]
    userReportCount: Annotated[int, about("How often people wrote about it.", example=0)]


class ShortIdJson(TypedDict):
    """Where the issue of a short id is."""

    organizationSlug: Annotated[str, about(example="acme")]
    projectSlug: Annotated[str, about(example="shop")]
    groupId: str
    group: IssueJson
    shortId: ShortId


class NamedCommitJson(TypedDict):
    commit: Annotated[str, about("Its hash.", example="356a192b7913b04c54574d18c28d46e6395428ab")]
    repository: Annotated[str, about(example="acme/shop")]


class IgnoreConditions(TypedDict, total=False):
    """What ends an ignore; null and absence: not that."""

    ignoreDuration: Annotated[int | None, about("Minutes.", example=60)]
    snoozeDuration: Annotated[int | None, about("The same, in the words of sentry-cli.")]
    ignoreCount: Annotated[int | None, about("Further events.", example=100)]
    ignoreWindow: Annotated[int | None, about("Minutes within which they come.", example=60)]
    ignoreUserCount: Annotated[int | None, about("Further people who have it.", example=10)]
    ignoreUserWindow: Annotated[int | None, about("Minutes within which they come.", example=60)]


class StatusWishJson(IgnoreConditions, total=False):
    """In what it is resolved (one of these), or what ends the ignore."""

    inRelease: Annotated[str | None, about("A version, or `latest`.", example="shop@1.4.0")]
    inNextRelease: bool | None
    inCommit: NamedCommitJson | None


class IssueUpdateJson(IgnoreConditions, total=False):
    """The changes; what is absent stays."""

    status: Annotated[
        Annotated[str, one_of(WORDS)] | None,
        about(
            "`muted` is `ignored`, and `resolvedInNextRelease` is `resolved` with that detail.",
            example="resolved",
        ),
    ]
    statusDetails: StatusWishJson | None
    substatus: Annotated[
        str | None,
        about("`archived_until_escalating`, with the status `ignored`: until it gets worse."),
    ]
    assignedTo: Annotated[
        str | int | None,
        about(
            "`user:5`, `team:3`, an id, an address, a handle or `#team`; empty or null: nobody.",
            example="user:1",
        ),
    ]
    isSubscribed: bool
    isBookmarked: bool
    hasSeen: Annotated[bool, about("For the token's person.")]
    priority: Annotated[
        Annotated[str, one_of(PRIORITIES)] | None,
        about("Instead of what the level says; null: by that again. Nobody is told of it.", example="high"),
    ]
    merge: Annotated[
        bool | None,
        about("Make one of two or more. Goes with no other change; needs `event:admin`."),
    ]
    discard: Annotated[
        bool | None, about("Delete them and drop what comes. Goes with no other change; needs `event:admin`.")
    ]
    isPublic: Annotated[bool | None, about("Only false: there are no public links to issues.", example=False)]
    inbox: Annotated[
        Any,
        about("Taken, and changes nothing: for review is what is unresolved and nobody's.", example=False),
    ]


UPDATE: IssueUpdateJson = {"status": "resolved", "statusDetails": {"inRelease": "latest"}}
IssueUpdate = Annotated[IssueUpdateJson, about(example=UPDATE)]


class AppliedJson(TypedDict, total=False):
    """What was changed, as issues then have it."""

    status: Annotated[str, one_of(STATUSES)]
    statusDetails: Annotated[StatusDetailsJson, about(example={})]
    assignedTo: AssigneeJson | None
    isSubscribed: bool
    isBookmarked: bool
    hasSeen: bool
    priority: Annotated[Annotated[str, one_of(PRIORITIES)] | None, about("Null: by the level of each.")]


class MergeJson(TypedDict):
    parent: Annotated[str, about("The issue that is left.")]
    children: Annotated[list[str], about("Those that are in it now.", example=["2"])]


class MergedJson(TypedDict):
    merge: MergeJson


class DiscardedJson(TypedDict):
    discard: Literal[True]


class NothingJson(TypedDict):
    """An empty object."""
