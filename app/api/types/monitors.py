"""Monitors: jobs that check in, and their check-ins."""

from typing import Annotated, TypedDict

from app.api.describing import Moment, about, one_of
from app.domain import check_ins, monitors

STATUSES = ("active", "disabled")
# In the words that clients know: `active` is one that has not checked in yet.
ENVIRONMENT_STATUSES = {monitors.WAITING: "active", monitors.OK: "ok", monitors.FAILING: "error"}


class MonitorProjectJson(TypedDict):
    """Whose job it is."""

    id: str
    slug: str
    name: str
    platform: str


class MonitorConfigJson(TypedDict):
    """What is expected of a job."""

    schedule_type: Annotated[str, one_of(("crontab", "interval"))]
    schedule: Annotated[
        str | list[int | str] | None,
        about("A crontab, or a number and a unit; null as long as nobody has said.", example="0 3 * * *"),
    ]
    timezone: Annotated[str, about(example="Europe/Berlin")]
    checkin_margin: Annotated[int, about("Minutes that a check-in may be late.", example=5)]
    max_runtime: Annotated[int, about("Minutes that a run may take.", example=30)]
    failure_issue_threshold: Annotated[int, about("Failures in a row that make an issue.", example=1)]
    recovery_threshold: Annotated[int, about("Successes in a row that resolve it.", example=1)]


class MonitorEnvironmentJson(TypedDict):
    """How a job stands in one environment."""

    name: Annotated[str, about(example="production")]
    status: Annotated[str, one_of(ENVIRONMENT_STATUSES.values())]
    isMuted: bool
    lastCheckIn: Moment | None
    nextCheckIn: Annotated[Moment | None, about("When the next one is expected.")]
    nextCheckInLatest: Annotated[Moment | None, about("When it is missed.")]


class MonitorJson(TypedDict):
    """A job that checks in."""

    id: str
    slug: Annotated[str, about(example="nightly-backup")]
    name: Annotated[str, about(example="Nightly backup")]
    status: Annotated[str, about("`disabled`: paused."), one_of(STATUSES)]
    isMuted: bool
    isUpserting: Annotated[bool, about("Whether check-ins may change its settings.")]
    config: MonitorConfigJson
    environments: list[MonitorEnvironmentJson]
    project: MonitorProjectJson
    dateCreated: Moment


class CheckInJson(TypedDict):
    """A run of a job, or one that did not come."""

    id: Annotated[str, about("A UUID.", example="83a7c03e-d0ff-4063-97e2-e2be3ee1c4bd")]
    environment: Annotated[str, about(example="production")]
    status: Annotated[str, one_of((*check_ins.SENT, check_ins.MISSED, check_ins.TIMEOUT))]
    duration: Annotated[int | None, about("Milliseconds.", example=12500)]
    dateAdded: Moment
    dateUpdated: Moment
    expectedTime: Moment | None
    release: Annotated[str | None, about(example="jobs@1.2")]
    eventID: Annotated[
        str | None, about("Of the event that its failure made.", example="ad8ca6e1f4474cd7b73e7b96b3cb2ad5")
    ]
