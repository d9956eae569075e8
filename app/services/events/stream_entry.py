"""An entry of the ingest stream: what the request leaves for the digester, and how it is written down."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

STREAM = "tocsin:ingest"
GENERATION = "tocsin:ingest:generation"

ENVELOPE, STORE, CHECK_IN = "envelope", "store", "check_in"
TALLY, UNREADABLE = "tally", "unreadable"
# What became of an item, as it is counted.
ACCEPTED, DUPLICATE, DROPPED, INVALID = "accepted", "duplicate", "dropped", "invalid"
RATE_LIMITED, OVERLOADED, DISCARDED = "rate_limited", "overloaded", "discarded"


@dataclass(frozen=True, slots=True)
class Entry:
    """A body as it was sent, still compressed. `limited`: its event is over the limit and not to be kept,
    nor what people write and enclose; `checks_limited`: nor are its check-ins. `key_id` is 0 for what was
    not sent with a key.

    A tally has no body to keep, only `category:outcome` pairs to be counted.
    """

    project_id: int
    kind: str
    received_at: datetime
    body: bytes
    encoding: str = ""
    client_ip: str | None = None
    event_id: str | None = None
    limited: bool = False
    checks_limited: bool = False
    key_id: int = 0
    id: str = "0-0"

    def fields(self) -> list[bytes | str | float]:
        """Names and values in turn, as XADD takes them."""
        return [
            "project", self.project_id,
            "kind", self.kind,
            "at", self.received_at.timestamp(),
            "encoding", self.encoding,
            "ip", self.client_ip or "",
            "event", self.event_id or "",
            "limited", int(self.limited),
            "checks_limited", int(self.checks_limited),
            "key", self.key_id,
            "body", self.body,
        ]  # fmt: skip


def tally(
    project_id: int, received_at: datetime, counted: Iterable[tuple[str, str]], *, key_id: int = 0
) -> Entry:
    text = ",".join(f"{category}:{outcome}" for category, outcome in counted)
    return Entry(project_id, TALLY, received_at, text.encode(), key_id=key_id)


def read_tally(body: bytes) -> list[tuple[str, str]]:
    pairs = (pair.partition(":") for pair in body.decode().split(",") if pair)
    return [(category, outcome) for category, _, outcome in pairs]


def from_fields(entry_id: bytes, fields: Mapping[bytes, bytes]) -> Entry:
    """The entry; an unreadable one for what nobody here can have written."""
    try:
        return _from_fields(entry_id, fields)
    except (KeyError, ValueError, OverflowError):
        seen = repr(dict(fields)).encode()
        return Entry(0, UNREADABLE, datetime.fromtimestamp(0, UTC), seen, id=entry_id.decode())


def _from_fields(entry_id: bytes, fields: Mapping[bytes, bytes]) -> Entry:
    return Entry(
        project_id=int(fields[b"project"]),
        kind=fields[b"kind"].decode(),
        received_at=datetime.fromtimestamp(float(fields[b"at"]), UTC),
        body=fields[b"body"],
        encoding=fields[b"encoding"].decode(),
        client_ip=fields[b"ip"].decode() or None,
        event_id=fields[b"event"].decode() or None,
        limited=fields[b"limited"] == b"1",
        checks_limited=fields.get(b"checks_limited") == b"1",
        key_id=int(fields.get(b"key", 0)),
        id=entry_id.decode(),
    )


def order(entry_id: str) -> tuple[int, int]:
    """Stream ids as numbers: as text 9-0 would come after 10-0."""
    milliseconds, _, sequence = entry_id.partition("-")
    return int(milliseconds), int(sequence or 0)
