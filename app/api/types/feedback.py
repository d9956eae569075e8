"""What people who met an error wrote about it, and how much a project received."""

from typing import Annotated, TypedDict

from msgspec import Meta

from app.api.describing import Moment, about

# A pair as a list: JSON Schema’s own pairs are beyond many tools.
PointJson = Annotated[
    list[int],
    Meta(min_length=2, max_length=2),
    about("The beginning of a span, in seconds since 1970, and the events in it.", example=[1795449600, 12]),
]
EventId = Annotated[str, about("32 hexadecimal digits.", example="ad8ca6e1f4474cd7b73e7b96b3cb2ad5")]


class FeedbackEventJson(TypedDict):
    """The event that it is about."""

    id: Annotated[str | None, about("Null as long as it has not come in.")]
    eventID: Annotated[str | None, about("Null where none was named.")]


class FeedbackIssueJson(TypedDict):
    """The issue of that event."""

    id: str
    shortId: Annotated[str, about(example="SHOP-1")]
    title: Annotated[str, about(example="ValueError: cart is empty")]
    level: str
    status: str
    permalink: str


class FeedbackJson(TypedDict):
    """What somebody wrote about an error."""

    id: str
    eventID: Annotated[str | None, about("Null where none was named.")]
    name: Annotated[str, about(example="Jane")]
    email: Annotated[str, about(example="jane@example.net")]
    comments: Annotated[str, about(example="I only pressed Pay.")]
    dateCreated: Moment
    user: Annotated[None, about("Nobody is looked up by what a stranger typed.")]
    event: FeedbackEventJson
    issue: Annotated[
        FeedbackIssueJson | None, about("Null until the event has come in, and always for who sent a DSN.")
    ]


class NewFeedbackJson(TypedDict):
    """What somebody wrote about an event that has come in, or will."""

    event_id: EventId
    name: Annotated[str, about(example="Jane")]
    email: Annotated[str, about(example="jane@example.net")]
    comments: Annotated[str, about("At most 8192 characters.", example="I only pressed Pay.")]
