"""What may not be done, in words fit to show to the person who tried."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager


class Refused(Exception):
    """A request that the rules forbid; `field` names the form field at fault, if one is.

    `by_field` is what is said of each field at fault, where several are; "" stands for the form as a whole.
    """

    def __init__(
        self, message: str, *, field: str | None = None, by_field: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.by_field = by_field or {field or "": message}


@contextmanager
def noting(found: list[Refused]) -> Iterator[None]:
    """Go on after what is refused, so that all that is wrong can be said at once."""
    try:
        yield
    except Refused as error:
        found.append(error)


def refuse_all(found: Sequence[Refused]) -> None:
    """As one, if there are any; the first comes first."""
    if found:
        wrong = {field: message for each in reversed(found) for field, message in each.by_field.items()}
        in_order = {field: wrong[field] for each in found for field in each.by_field}
        raise Refused(found[0].message, field=found[0].field, by_field=in_order)


class NotFound(Exception):
    """Nothing here that this person may see. Whether it exists is not said."""


class Stale(Exception):
    """What is to be changed is not any more as whoever wants to change it was shown it."""
