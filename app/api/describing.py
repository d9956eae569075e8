"""What a call's description is made of, beside its address, its scopes and its docstring.

    @bp.get("/issues/<issue>/comments/")
    @needs("event:read")
    @describes({200: Page[CommentJson]})
    def comments(issue: str) -> Answer:
        '''The comments of an issue, newest first.'''

The first line of the docstring is the call's heading; the rest is its text. What is answered and taken is
said with types of `app/api/types/`, which the functions that shape answers return as well, so that mypy
holds the two together; what tests are answered is held against them too (`tests/api/held.py`).
`app/api/openapi.py` makes one document of it all, and adds what is the same everywhere: errors, pages,
tokens.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, ParamSpec, TypeVar

from msgspec import Meta

P = ParamSpec("P")
T = TypeVar("T")


def about(text: str | None = None, *, example: Any = None) -> Meta:
    """What a member means, and how it may look: `slug: Annotated[str, about("Unique.", example="shop")]`."""
    return Meta(description=text, examples=None if example is None else [example])


def one_of(values: Iterable[str]) -> Meta:
    """Which texts there are, from the table that decides: `status: Annotated[str, one_of(STATUSES)]`."""
    return Meta(extra_json_schema={"enum": list(values)})


Moment = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]


class Page(Generic[T]):
    """An answer that is one page of a list: it takes `cursor` and `per_page`, and has a Link header."""


class File:
    """Bytes as they are: an answer, or a part of a form."""


@dataclass(frozen=True)
class Form:
    """A body of `multipart/form-data`; its type says which parts there are."""

    parts: Any


Upload = Annotated[str, Meta(extra_json_schema={"format": "binary"})]


@dataclass(frozen=True)
class Query:
    """A member of the query string. Of a type `list[…]`: it may be given several times."""

    name: str
    text: str
    type: Any = str
    example: Any = None


@dataclass(frozen=True)
class Description:
    """What `describes` was told of a call."""

    answers: Mapping[int, Any]
    body: Any = None
    query: Sequence[Query] = ()


def describes(
    answers: Mapping[int, Any], *, body: Any = None, query: Sequence[Query] = ()
) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Say what a call answers, by status, and what it takes. Stands directly above the function.

    An answer is a type, `Page[…]` of one, `File`, or `None` where there is nothing to read. Errors in the
    common form need not be named.
    """

    def decorate(call: Callable[P, T]) -> Callable[P, T]:
        vars(call)["description"] = Description(answers, body, query)
        return call

    return decorate


def description_of(call: Callable[..., Any]) -> Description | None:
    """What was said of it; nothing yet is for tests to complain of."""
    found: Description | None = vars(call).get("description")
    return found


def scopes_of(call: Callable[..., Any]) -> Sequence[str]:
    """The scopes of which it needs one, as `needs` has it; none for a call that is open to all."""
    found: Sequence[str] = vars(call).get("scopes", ())
    return found
