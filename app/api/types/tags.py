"""The tags and hashes of an issue."""

from typing import Annotated, TypedDict

from app.api.describing import Moment, about
from app.api.types.events import EventJson


class TagValueJson(TypedDict):
    """How often an issue was seen with a value of a tag."""

    key: Annotated[str, about(example="browser")]
    name: Annotated[str, about("What people see for the value.", example="Firefox 128")]
    value: Annotated[str, about(example="Firefox 128")]
    count: Annotated[int, about(example=12)]
    firstSeen: Annotated[None, about("Not kept.")]
    lastSeen: Moment


class TagJson(TypedDict):
    """A tag of an issue, with its most frequent values."""

    key: Annotated[str, about(example="browser")]
    name: Annotated[str, about(example="browser")]
    totalValues: Annotated[int, about("How many events had it.", example=12)]
    uniqueValues: Annotated[int, about("How many values it had.", example=2)]
    topValues: list[TagValueJson]


class HashJson(TypedDict):
    """A fingerprint of which the issue takes in the events."""

    id: Annotated[str, about(example="3858f62230ac3c915f300c664312c63f")]
    latestEvent: Annotated[
        EventJson | None, about("Null unless it is among the issue's newest 1,000 events.")
    ]
