"""Organizations and who belongs to them, projects and their keys."""

from typing import Annotated, Literal, NotRequired, Required, TypedDict

from app.api.describing import Moment, about, one_of
from app.domain.roles import ROLES
from app.services.people.configuring import MAIL_DETAILS

Url = Annotated[str, about(example="https://tocsin.example.org")]
PersonName = Annotated[str, about(example="Ann")]


class PersonJson(TypedDict):
    """Somebody with an account."""

    id: str
    name: PersonName
    email: str
    username: Annotated[str, about("The handle, by which comments mention people.")]


class SeenByJson(TypedDict):
    """Somebody who looked at an issue."""

    id: str
    name: PersonName
    email: Annotated[str | None, about("Null for a token without `member:read`.")]
    username: Annotated[str, about("The handle, by which comments mention people.")]
    lastSeen: Moment


class TokenPersonJson(TypedDict):
    """Somebody with an account."""

    id: str
    email: str
    name: PersonName


class TokenJson(TypedDict):
    """A token."""

    scopes: Annotated[list[str], about("What it may do.", example=["event:read", "project:read"])]


class AboutJson(TypedDict):
    """The API, and who asks it."""

    version: Annotated[str, about("Of the API.", example="0")]
    auth: Annotated[TokenJson | None, about("Null without a token.")]
    user: Annotated[TokenPersonJson | None, about("Whose token it is; null for one of an organization.")]


class OrganizationStatusJson(TypedDict):
    id: Literal["active"]
    name: Literal["active"]


class OrganizationLinksJson(TypedDict):
    organizationUrl: Url
    regionUrl: Url


class OrganizationJson(TypedDict):
    """An organization."""

    id: str
    slug: Annotated[str, about("Its name in addresses.", example="acme")]
    name: Annotated[str, about(example="Acme")]
    dateCreated: Moment
    isEarlyAdopter: bool
    require2FA: bool
    requireEmailVerification: bool
    features: Annotated[list[str], about("Always empty.", example=[])]
    status: OrganizationStatusJson
    links: OrganizationLinksJson


class TeamJson(TypedDict):
    """A team of an organization."""

    id: str
    slug: Annotated[str, about(example="core")]
    name: Annotated[str, about(example="Core")]
    dateCreated: Moment


class MemberJson(TypedDict):
    """Somebody's membership of an organization."""

    id: Annotated[str, about("Of the membership.")]
    email: str
    name: PersonName
    role: Annotated[str, one_of(ROLES)]
    user: TokenPersonJson


class ProjectJson(TypedDict):
    """A project, as lists have it."""

    id: str
    slug: str
    name: str
    platform: Annotated[str, about("Of its SDK; empty where nobody said.")]
    dateCreated: Moment
    firstEvent: Moment | None
    status: Literal["active"]
    isBookmarked: bool
    isMember: Annotated[bool, about("Whether the token's person is in one of its teams.")]
    hasAccess: bool
    features: Annotated[list[str], about("Always empty.", example=[])]
    team: Annotated[TeamJson | None, about("The first of its teams.")]
    teams: list[TeamJson]
    organization: OrganizationJson


class ProjectSettings(TypedDict):
    """What can be chosen for a project."""

    subjectPrefix: Annotated[str, about("Before the subject of every mail.", example="[shop]")]
    subjectTemplate: Annotated[
        str, about("The subject of mails about an issue; empty: the usual one.", example="$shortID: $title")
    ]
    mailDetail: Annotated[str, about("How much of an event messages show."), one_of(MAIL_DETAILS)]
    resolveAge: Annotated[
        int, about("Hours without an event after which an issue is resolved; 0: never.", example=0)
    ]
    digestsMinDelay: Annotated[
        int,
        about(
            "Seconds for which alerts wait for others, in whole minutes; 0: each is sent at once.",
            example=300,
        ),
    ]
    digestsMaxDelay: Annotated[int, about("The longest that they wait, likewise.", example=300)]
    sensitiveFields: Annotated[
        list[str], about("Names of fields whose values are not kept.", example=["iban"])
    ]
    safeFields: Annotated[list[str], about("Names of fields whose values are kept.", example=["token_count"])]
    allowedDomains: Annotated[
        list[str],
        about("From where browsers may send events; empty: from anywhere.", example=["*.example.org"]),
    ]


class ProjectDetailsJson(ProjectJson, ProjectSettings):
    """A project with its settings."""


class NewProjectJson(TypedDict, total=False):
    name: Required[str]
    slug: Annotated[str, about("Made from the name if absent.")]
    platform: str


class ProjectChangeJson(TypedDict, total=False):
    """What is absent stays."""

    name: str
    platform: str
    subjectPrefix: str | None
    subjectTemplate: str | None
    mailDetail: Annotated[str, one_of(MAIL_DETAILS)]
    resolveAge: Annotated[int | None, about("Hours; 0: never.", example=720)]
    digestsMinDelay: Annotated[int | None, about("Seconds, in whole minutes.", example=300)]
    digestsMaxDelay: Annotated[int | None, about("Seconds, in whole minutes.", example=300)]
    sensitiveFields: list[str] | None
    safeFields: list[str] | None
    allowedDomains: list[str] | None


CHANGE: ProjectChangeJson = {"platform": "python-flask", "resolveAge": 720, "digestsMaxDelay": 900}
ProjectChange = Annotated[ProjectChangeJson, about(example=CHANGE)]


class RateLimitJson(TypedDict):
    """How many events a key may send."""

    window: Annotated[int, about("Seconds.", example=60)]
    count: Annotated[int, about("Events in that time.", example=100)]


class DsnJson(TypedDict):
    """Where to send to, for each way of sending."""

    public: Annotated[
        str, about("The DSN.", example="https://6f4c1f0e8a5b4d7c9e2a3b1c0d9e8f70@tocsin.example.org/1")
    ]
    secret: Annotated[
        str, about("The same again.", example="https://6f4c1f0e8a5b4d7c9e2a3b1c0d9e8f70@tocsin.example.org/1")
    ]
    csp: str
    security: str
    minidump: str
    cdn: None


class KeyJson(TypedDict):
    """A key that SDKs send with."""

    id: Annotated[str, about("The public half.", example="6f4c1f0e8a5b4d7c9e2a3b1c0d9e8f70")]
    name: Annotated[str, about(example="Default")]
    label: Annotated[str, about("The name again.", example="Default")]
    public: Annotated[str, about("The id again.", example="6f4c1f0e8a5b4d7c9e2a3b1c0d9e8f70")]
    projectId: int
    isActive: Annotated[bool, about("Whether events sent with it are taken.", example=True)]
    rateLimit: Annotated[RateLimitJson | None, about("Null: no limit of its own.")]
    dateCreated: Moment
    dsn: DsnJson


class KeyLimitJson(TypedDict):
    """How many events a key may send: both, or neither."""

    window: NotRequired[Annotated[int | None, about("Seconds.", example=60)]]
    count: NotRequired[Annotated[int | None, about("Events in that time.", example=100)]]


class NewKeyJson(TypedDict, total=False):
    name: str | None
    rateLimit: Annotated[KeyLimitJson | None, about("Null: no limit of its own.")]


class KeyChangeJson(TypedDict, total=False):
    """What is absent stays."""

    name: str | None
    isActive: bool
    rateLimit: Annotated[KeyLimitJson | None, about("Null: no limit of its own.")]
