"""Why a client's request is turned away, in the words and with the status that it is answered."""

from __future__ import annotations

from collections.abc import Iterable


class Rejected(Exception):
    """A request of an SDK that is not accepted: nothing of it is stored."""

    status = 400

    def __init__(self, detail: str, causes: Iterable[str] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.causes = tuple(causes)


class Malformed(Rejected):
    """Not what the protocol allows."""


class Unauthenticated(Rejected):
    """No key, or keys that contradict each other."""

    status = 401


class Forbidden(Rejected):
    """A key, but not one for this project."""

    status = 403


class TooLarge(Rejected):
    """Beyond a limit on sizes or counts."""

    status = 413
