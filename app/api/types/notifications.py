"""What people want to hear of, what became of it, and the integrations that hear of it too."""

from typing import Annotated, Any, TypedDict

from app.api.describing import Moment, about, one_of
from app.api.types.workspaces import PersonJson
from app.channels import CHANNELS
from app.domain.delivery_states import STATES
from app.domain.kinds import KINDS, WORKFLOW_SWITCHES
from app.domain.preferences import BATCHING, SOURCES, VALUES

# Integrations


class HealthJson(TypedDict):
    state: Annotated[str, about("`ok`, `failing` or `disabled`.", example="ok")]
    since: Moment | None
    detail: Annotated[str | None, about("What went wrong.", example=None)]


WEBHOOK = {"url": "https://hooks.example.org/tocsin", "secret": "••••1a2b", "payload": "full"}


class IntegrationJson(TypedDict):
    """Where else a project rings."""

    id: Annotated[str, about(example="7")]
    channel: Annotated[str, about(example="webhook"), one_of(CHANNELS)]
    name: Annotated[str, about(example="On call")]
    settings: Annotated[
        dict[str, Any],
        about(
            "By channel. Secrets come back as their last characters; writing that keeps them.",
            example=WEBHOOK,
        ),
    ]
    kinds: Annotated[list[str], about("Of what it hears.", example=["new", "regression", "resolved"])]
    enabled: Annotated[bool, about(example=True)]
    health: HealthJson
    dateCreated: Moment


class IntegrationWishJson(TypedDict, total=False):
    """What is absent stays. What was read can be sent back."""

    channel: Annotated[str, about(example="webhook"), one_of(CHANNELS)]
    name: Annotated[str | None, about(example="On call")]
    settings: Annotated[dict[str, Any] | None, about(example={"url": "https://hooks.example.org/tocsin"})]
    kinds: Annotated[list[str] | None, about(example=["new", "regression", "resolved"])]
    enabled: Annotated[bool, about(example=True)]
    id: Any
    health: Any
    dateCreated: Any


INTEGRATION: IntegrationWishJson = {
    "channel": "webhook",
    "name": "On call",
    "settings": {"url": "https://hooks.example.org/tocsin"},
    "kinds": ["new", "regression", "resolved"],
}
IntegrationWish = Annotated[IntegrationWishJson, about(example=INTEGRATION)]


class TestedJson(TypedDict):
    notice: Annotated[str, about("The notice that was sent.", example="n_4k2v9q1xw7")]


class TryJson(TypedDict):
    """One try to send a message to an integration."""

    at: Moment
    outcome: Annotated[str, about(example="accepted")]
    code: Annotated[str, about("What the service answered.", example="200")]
    request: Annotated[
        str, about("What it was sent, without secrets.", example="POST https://hooks.example.org/tocsin")
    ]
    response: Annotated[str, about(example="ok")]
    ms: Annotated[int, about(example=12)]


class SentJson(TypedDict):
    """A message for an integration."""

    id: Annotated[str, about(example="d_4k2v9q1xw7")]
    notice: Annotated[str, about(example="n_4k2v9q1xw7")]
    kind: Annotated[str, one_of(KINDS)]
    issue: Annotated[str | None, about(example="SHOP-1")]
    state: Annotated[str, about(example="accepted")]
    dateCreated: Moment
    nextTry: Moment | None
    attempts: list[TryJson]


# Settings

ALERTS, WORKFLOW = VALUES["alerts"], VALUES["workflow"]
DEPLOYS = ("all", "mine", "never")
DEFAULT = "default"
KINDS_OF_WORKFLOW = about(
    f"By kind: {', '.join(WORKFLOW_SWITCHES)}.", example=dict.fromkeys(WORKFLOW_SWITCHES, True)
)


class ProjectChoicesJson(TypedDict):
    """What a person chose for a project; `default`: nothing."""

    alerts: Annotated[str, one_of((DEFAULT, *ALERTS))]
    workflow: Annotated[str, one_of((DEFAULT, *WORKFLOW))]
    email: Annotated[str | None, about("Where its mail goes; null: to the primary address.", example=None)]


class OrganizationChoicesJson(TypedDict):
    deploys: Annotated[str, one_of((DEFAULT, *DEPLOYS))]


class InForceJson(TypedDict):
    """A value, and where it was chosen."""

    value: Annotated[str, about(example="on")]
    source: Annotated[str, one_of(SOURCES)]


class ProjectInForceJson(TypedDict):
    alerts: InForceJson
    workflow: InForceJson


class SettingsJson(TypedDict):
    """What a person wants to hear of. Projects by slug, or by `organization/slug` where several have it."""

    alerts: Annotated[str, one_of(ALERTS)]
    workflow: Annotated[str, one_of(WORKFLOW)]
    deploys: Annotated[str, one_of(DEPLOYS)]
    batching: Annotated[
        str, about("Minutes between mails, or as each project says."), one_of(VALUES[BATCHING])
    ]
    workflowKinds: Annotated[dict[str, bool], KINDS_OF_WORKFLOW]
    integrationHealth: Annotated[bool, about("Whether to hear of integrations that fail.", example=True)]
    ownActivity: Annotated[bool, about("Whether to hear of what one did oneself.")]
    claimUnassignedOnResolve: Annotated[bool, about("Whether who resolves an issue is assigned to it.")]
    timezone: Annotated[str, about(example="Europe/Paris")]
    projects: Annotated[
        dict[str, ProjectChoicesJson],
        about(example={"shop": {"alerts": "off", "workflow": "default", "email": None}}),
    ]
    organizations: Annotated[
        dict[str, OrganizationChoicesJson], about(example={"acme": {"deploys": "default"}})
    ]
    effective: Annotated[
        dict[str, ProjectInForceJson],
        about(
            "What is in force for each project, and why. Read only.",
            example={
                "shop": {
                    "alerts": {"value": "off", "source": "project"},
                    "workflow": {"value": "always", "source": "built-in"},
                }
            },
        ),
    ]


class ProjectWishJson(TypedDict, total=False):
    alerts: Annotated[str, one_of((DEFAULT, "", *ALERTS))] | None
    workflow: Annotated[str, one_of((DEFAULT, "", *WORKFLOW))] | None
    email: str | None


class OrganizationWishJson(TypedDict, total=False):
    deploys: Annotated[str, one_of((DEFAULT, "", *DEPLOYS))] | None


class SettingsChangeJson(TypedDict, total=False):
    """What is absent stays; `default`, empty or null takes a choice back."""

    alerts: Annotated[str, one_of((DEFAULT, "", *ALERTS))] | None
    workflow: Annotated[str, one_of((DEFAULT, "", *WORKFLOW))] | None
    deploys: Annotated[str, one_of((DEFAULT, "", *DEPLOYS))] | None
    batching: Annotated[str, one_of((DEFAULT, "", *VALUES[BATCHING]))] | None
    workflowKinds: Annotated[dict[str, bool] | None, KINDS_OF_WORKFLOW]
    integrationHealth: bool
    ownActivity: bool
    claimUnassignedOnResolve: bool
    timezone: Annotated[str, about(example="Europe/Paris")]
    projects: Annotated[dict[str, ProjectWishJson] | None, about(example={"shop": {"alerts": "off"}})]
    organizations: Annotated[
        dict[str, OrganizationWishJson] | None, about(example={"acme": {"deploys": "all"}})
    ]


CHANGE: SettingsChangeJson = {
    "workflow": "participating",
    "workflowKinds": {"comments": False},
    "projects": {"shop": {"alerts": "off"}},
}
SettingsChange = Annotated[SettingsChangeJson, about(example=CHANGE)]


# Notices


class NoticeRuleJson(TypedDict):
    id: str
    name: Annotated[str, about(example="Many errors in production")]


class ReachJson(TypedDict):
    """How many were told, and how many not."""

    told: Annotated[int, about(example=4)]
    held: Annotated[int, about("Still to go out.", example=2)]
    failed: Annotated[int, about(example=0)]
    bounced: Annotated[int, about("Always 0.", example=0)]
    collapsed: Annotated[int, about("Told by another message.", example=0)]
    notTold: Annotated[int, about(example=5)]
    sentence: Annotated[str, about("The same in words.", example="Told 4, held 2 until 08:00, 5 not told")]


class SubjectJson(TypedDict):
    type: Annotated[str, one_of(("user", "integration"))]
    id: str
    name: Annotated[str | None, about(example="Ann")]


class AttemptJson(TypedDict):
    """One try to send it."""

    at: Annotated[Moment | None, about("Null where that would tell of somebody's quiet hours.")]
    outcome: Annotated[str, about(example="accepted")]
    code: Annotated[str, about("What the other side answered.", example="250")]
    response: Annotated[str, about(example="2.0.0 Ok: queued")]
    ms: Annotated[int, about(example=12)]


class DeliveryJson(TypedDict):
    """The message that went out."""

    id: Annotated[str, about(example="d_4k2v9q1xw7")]
    state: Annotated[str, one_of(STATES)]
    messageId: Annotated[str | None, about("Of the mail.", example="<n_4k2v9q1xw7@tocsin.example.org>")]
    attempts: list[AttemptJson]


class VerdictJson(TypedDict):
    """What was decided for one person or integration."""

    subject: SubjectJson
    channel: Annotated[str, about(example="email")]
    outcome: Annotated[str, about("`send`, `defer`, `skip` or `collapse`.", example="send")]
    code: Annotated[
        str | None, about("Why; null where somebody else's own settings decided.", example="send")
    ]
    sentence: Annotated[str, about("Why, in words.", example="Told at once.")]
    reasons: Annotated[list[str], about("Codes of why they were considered.", example=["assigned"])]
    because: Annotated[list[str], about("The same in words.", example=["You are assigned to it."])]
    until: Annotated[Moment | None, about("When it is decided again.", example=None)]
    delivery: DeliveryJson | None


class NoticeJson(TypedDict):
    """Something that people may be told, and who was."""

    id: Annotated[str, about(example="n_4k2v9q1xw7")]
    kind: Annotated[str, one_of(KINDS)]
    category: Annotated[str, about(example="alerts")]
    issue: Annotated[str | None, about("Its short id, also after it is gone.", example="SHOP-1")]
    event: Annotated[str | None, about(example="9c1f0d2b7a6e4f5d8c3b2a1908f7e6d5")]
    actor: Annotated[PersonJson | None, about("Who did it; null: Tocsin itself.")]
    rule: NoticeRuleJson | None
    ruleVersion: int | None
    ownersVersion: int | None
    dateCreated: Moment
    gate: Annotated[str | None, about("Why nobody was considered.", example=None)]
    reach: ReachJson
    verdicts: Annotated[list[VerdictJson], about("Of those whom the token's person may know of.")]


class SwitchJson(TypedDict):
    """Where to change that."""

    label: Annotated[str, about(example="Alerts")]
    url: Annotated[str, about(example="https://tocsin.example.org/settings/account/notifications/alerts/")]


class ReplyJson(TypedDict):
    """Why somebody heard of an issue, or did not."""

    notice: Annotated[str | None, about(example="n_4k2v9q1xw7")]
    answer: Annotated[str, one_of(("delivered", "held", "refused", "collapsed", "no_notice", "no_event"))]
    code: Annotated[str | None, about(example="alerts_off")]
    scope: Annotated[str | None, about("Where it was chosen.", example="account")]
    sentence: Annotated[str, about(example="Alerts are off.")]
    switch: SwitchJson | None
