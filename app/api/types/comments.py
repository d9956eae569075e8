"""What happened to an issue, and what people wrote about it."""

from typing import Annotated, Any, TypedDict

from app.api.describing import Moment, about
from app.api.types.workspaces import PersonJson


class ActivityJson(TypedDict):
    """Something that happened to an issue."""

    id: Annotated[str, about(example="31")]
    type: Annotated[
        str, about("Such as `note`, which is a comment, `set_resolved` or `assigned`.", example="note")
    ]
    user: Annotated[PersonJson | None, about("Who did it; null: Tocsin itself.")]
    data: Annotated[
        dict[str, Any], about("What there is to tell of it, by type.", example={"text": "On it."})
    ]
    dateCreated: Moment


class CommentTextJson(TypedDict):
    text: Annotated[str, about("`@handle` and `#team` mention people.", example="On it.")]
