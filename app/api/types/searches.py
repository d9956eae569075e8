"""Searches that are kept."""

from typing import Annotated, Literal, NotRequired, TypedDict

from app.api.describing import Moment, about, one_of
from app.api.orders import ORDERS

Visibility = Literal["owner", "organization"]
Sort = Annotated[str, about("The order.", example="date"), one_of(ORDERS)]
Searched = Annotated[str, about("What is searched for.", example="is:unresolved assigned:me")]


class SearchJson(TypedDict):
    """A search under a name. Built-in ones have no id."""

    id: str | None
    name: Annotated[str, about(example="Needs triage")]
    query: Searched
    sort: Sort
    visibility: Annotated[Visibility, about("`organization`: everybody's; `owner`: one's own.")]
    isGlobal: Annotated[bool, about("Built in, and everywhere.")]
    isPinned: Annotated[bool, about("What the person sees first in lists of this organization.")]
    dateCreated: Moment | None


class NewSearchJson(TypedDict):
    """A search to keep."""

    name: Annotated[str, about("Unique among one's own, or among everybody's.", example="Checkout")]
    query: Searched
    sort: NotRequired[Sort]
    visibility: NotRequired[Visibility]


class PinJson(TypedDict):
    """A search to see first."""

    query: Searched
    sort: NotRequired[Sort]
