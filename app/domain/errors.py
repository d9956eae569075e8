"""What may not be done, in words fit to show to the person who tried."""


class Refused(Exception):
    """A request that the rules forbid; `field` names the form field at fault, if one is."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class NotFound(Exception):
    """Nothing here that this person may see. Whether it exists is not said."""
