"""What every way out has in common: a message goes in, one result for it comes out."""

from dataclasses import dataclass
from enum import StrEnum


class Result(StrEnum):
    ACCEPTED = "accepted"
    RETRY = "retry"  # not now: try again later
    NOT_TRIED = "not tried"  # there was no time left
    FAILED = "failed"  # this message will never be taken


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one message, in the other side's own words."""

    delivery_id: int
    result: Result
    code: str = ""
    response: str = ""
    milliseconds: int = 0
    peer: str = ""


@dataclass(frozen=True, slots=True)
class Mail:
    """A finished mail for one person. `headers` hold everything but From, To, Subject, Date, Message-ID."""

    delivery_id: int
    public_id: str
    message_id: str
    sender_name: str
    to_name: str
    to_address: str
    subject: str
    text: str
    html: str
    headers: tuple[tuple[str, str], ...] = ()
