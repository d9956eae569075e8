"""The envelope: one header line and any number of items, as every current SDK sends them."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from app.domain import tolerant_json
from app.domain.decoding import inflate
from app.domain.rejections import Malformed, TooLarge

__all__ = ["Envelope", "Item", "Malformed", "TooLarge", "from_store", "parse"]

MAX_EVENT_BYTES = 1 << 20
MAX_ITEMS = 1000

_UUID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Item:
    """One thing in an envelope. An event that says of itself that it is a transaction has that type."""

    type: str
    headers: dict[str, Any]
    payload: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    header: dict[str, Any]
    event_id: str | None
    items: list[Item]

    @property
    def event(self) -> Item | None:
        """The event to keep: the first, since an envelope may hold no more than one."""
        return next((item for item in self.items if item.type == "event"), None)


class _Peek(msgspec.Struct):
    """What the request must know of an event; all else is skipped unread."""

    event_id: Any = None
    type: Any = None


_peek = msgspec.json.Decoder(_Peek).decode


def parse(body: bytes) -> Envelope:
    """The envelope with the id of its event: the header's, else the payload's, else none."""
    header_line, _, rest = body.partition(b"\n")
    header = _header(header_line, "the envelope header")
    event_id = _header_event_id(header)
    items: list[Item] = []
    for item in _items(rest):
        if len(items) == MAX_ITEMS:
            raise TooLarge(f"more than {MAX_ITEMS} items")
        if item.type == "event":
            item, own_id = _looked_into(item)
            event_id = event_id or own_id
        items.append(item)
    return Envelope(header, event_id, items)


def from_store(body: bytes) -> Envelope:
    """The one event of the old store endpoint: JSON, or base64 of JSON, or base64 of compressed JSON."""
    payload = _store_payload(body.strip())
    item, event_id = _looked_into(Item("event", {"type": "event"}, payload))
    return Envelope({}, event_id, [item])


def event_id_from(value: object) -> str | None:
    """32 lower-case hexadecimal digits, or None for what is no UUID."""
    if isinstance(value, str) and _UUID.fullmatch(value.strip()):
        return value.strip().replace("-", "").lower()
    return None


def _header(line: bytes, what: str) -> dict[str, Any]:
    try:
        return tolerant_json.read_object(line, what)
    except Malformed as error:
        raise Malformed(f"{what} is not a JSON object", error.causes) from None


def _header_event_id(header: dict[str, Any]) -> str | None:
    given = header.get("event_id")
    event_id = event_id_from(given)
    if given is not None and event_id is None:
        raise Malformed("the envelope header's event_id is not a UUID")
    return event_id


def _items(rest: bytes) -> Iterator[Item]:
    position, end = 0, len(rest)
    while position < end:
        line_end = rest.find(b"\n", position)
        line_end = end if line_end < 0 else line_end
        line = rest[position:line_end]
        if not line.strip():
            position = _after_blank(rest, position)
            continue
        headers = _header(line, "an item header")
        start = min(line_end + 1, end)
        stop = _payload_end(rest, start, headers)
        yield Item(_item_type(headers), headers, rest[start:stop])
        position = stop + 1


def _after_blank(rest: bytes, position: int) -> int:
    """Blank lines may end an envelope, but not stand between its items."""
    if rest[position:].strip():
        raise Malformed("an item header is empty")
    return len(rest)


def _item_type(headers: dict[str, Any]) -> str:
    item_type = headers.get("type")
    if not isinstance(item_type, str) or not item_type:
        raise Malformed("an item header has no type")
    return item_type


def _payload_end(rest: bytes, start: int, headers: dict[str, Any]) -> int:
    length = headers.get("length")
    if length is None:
        newline = rest.find(b"\n", start)
        return len(rest) if newline < 0 else newline
    if type(length) is not int or length < 0:
        raise Malformed("an item's length is not a number of bytes")
    stop = start + length
    if stop > len(rest):
        raise Malformed("an item is shorter than its length")
    if rest[stop : stop + 1] not in (b"", b"\n"):
        raise Malformed("an item is longer than its length")
    return stop


def _looked_into(item: Item) -> tuple[Item, str | None]:
    """The item under its true type, and the id within its payload."""
    if len(item.payload) > MAX_EVENT_BYTES:
        raise TooLarge(f"the event is larger than {MAX_EVENT_BYTES} bytes")
    tolerant_json.refuse_deep(item.payload)
    try:
        peek = _peek(item.payload)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError, RecursionError):
        members = tolerant_json.read_object(item.payload, "the event")
        peek = _Peek(members.get("event_id"), members.get("type"))
    if peek.type == "transaction":
        item = Item("transaction", item.headers, item.payload)
    return item, event_id_from(peek.event_id)


def _store_payload(body: bytes) -> bytes:
    if len(body) > 2 * MAX_EVENT_BYTES:
        raise TooLarge(f"the event is larger than {MAX_EVENT_BYTES} bytes")
    if body.startswith(b"{"):
        return body
    try:
        # A form or a query turns the plus signs of base64 into blanks.
        plain = base64.b64decode(body.replace(b" ", b"+"), validate=True)
    except binascii.Error:
        raise Malformed("the event is neither JSON nor base64") from None
    return plain if plain.lstrip().startswith(b"{") else inflate(plain, MAX_EVENT_BYTES)
