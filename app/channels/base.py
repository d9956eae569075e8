"""What every way out has in common: a message goes in, one result for it comes out."""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from app.domain.message import Message

if TYPE_CHECKING:  # it answers in the terms of this module
    from app.channels.http import Http


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


# Integrations: one file a channel, a frozen dataclass whose fields are its settings.


class Outcome(StrEnum):
    """What an answer means. Every sender returns exactly one."""

    DELIVERED = "delivered"
    RETRY = "retry"
    RETRY_AT = "retry_at"  # the other side says when; its other messages wait as well
    BAD_MESSAGE = "bad_message"  # ours is the fault: once more in a bare form, and the channel stays on
    BROKEN = "broken"  # it will not work before somebody changes something
    DOUBTFUL = "doubtful"  # the same, unless it was a mishap: believed after several in a row
    BLOCKED = "blocked"  # an address that Tocsin does not call


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one try. `request` and `response` are shown in the log: they hold no secret.

    `advice` is what whoever looks after the integration should do. `references` are what the other side
    calls what it was sent. `is_unsure`: it may have arrived all the same.
    """

    outcome: Outcome
    code: str = ""
    response: str = ""
    request: str = ""
    milliseconds: int = 0
    peer: str = ""
    retry_after: timedelta | None = None
    advice: str = ""
    references: Mapping[str, Any] = field(default_factory=dict)
    is_unsure: bool = False


TEXT, ADDRESS, CHOICE, LIST, HEADERS = "text", "url", "choice", "list", "headers"


@dataclass(frozen=True, slots=True)
class Setting:
    """A field of a channel's settings, as forms, API and documents show it.

    `check` says what is wrong with a value, or "". `make` makes one where none is given; it is shown once.
    A hidden one is kept by Tocsin itself.
    """

    name: str  # of the dataclass's field
    label: str
    member: str = ""  # what API and form call it, where that is not the name
    hint: str = ""
    kind: str = TEXT
    secret: bool = False
    hidden: bool = False
    required: bool = False
    choices: Mapping[str, str] = field(default_factory=dict)
    check: Callable[[Any], str] = lambda value: ""
    make: Callable[[], Any] | None = None
    default: Any = ""

    @property
    def key(self) -> str:
        return self.member or self.name


def setting(label: str, *, default: Any = MISSING, **more: Any) -> Any:
    """A field of a channel's dataclass. Without a default it has to be given, or is made."""
    about = {"label": label, "required": default is MISSING and "make" not in more, **more}
    if default is MISSING:
        return field(metadata={"setting": about}, repr=not more.get("secret"))
    if callable(default):
        return field(default_factory=default, metadata={"setting": about}, repr=not more.get("secret"))
    return field(default=default, metadata={"setting": about}, repr=not more.get("secret"))


def settings_of(channel: "type[Channel]") -> tuple[Setting, ...]:
    """Its fields in their order."""
    return tuple(
        Setting(name=each.name, default=_default(each), **each.metadata["setting"])
        for each in fields(channel)  # type: ignore[arg-type]
    )


def _default(each: Any) -> Any:
    if each.default_factory is not MISSING:
        return each.default_factory()
    return "" if each.default is MISSING else each.default


@dataclass(frozen=True, slots=True)
class About:
    """What the engine and the pages need to know of a channel.

    `is_paging`: it keeps incidents open, and what was opened there is always closed. `patience`: how long
    nothing but failures are borne before it is switched off, None for ever. `repeats_safely`: the other side
    recognises a message that comes twice. `ladder` is the name of its delays in `backoff.LADDERS`.
    """

    name: str
    label: str
    summary: str
    ladder: str
    is_paging: bool = False
    repeats_safely: bool = True
    patience: timedelta | None = None
    is_community: bool = False


class Channel(Protocol):
    """A kind of way out. Its fields are its settings; it is given a message, never a row."""

    about: ClassVar[About]

    def payload(self, message: Message) -> Mapping[str, Any]:
        """What is sent for the message. Pure."""

    def send(self, message: Message, *, http: "Http", now: datetime) -> Answer:
        """One try. Does not raise for what the other side, or the way there, does."""
