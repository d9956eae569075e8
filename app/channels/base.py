"""What every way out has in common: a message goes in, one result for it comes out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from app.domain.kinds import INTEGRATION_KINDS, USUAL_INTEGRATION_KINDS
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
    UNNEEDED = "unneeded"  # there was nothing to send, and nobody misses it
    UNSENT = "unsent"  # nothing is wrong, but there was nobody to send it to: others are told instead


# Settings by the names of a channel's fields: what each becomes; or, where others write to it meanwhile, a
# function that makes that of what it is by then.
Changes = Mapping[str, Any | Callable[[Any], Any]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one try. `request` and `response` are shown in the log: they hold no secret.

    `advice` is what whoever looks after the integration should do; what arrived may come with some, too.
    `references` are what the other side calls what it was sent; `changes` are settings, by the names of the
    channel's fields, that it wants to be set from now on. Both are kept whatever the outcome. `is_unsure`: it
    may have arrived all the same. `retry_after` is how long to wait at least. `ask_after`: it arrived, and is
    handed to the channel once more by then, to ask what became of it there.
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
    changes: Changes = field(default_factory=dict)
    is_unsure: bool = False
    ask_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """How a message looks where it arrives, to be drawn beside a form and in the documents.

    `look` is one of "card", "chat", "phone", "terminal" and "code"; `level` colours it; `fields` are pairs of
    a name and a value; `note` stands small below.
    """

    look: str
    title: str = ""
    text: str = ""
    fields: Sequence[tuple[str, str]] = ()
    buttons: Sequence[str] = ()
    level: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the other side at one of the addresses that a channel gave it.

    `url` is the public one, whole; names of `headers` are in lower case.
    """

    name: str
    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Heard:
    """What to answer to a call, and what follows from it.

    Calls with the same `key` count once. `act` is plain data, carried out by a job: its "do" names what
    (`services/integrations/acting.py`). Without a `content_type` the answer has none.
    """

    status: int = 200
    text: str = ""
    content_type: str | None = "text/plain; charset=utf-8"
    key: str = ""
    act: Mapping[str, Any] | None = None
    changes: Changes = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ToConfirm:
    """Somebody behind an integration who has to agree to be sent something. `label` shows no more of the
    address than is needed to tell it; `is_asked`: a code is on its way that can be entered."""

    key: str
    label: str
    words: str
    tone: str  # as a verdict's: sent, held, skipped, failed
    is_asked: bool = False


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What came of a code that was entered: `wrong` says why it is not taken; `changes` are kept anyway."""

    changes: Mapping[str, Any]
    wrong: str = ""


TEXT, ADDRESS, CHOICE, LIST, HEADERS = "text", "url", "choice", "list", "headers"


@dataclass(frozen=True, slots=True)
class Setting:
    """A field of a channel's settings, as forms, API and documents show it.

    `check` says what is wrong with a value, or ""; so does `ask`, which takes seconds. `make` makes one
    where none is given; it is shown once. A hidden one is kept by Tocsin itself. `tidy` makes of what is
    pasted what is meant. `between` stands between name and value where a line is typed for each (`HEADERS`).
    `mask` is how a secret is shown, where that is not by its last four characters. `bound_to` are settings,
    further up, that say whom a secret is for: when one of them changes, of an address the server, it has to
    be entered anew. Those with the same `group` stand together on the form.
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
    ask: Callable[[str], str] | None = None
    tidy: Callable[[str], str] = lambda value: value
    between: str = ":"
    group: str = ""
    bound_to: Sequence[str] = ()
    mask: Callable[[str], str] | None = None
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

    `is_paging`: it keeps incidents open, and what was opened there is always closed. `rings`: it gets
    somebody out of bed without that. `patience`: how long
    nothing but failures are borne before it is switched off, None for ever. `repeats_safely`: the other side
    recognises a message that comes twice. `ladder` names its delays in `backoff.LADDERS`. `kinds` are
    those that it can take, `usual_kinds` what is switched on at first. `pace` is the least time between two
    messages to one destination. `callbacks` are addresses that the other side calls: name and label; without
    a label it is told of them with each message. `notice` is what everybody who uses it should know. `labels`
    are the words of kinds that mean something of their own here; `needs_open` are those that go out only
    while something is open there.
    """

    name: str
    label: str
    summary: str
    ladder: str
    is_paging: bool = False
    rings: bool = False
    repeats_safely: bool = True
    patience: timedelta | None = None
    is_community: bool = False
    kinds: Sequence[str] = tuple(INTEGRATION_KINDS)
    usual_kinds: Sequence[str] = USUAL_INTEGRATION_KINDS
    pace: timedelta = timedelta()
    callbacks: Mapping[str, str] = field(default_factory=dict)
    notice: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    needs_open: Sequence[str] = ()

    def words_of_kinds(self) -> dict[str, str]:
        """What its checkboxes are called."""
        return {kind: self.labels.get(kind, INTEGRATION_KINDS[kind]) for kind in self.kinds}


class Channel(Protocol):
    """A kind of way out. Its fields are its settings; it is given a message, never a row."""

    about: ClassVar[About]

    def payload(self, message: Message) -> Mapping[str, Any]:
        """What is sent for the message. Pure."""

    def picture(self, message: Message) -> Picture:
        """How that looks. Pure."""

    def send(self, message: Message, *, http: "Http", now: datetime) -> Answer:
        """One try. Does not raise for what the other side, or the way there, does."""


@runtime_checkable
class Listening(Channel, Protocol):
    """A channel whose other side calls back."""

    def hear(self, call: Call, *, now: datetime) -> Heard:
        """Check that the call is genuine, and say what it means. Pure."""


@runtime_checkable
class Consistent(Channel, Protocol):
    """A channel some of whose settings depend on each other."""

    def wrong_together(self) -> tuple[str, str] | None:
        """The name of a field, and what is wrong with it in view of the others. Pure."""


@runtime_checkable
class Confirming(Channel, Protocol):
    """A channel that sends to nobody who has not agreed: its test sends a code to each of the others."""

    def to_confirm(self, *, now: datetime) -> Sequence[ToConfirm]:
        """Everybody it sends to, and how they stand. Pure."""

    def confirm(self, key: str, code: str, *, now: datetime) -> Confirmed:
        """Somebody has entered the code that was sent. Pure."""
