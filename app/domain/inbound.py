"""A message that somebody sent to Tocsin, as far as it matters: who, to whom, what; and is it a person's?

Anybody may hand one in, so nothing here takes more time than a fixed amount for each byte: what the headers
say is read with expressions that look ahead a bounded way, and the body only when `text` is asked for it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.errors import InvalidHeaderDefect
from email.message import Message
from email.parser import BytesHeaderParser
from itertools import islice

from app.domain import html_words, reply_text

# Where mail servers and programs write to whom a message went: those of one mailbox first, all others last.
TO_HEADERS = ("Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "To", "Cc")
BULK = ("bulk", "junk", "auto_reply")
HEADERS_AT_MOST, HEADER_AT_MOST, SENDER_AT_MOST = 64 * 1024, 8 * 1024, 998
# Whatever a person wrote stands before the files that they enclosed.
READ_AT_MOST, PARTS_AT_MOST = 128 * 1024, 100
_MESSAGE_ID = re.compile(rb"^message-id:[ \t]*(?:\r?\n[ \t]+)?([^\r\n]{1,998})", re.IGNORECASE | re.MULTILINE)
_OURS = re.compile(r"(?<![^\s<>,;:\"()])[ru]\+[a-z2-7]{1,64}@[a-z0-9.:_-]{1,253}", re.IGNORECASE)
_ADDRESS = re.compile(r"[^\s@<>()\[\],;:\"\\]{1,64}@[^\s@<>()\[\],;:\"\\]{1,253}")


@dataclass(frozen=True, slots=True)
class Letter:
    """What the headers say. `sender` is empty where they do not name exactly one."""

    sender: str
    recipients: Sequence[str]
    is_automatic: bool
    results: Sequence[str]  # Authentication-Results, the receiving server's first


def name(raw: bytes) -> str:
    """The Message-ID; empty for what has none."""
    found = _MESSAGE_ID.search(_head(raw))
    return " ".join(found[1].decode(errors="replace").split()) if found else ""


def read(raw: bytes) -> Letter:
    """The headers, each cut to what any mail program writes; raises ValueError for what is no mail."""
    message = _headers(raw)
    if not message.keys():
        raise ValueError("no headers")
    return Letter(
        sender=_sender(message),
        recipients=_recipients(message),
        is_automatic=_is_automatic(message),
        results=_lines(message, "Authentication-Results"),
    )


def recipients(raw: bytes) -> list[str]:
    """The addresses that may be ours, the mailbox that a server names first."""
    return _recipients(_headers(raw))


def text(raw: bytes) -> str:
    """What its writer wrote, without the quotation. What is made to break its reader does, in any way."""
    message = message_from_bytes(raw[:READ_AT_MOST], policy=policy.compat32)
    parts = [part for part in islice(message.walk(), PARTS_AT_MOST) if _is_readable(part)]
    plain = next(_of_type(parts, "text/plain"), None)
    if plain is not None:
        return reply_text.reply(_content(plain))
    html = next(_of_type(parts, "text/html"), None)
    return reply_text.reply(html_words.words(_content(html))) if html is not None else ""


def _head(raw: bytes) -> bytes:
    """The headers, up to a bound. A line cut there is left out."""
    start = raw[:HEADERS_AT_MOST].replace(b"\r\n", b"\n")
    head, blank, _ = start.partition(b"\n\n")
    return head if blank or len(raw) <= HEADERS_AT_MOST else head.rpartition(b"\n")[0]


def _headers(raw: bytes) -> Message:
    return BytesHeaderParser(policy=policy.compat32).parsebytes(_head(raw))


def _recipients(message: Message) -> list[str]:
    lines = [line for name in TO_HEADERS for line in _lines(message, name)]
    return [found.lower() for line in lines for found in _OURS.findall(line)]


def _sender(message: Message) -> str:
    """The one address in the one From; programs disagree on whose a message with two of them is."""
    values = _lines(message, "From")
    if len(values) != 1 or len(values[0]) > SENDER_AT_MOST:
        return ""
    header = policy.default.header_factory("From", values[0])
    meant = [each.addr_spec.lower() for each in header.addresses]
    # As it came and decoded: an address may hide in a comment, or in an encoded display name.
    named = {found.lower() for found in _ADDRESS.findall(f"{values[0]} {header}")}
    sound = not any(isinstance(defect, InvalidHeaderDefect) for defect in header.defects)
    return meant[0] if sound and named == set(meant) and len(meant) == 1 and meant[0].isprintable() else ""


def _is_automatic(message: Message) -> bool:
    """RFC 3834, and what programs do that do not know of it. Nor do we answer ourselves."""
    marks = (
        _line(message, "Auto-Submitted").split(";")[0].strip().lower() not in ("", "no"),
        _line(message, "Precedence").strip().lower() in BULK,
        _line(message, "Return-Path").strip() == "<>",
        any(name in message for name in ("X-Autoreply", "X-Autorespond")),
        any(name.lower().startswith("x-tocsin-") for name in message.keys()),  # noqa: SIM118 (a message, no dict)
    )
    return any(marks)


def _line(message: Message, name: str) -> str:
    return next(iter(_lines(message, name)), "")


def _lines(message: Message, name: str) -> list[str]:
    """What headers of this name say, each on one line."""
    return [
        " ".join(_sound(str(value)[:HEADER_AT_MOST]).split())
        for key, value in message.raw_items()
        if key.lower() == name.lower()
    ]


def _sound(line: str) -> str:
    """Bytes of no character, which the standard library lets through, are not for a database."""
    return line.encode(errors="surrogateescape").decode(errors="replace")


def _is_readable(part: Message) -> bool:
    """The standard library takes ever longer over headers longer than any program writes."""
    if any(len(str(value)) > HEADER_AT_MOST for _, value in part.raw_items()):
        return False
    return not part.is_multipart() and part.get_content_disposition() != "attachment"


def _of_type(parts: Sequence[Message], wanted: str) -> Iterator[Message]:
    return (part for part in parts if part.get_content_type() == wanted)


def _content(part: Message) -> str:
    data = part.get_payload(decode=True)
    if not isinstance(data, bytes):
        return ""
    try:
        said = data.decode(part.get_content_charset() or "utf-8", errors="replace")
    except LookupError:
        said = data.decode(errors="replace")
    return said.replace("\0", "")
