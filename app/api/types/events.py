"""Events: the regular form of what SDKs sent."""

from typing import Annotated, Any, TypedDict

from app.api.describing import Moment, about, one_of
from app.api.types.feedback import FeedbackJson

EventId = Annotated[str, about(example="9c1f0d2b7a6e4f5d8c3b2a1908f7e6d5")]
ENTRIES = ("exception", "threads", "breadcrumbs", "message", "request", "debugmeta")


class EventTagJson(TypedDict):
    key: Annotated[str, about(example="environment")]
    value: Annotated[str, about(example="production")]


class EventJson(TypedDict):
    """An event, as lists have it."""

    id: EventId
    eventID: Annotated[str, about("The id again.", example="9c1f0d2b7a6e4f5d8c3b2a1908f7e6d5")]
    groupID: Annotated[str, about("The id of its issue.", example="1")]
    projectID: Annotated[str, about(example="1")]
    title: str
    message: Annotated[str, about("What was logged; empty where nothing was.", example="")]
    culprit: Annotated[str, about("Where it happened.")]
    location: Annotated[str | None, about("The file that failed.", example="shop/views.py")]
    platform: str
    type: Annotated[str, one_of(("error", "default"))]
    dateCreated: Annotated[Moment, about("When it happened.")]
    dateReceived: Moment
    tags: list[EventTagJson]
    user: Annotated[
        dict[str, Any] | None,
        about(
            "Whom it happened to, as far as the SDK said.",
            example={
                "id": "7",
                "email": "ann@example.org",
                "username": None,
                "ip_address": None,
                "name": None,
            },
        ),
    ]


class EntryJson(TypedDict):
    """A part of an event. Exceptions stand in the order received: the last is the outermost."""

    type: Annotated[str, one_of(ENTRIES)]
    data: Annotated[
        dict[str, Any],
        about(
            "Of exceptions, threads and breadcrumbs `values`; of others what the SDK sent.",
            example={
                "values": [
                    {"type": "ValueError", "value": "cart is empty", "module": None, "mechanism": None}
                ]
            },
        ),
    ]


class ProblemNameJson(TypedDict):
    name: Annotated[str | None, about(example="user.ip_address")]


class ProblemJson(TypedDict):
    """Something that could not be used as it was sent."""

    type: Annotated[str | None, about(example="invalid_data")]
    data: ProblemNameJson


class EventReleaseJson(TypedDict):
    version: str


class EventDetailsJson(EventJson):
    """All of an event."""

    entries: list[EntryJson]
    contexts: Annotated[dict[str, Any], about(example={"runtime": {"name": "CPython", "version": "3.12.1"}})]
    context: Annotated[dict[str, Any], about("The extra data.", example={})]
    sdk: Annotated[dict[str, Any] | None, about(example={"name": "sentry.python", "version": "2.20.0"})]
    packages: Annotated[dict[str, Any], about("Modules and their versions.", example={"flask": "3.1.0"})]
    errors: list[ProblemJson]
    fingerprints: Annotated[
        list[str], about("The hash that it was grouped by.", example=["d41d8cd98f00b204"])
    ]
    release: EventReleaseJson | None
    dist: str | None
    size: Annotated[int | None, about("Bytes that it takes.", example=2048)]
    metadata: Annotated[dict[str, str], about(example={"type": "ValueError", "value": "cart is empty"})]
    userReport: Annotated[FeedbackJson | None, about("What somebody wrote about it.", example=None)]
    nextEventID: Annotated[str | None, about("Of the same issue.", example=None)]
    previousEventID: Annotated[str | None, about("Of the same issue.", example=None)]


class EventPlaceJson(TypedDict):
    """Where an event is."""

    organizationSlug: Annotated[str, about(example="acme")]
    projectSlug: Annotated[str, about(example="shop")]
    groupId: Annotated[str, about("The id of its issue.", example="1")]
    eventId: EventId
    event: EventDetailsJson


class LogsJson(TypedDict):
    data: Annotated[list[Any], about("Always empty.", example=[])]


class AttachmentJson(TypedDict):
    """A file that came with an event."""

    id: Annotated[str, about(example="4")]
    event_id: EventId
    name: Annotated[str, about(example="log.txt")]
    mimetype: Annotated[str | None, about(example="text/plain")]
    size: Annotated[int, about("Bytes.", example=2048)]
    sha1: str
    type: Annotated[str, about(example="event.attachment")]
    dateCreated: Moment
