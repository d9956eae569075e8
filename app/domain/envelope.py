"""The envelope: one header line and any number of items, as every current SDK sends them."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from app.domain import tolerant_json
from app.domain.decoding import inflate
from app.domain.rejections import Malformed, TooLarge

__all__ = ["Envelope", "Item", "Malformed", "TooLarge", "from_store", "parse", "parse_header"]

MAX_EVENT_BYTES = 1 << 20
# An event of the old store endpoint, which may be base64.
MAX_ENCODED_EVENT = 2 * MAX_EVENT_BYTES
# JSON takes up to thirty times its size once it is parsed.
MAX_HEADER_BYTES = 1 << 16
MAX_ITEMS = 1000

# Of all that headers may say of an item: a thousand of them, each kept whole, would fill the memory.
_KEPT_HEADERS = ("filename", "content_type", "attachment_type")
_INK = re.compile(rb"\S")
_UUID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Item:
    """One thing in an envelope. An event that says of itself that it is a transaction has that type.

    It only points into the body: most items are counted and never looked at.
    """

    type: str
    headers: dict[str, str]
    body: bytes
    start: int
    stop: int

    @property
    def size(self) -> int:
        return self.stop - self.start

    @property
    def payload(self) -> bytes:
        return self.body[self.start : self.stop]


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
    header = parse_header(body)
    event_id = _header_event_id(header)
    items: list[Item] = []
    for item in _items(body, _line_end(body, 0) + 1):
        if len(items) == MAX_ITEMS:
            raise TooLarge(f"more than {MAX_ITEMS} items")
        if item.type == "event":
            item, own_id = _looked_into(item)
            event_id = event_id or own_id
        items.append(item)
    return Envelope(header, event_id, items)


def parse_header(body: bytes) -> dict[str, Any]:
    """The header of an envelope, of which the beginning is enough."""
    return _header(body, 0, _line_end(body, 0), "the envelope header")


def from_store(body: bytes) -> Envelope:
    """The one event of the old store endpoint: JSON, or base64 of JSON, or base64 of compressed JSON."""
    payload = _store_payload(body.strip())
    item, event_id = _looked_into(Item("event", {}, payload, 0, len(payload)))
    return Envelope({}, event_id, [item])


def event_id_from(value: object) -> str | None:
    """32 lower-case hexadecimal digits, or None for what is no UUID."""
    if isinstance(value, str) and _UUID.fullmatch(value.strip()):
        return value.strip().replace("-", "").lower()
    return None


def _header(body: bytes, start: int, stop: int, what: str) -> dict[str, Any]:
    if stop - start > MAX_HEADER_BYTES:
        raise TooLarge(f"{what} is larger than {MAX_HEADER_BYTES} bytes")
    try:
        return tolerant_json.read_object(body[start:stop], what)
    except Malformed as error:
        raise Malformed(f"{what} is not a JSON object", error.causes) from None


def _line_end(body: bytes, start: int) -> int:
    newline = body.find(b"\n", start)
    return len(body) if newline < 0 else newline


def _header_event_id(header: dict[str, Any]) -> str | None:
    given = header.get("event_id")
    event_id = event_id_from(given)
    if given is not None and event_id is None:
        raise Malformed("the envelope header's event_id is not a UUID")
    return event_id


def _items(body: bytes, position: int) -> Iterator[Item]:
    while position < len(body):
        line_end = _line_end(body, position)
        if _is_blank(body, position, line_end):
            _refuse_more(body, line_end)
            return
        headers = _header(body, position, line_end, "an item header")
        start = min(line_end + 1, len(body))
        stop = _payload_end(body, start, headers)
        yield Item(_item_type(headers), _kept(headers), body, start, stop)
        position = stop + 1


def _is_blank(body: bytes, start: int, stop: int) -> bool:
    return _INK.search(body, start, stop) is None


def _refuse_more(body: bytes, position: int) -> None:
    """Blank lines may end an envelope, but not stand between its items."""
    if not _is_blank(body, position, len(body)):
        raise Malformed("an item header is empty")


def _kept(headers: dict[str, Any]) -> dict[str, str]:
    return {name: value for name in _KEPT_HEADERS if isinstance(value := headers.get(name), str)}


def _item_type(headers: dict[str, Any]) -> str:
    item_type = headers.get("type")
    if not isinstance(item_type, str) or not item_type:
        raise Malformed("an item header has no type")
    return item_type


def _payload_end(body: bytes, start: int, headers: dict[str, Any]) -> int:
    length = headers.get("length")
    if length is None:
        return _line_end(body, start)
    if type(length) is not int or length < 0:
        raise Malformed("an item's length is not a number of bytes")
    stop = start + length
    if stop > len(body):
        raise Malformed("an item is shorter than its length")
    if body[stop : stop + 1] not in (b"", b"\n"):
        raise Malformed("an item is longer than its length")
    return stop


def _looked_into(item: Item) -> tuple[Item, str | None]:
    """The item under its true type, and the id within its payload."""
    if item.size > MAX_EVENT_BYTES:
        raise TooLarge(f"the event is larger than {MAX_EVENT_BYTES} bytes")
    payload = item.payload
    tolerant_json.refuse_deep(payload)
    try:
        peek = _peek(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError, RecursionError):
        members = tolerant_json.read_object(payload, "the event")
        peek = _Peek(members.get("event_id"), members.get("type"))
    if peek.type == "transaction":
        item = replace(item, type="transaction")
    return item, event_id_from(peek.event_id)


def _store_payload(body: bytes) -> bytes:
    if len(body) > MAX_ENCODED_EVENT:
        raise TooLarge(f"the event is larger than {MAX_EVENT_BYTES} bytes")
    if body.startswith(b"{"):
        return body
    try:
        # A form or a query turns the plus signs of base64 into blanks.
        plain = base64.b64decode(body.replace(b" ", b"+"), validate=True)
    except binascii.Error:
        raise Malformed("the event is neither JSON nor base64") from None
    return plain if plain.lstrip().startswith(b"{") else inflate(plain, MAX_EVENT_BYTES)
